/** Mails as they would be sent, made by the stages of delivery itself: plan → template → render → compose. */
import { mailIdOf, planDelivery, type Task } from "../delivery/plan.ts";
import { renderTask } from "../delivery/render.ts";
import { sourceOf } from "../delivery/source.ts";
import { compileMailTemplate } from "../delivery/templates.ts";
import { composeMail, type Mail, type Sender } from "../mail/compose.ts";
import { parseEmailServer } from "../mail/email-server.ts";
import { cleanSubject } from "../mail/headers.ts";
import { MailBodyError } from "../mail/html.ts";
import { NOTIFICATION_MESSAGE } from "../resources/kinds.ts";
import { parseNotificationMessage } from "../resources/notification-message.ts";
import type { KubeObject } from "../resources/object.ts";
import { suggest } from "../template/suggest.ts";
import { presenceOfUse } from "./body-shape.ts";
import { checkMessage } from "./check-message.ts";
import { checkTemplate } from "./check-template.ts";
import { type Finding, findingAt } from "./finding.ts";
import { isEmailServer, secretOf } from "./mail-server-secret.ts";
import type { Manifest } from "./manifest.ts";
import { type MailParts, readMailParts } from "./read-mail.ts";
import { findTemplateErrors, readTemplate, type TemplateManifest } from "./template-part.ts";
import { EACH, findUses, formatPath, parseGoTemplate } from "./template-uses.ts";

/** One task's mail. */
export interface Preview extends MailParts {
  template: Manifest;
  /** Absent where the template was rendered on its own. */
  message?: Manifest;
  subject: string;
  recipients: string[];
  mail: Mail;
  /** Variables that the template shows and the data does not have: `.labels.owner`. */
  unset: string[];
}

export interface PreviewResult {
  previews: Preview[];
  findings: Finding[];
}

export interface PreviewOptions {
  /** Changes a message's `spec.body`, or makes one from nothing for a template that no message names. */
  changeBody(body: unknown): unknown;
  date: Date;
}

/** Who reads and sends previews that no message and no Secret say it for. */
const READER = "reader@example.com";
const SENDER: Sender = { from: { address: "courier@example.com", name: "" }, displayNames: { en: "", zh: "" } };

/** The mails of all messages among `manifests`, and one of each template that none of them names. */
export function previewMails(manifests: readonly Manifest[], options: PreviewOptions): PreviewResult {
  const templates = manifests.filter(({ object }) => object.kind === "NotificationTemplate");
  const messages = manifests.filter(({ object }) => object.kind === "NotificationMessage");
  const sender = findSender(manifests);
  const result: PreviewResult = { previews: [], findings: [] };
  const used = new Set<Manifest>();
  for (const manifest of messages) {
    const message = parseNotificationMessage(manifest.object);
    result.findings.push(...checkMessage(manifest));
    for (const task of planDelivery(message).tasks) {
      const template = findTemplate(templates, task.template, manifest.identity.namespace);
      if (template === undefined) result.findings.push(missingTemplate(manifest, task.template, templates));
      else used.add(template);
      const body = options.changeBody(message.body);
      if (template !== undefined) addPreview(result, { template, message: manifest, task, body, sender }, options);
    }
  }
  for (const template of templates.filter((candidate) => !used.has(candidate))) {
    const body = options.changeBody({});
    const [task] = planDelivery(parseNotificationMessage(messageFor(template, body))).tasks;
    if (task !== undefined) addPreview(result, { template, task, body, sender }, options);
  }
  return result;
}

interface Job {
  template: Manifest;
  message?: Manifest;
  task: Task;
  body: unknown;
  sender: Sender;
}

function addPreview({ previews, findings }: PreviewResult, job: Job, { date }: PreviewOptions): void {
  const { template, message, task, body, sender } = job;
  const compiled = compileMailTemplate(template.object);
  const rendered = "reason" in compiled ? compiled : renderTask(compiled.template, template.title, body);
  const readable = readTemplate(template);
  if ("reason" in rendered) {
    const errors = readable === undefined ? checkTemplate(template) : findTemplateErrors(readable, { body });
    findings.push(...errors);
    return;
  }
  const { uid = "preview", name = "preview" } = message?.object.metadata ?? {};
  const about = { uid, namespace: template.identity.namespace ?? "", name };
  let mail: Mail;
  try {
    const source = message && sourceOf(message.object);
    const draft = {
      message: about,
      taskId: mailIdOf(task),
      to: task.recipients,
      ...rendered,
      ...(source && { source }),
    };
    mail = composeMail(draft, sender, date);
  } catch (error) {
    if (!(error instanceof MailBodyError)) throw error;
    const offset = readable?.content.offsetOf(0) ?? template.offset;
    findings.push(
      findingAt(template.source, offset, { severity: "error", rule: "render-failed", message: error.message }),
    );
    return;
  }
  previews.push({
    template,
    ...(message !== undefined && { message }),
    subject: cleanSubject(rendered.subject),
    recipients: task.recipients,
    mail,
    unset: readable === undefined ? [] : findUnset(readable, body),
    ...readMailParts(mail.content),
  });
}

/** The smallest message that has this template rendered. */
function messageFor(template: Manifest, body: unknown): KubeObject {
  const { name } = template.identity;
  const ephemeral = { methods: ["Email"], template: name === "" ? "unnamed" : name };
  return {
    apiVersion: `${NOTIFICATION_MESSAGE.group}/${NOTIFICATION_MESSAGE.version}`,
    kind: NOTIFICATION_MESSAGE.kind,
    metadata: {},
    spec: { body, notifications: [{ name: "preview", ephemeral, receivers: [{ destination: READER }] }] },
  };
}

/** The template that a message of `namespace` names; a namespace that a file leaves out fits any. */
export function findTemplate(
  templates: readonly Manifest[],
  name: string,
  namespace: string | undefined,
): Manifest | undefined {
  return templates.find(
    ({ identity }) =>
      identity.name === name &&
      (namespace === undefined || identity.namespace === undefined || identity.namespace === namespace),
  );
}

function missingTemplate(message: Manifest, name: string, templates: readonly Manifest[]): Finding {
  const names = templates.map(({ identity }) => identity.name);
  const near = suggest(name, names);
  const advice = near === undefined ? "give it with -f" : `did you mean "${near}"?`;
  const index = subscriptionsOf(message).indexOf(name);
  return findingAt(message.source, message.offsetOf(`spec.notifications[${index}].ephemeral.template`), {
    severity: "error",
    rule: "template-not-found",
    message: `NotificationTemplate "${name}" is not among the files: ${advice}`,
  });
}

/** The template that each subscription of a message names. */
export function subscriptionsOf({ object }: Manifest): (string | undefined)[] {
  return parseNotificationMessage(object).subscriptions.map(({ ephemeral }) => ephemeral?.template);
}

function findSender(manifests: readonly Manifest[]): Sender {
  for (const { object } of manifests.filter(isEmailServer)) {
    try {
      return parseEmailServer(secretOf(object));
    } catch {
      // a wrong Secret is for validate to tell; the mail is the same but for its sender
    }
  }
  return SENDER;
}

function findUnset({ email, subject, content }: TemplateManifest, body: unknown): string[] {
  if (email.dialect !== "go") return [];
  const unset = [subject, content].flatMap(({ source }) => {
    const definitions = parseGoTemplate(source);
    const uses = definitions === undefined ? [] : findUses(definitions);
    return uses
      .filter((use) => !use.path.includes(EACH))
      .filter((use) => presenceOfUse(use, { value: body, isGenerated: false }).kind === "unset")
      .map(({ path }) => formatPath(path));
  });
  return [...new Set(unset)].sort();
}
