/** What stands between a task and its mail, called by reconcile.ts: the template, the data, the mail server's Secret. */
import type { NotificationMessage } from "../resources/notification-message.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import { explainTrouble, isFallbackDue, renderFallback, type TemplateTrouble } from "./fallback.ts";
import { mailIdOf, type Task } from "./plan.ts";
import type { Draft, MailServer, MailServerState } from "./ports.ts";
import type { AttemptOutcome } from "./progress.ts";
import { type Rendered, renderTask } from "./render.ts";
import { untriedForAll } from "./send.ts";
import { sourceOf } from "./source.ts";
import type { TemplateStore } from "./templates.ts";

export interface PreparePorts {
  templates: TemplateStore;
  server(): MailServerState;
}

/** A message that is worked on, and whether its wait for a template is over. */
export interface Occasion {
  object: KubeObject;
  message: NotificationMessage;
  isLate: boolean;
}

/** A mail to be sent; `fallback` says why it is the plain one. Or why there is none to be sent now. */
export type PreparedMail =
  | { draft: Draft; server: MailServer; fallback?: TemplateTrouble }
  | { untried: AttemptOutcome[] };

/** Renders `task` for its recipients `to`. */
export function prepareMail(occasion: Occasion, task: Task, to: string[], ports: PreparePorts): PreparedMail {
  const { object, message, isLate } = occasion;
  const { namespace = "", name = "", uid = "" } = object.metadata;
  const rendered = renderFromTemplate(namespace, task, message, ports.templates);
  const fallback = "reason" in rendered ? rendered : undefined;
  if (fallback !== undefined && !isFallbackDue(message.requests, fallback, isLate)) {
    return { untried: untriedForAll(to, fallback.reason, explainTrouble(fallback, message.requests)) };
  }
  const content = "reason" in rendered ? renderFallback({ namespace, name }, task, rendered, message.body) : rendered;
  const state = ports.server();
  if ("problem" in state) return { untried: untriedForAll(to, "ServerNotConfigured", state.problem) };
  const source = sourceOf(object);
  // The plain mail is not the one that the template would have made, so that no server may take one for the other.
  const taskId = fallback === undefined ? mailIdOf(task) : `${mailIdOf(task)} fallback`;
  const about = { message: { uid, namespace, name }, taskId, ...(source !== undefined && { source }) };
  const mail = { draft: { ...about, to, ...content }, server: state.server };
  return fallback === undefined ? mail : { ...mail, fallback };
}

function renderFromTemplate(
  namespace: string,
  task: Task,
  { body }: NotificationMessage,
  templates: TemplateStore,
): Rendered | TemplateTrouble {
  const found = templates.find(namespace, task.template);
  if ("reason" in found) return found;
  return renderTask(found.template, formatKey({ namespace, name: task.template }), body);
}

/** Outcomes of a fallback mail, which say that it was one. */
export function tellFallback(outcomes: AttemptOutcome[], { reason, message }: TemplateTrouble): AttemptOutcome[] {
  const why = `fallback mail (${reason}: ${message.length > 300 ? `${message.slice(0, 299)}…` : message})`;
  return outcomes.map((outcome) =>
    outcome.untried ? outcome : { ...outcome, message: `${why}: ${outcome.message}`, fallback: reason },
  );
}
