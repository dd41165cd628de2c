/** The story of one message: plan → render → send → record → consume. Called by controller.ts for each key. */

import { backoffMs } from "../control/backoff.ts";
import type { Gate } from "../control/gate.ts";
import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { type NotificationMessage, parseNotificationMessage } from "../resources/notification-message.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import { type Plan, planDelivery, type Task } from "./plan.ts";
import type { Draft, EventRecorder, MailServerState, MessageKey, Messages } from "./ports.ts";
import { renderTask } from "./render.ts";
import { planWait, type Wait } from "./schedule.ts";
import { type SendPorts, sameForAll, sendTask } from "./send.ts";
import {
  addAttempt,
  expireProgress,
  foldStatus,
  logStatus,
  type Progress,
  pendingRecipients,
  resumeProgress,
} from "./status.ts";
import type { TemplateStore } from "./templates.ts";

export interface ReconcilePorts extends Omit<SendPorts, "logger" | "permit"> {
  messages: Messages;
  events: EventRecorder;
  templates: TemplateStore;
  server(): MailServerState;
  /** Shut while a status cannot be written: no further mail is begun then. */
  recording: Gate;
  /** Throws when this process has lost the right to work on messages. */
  assertLeading(): void;
  logger: Logger;
  now(): number;
  observe: DeliveryObserver;
}

/** What the metrics are told. */
export interface DeliveryObserver {
  received(): void;
  attempted(method: string, reason: string): void;
  finished(phase: "Done" | "Failed", secondsSinceCreation: number): void;
}

export interface ReconcileOptions {
  /** A message that waited longer than this from its creation is given up. */
  deadlineMs: number;
  /** How long a Failed message stays before it is deleted. */
  failedRetentionMs: number;
}

/** What is to happen with the key next. */
export type Verdict =
  | { kind: "gone" }
  | { kind: "failed"; removeInMs: number }
  | { kind: "waiting"; wait: Wait; deadlineInMs: number };

const GONE: Verdict = { kind: "gone" };

/**
 * Takes one message as far as it will go now. All state is read from `seen` (the object as the watch gave it) or afresh,
 * so a restart goes on at the first recipient not yet mailed.
 */
export async function reconcile(
  key: MessageKey,
  seen: KubeObject | undefined,
  ports: ReconcilePorts,
  options: ReconcileOptions,
  signal: AbortSignal,
): Promise<Verdict> {
  const object = seen ?? (await ports.messages.get(key, signal));
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return GONE;
  const message = parseNotificationMessage(object);
  if (message.phase === "Done") return consume(key, object, ports, signal); // recorded before a crash, not yet deleted
  if (message.phase === "Failed") return retire(key, object, message, ports, options, signal);

  const logger = ports.logger.child({ message: formatKey(key) });
  const plan = planDelivery(message);
  const earlier = resumeProgress(plan, message.conditions);
  const attempted = await attemptTasks(object, message, plan, earlier, { ...ports, logger }, signal);
  const deadlineInMs = createdMs(object, ports.now()) + options.deadlineMs - ports.now();
  const progress = deadlineInMs > 0 ? attempted : expireProgress(plan, attempted, formatHours(options.deadlineMs));

  const recorded = await record(key, object, plan, progress, { ...ports, logger }, signal);
  if (recorded === undefined) return GONE;
  if (recorded.phase === "Done") return consume(key, object, ports, signal);
  if (recorded.phase === "Failed") {
    ports.observe.finished("Failed", ageSeconds(object, ports.now()));
    return { kind: "failed", removeInMs: options.failedRetentionMs };
  }
  return { kind: "waiting", wait: planWait(plan, progress, key.namespace), deadlineInMs };
}

async function attemptTasks(
  object: KubeObject,
  message: NotificationMessage,
  plan: Plan,
  earlier: Progress,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<Progress> {
  const open = plan.tasks.filter((task) => pendingRecipients(task, earlier).length > 0);
  ports.logger.info({ tasks: open.length }, "Try to exec");
  let progress = earlier;
  for (const task of open) {
    const outcomes = await attemptTask(object, message, task, pendingRecipients(task, progress), ports, signal);
    for (const { reason } of outcomes) ports.observe.attempted(task.method, reason);
    progress = addAttempt(progress, task.id, outcomes);
  }
  return progress;
}

async function attemptTask(
  object: KubeObject,
  message: NotificationMessage,
  task: Task,
  to: string[],
  ports: ReconcilePorts,
  signal: AbortSignal,
) {
  const { namespace = "", name = "", uid = "" } = object.metadata;
  const found = ports.templates.find(namespace, task.template);
  if ("reason" in found) return sameForAll(to, found.reason, found.message);
  const rendered = renderTask(found.template, formatKey({ namespace, name: task.template }), message.body);
  if ("reason" in rendered) return sameForAll(to, rendered.reason, rendered.message);
  const state = ports.server();
  if ("problem" in state) return sameForAll(to, "ServerNotConfigured", state.problem);
  const source = sourceOf(object);
  const draft: Draft = {
    message: { uid, namespace, name },
    taskId: task.id,
    to,
    ...rendered,
    ...(source !== undefined && { source }),
  };
  const permit = async (abort: AbortSignal) => {
    await ports.recording.pass(abort);
    ports.assertLeading();
  };
  return sendTask(draft, state.server, { ...ports, permit }, signal);
}

/**
 * Writes the status, again and again until the API server takes it: mail that was sent must not be forgotten. Returns
 * the status, or undefined when the message is gone.
 */
async function record(
  key: MessageKey,
  object: KubeObject,
  plan: Plan,
  progress: Progress,
  ports: ReconcilePorts,
  signal: AbortSignal,
) {
  const previous = parseNotificationMessage(object).conditions;
  const status = foldStatus(plan, progress, previous, new Date(ports.now()));
  const written = await writeUntilTaken(key, object, status, ports, signal);
  if (written === "gone") return undefined;
  const level = { Done: "info", Failed: "error", Processing: "warn", Pending: "info" } as const;
  ports.logger[level[status.phase]]({ status: logStatus(status) }, "Update status");
  await announce(object, status, ports, signal);
  return status;
}

async function writeUntilTaken(
  key: MessageKey,
  object: KubeObject,
  status: object,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<"written" | "gone"> {
  let resourceVersion = object.metadata.resourceVersion ?? "";
  let shut = false;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await ports.messages.writeStatus(key, resourceVersion, status, signal);
        if (result !== "conflict") return result;
        const fresh = await ports.messages.get(key, signal);
        if (fresh === undefined || fresh.metadata.uid !== object.metadata.uid) return "gone";
        resourceVersion = fresh.metadata.resourceVersion ?? "";
      } catch (error) {
        if (signal.aborted) throw error;
        if (!shut) ports.recording.shut();
        shut = true;
        const retryInMs = backoffMs(attempt, { firstMs: 250, capMs: 15_000 });
        ports.logger.warn(
          { error: (error as Error).message, retryInMs },
          "Cannot write status, no mail is begun until it is",
        );
        await pauseMs(retryInMs, signal);
      }
    }
  } finally {
    if (shut) ports.recording.reopen();
  }
}

/** One Warning Event for each way in which a message fails or waits; those that were told before are not told again. */
async function announce(
  object: KubeObject,
  status: ReturnType<typeof foldStatus>,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<void> {
  const told = new Set(parseNotificationMessage(object).conditions.map(({ uid, reason }) => `${uid} ${reason}`));
  for (const { uid, status: ready, reason, message = "", addresses } of status.conditions) {
    if (ready === "True" || reason === undefined || told.has(`${uid} ${reason}`)) continue;
    const to = addresses.length > 0 ? `${addresses.join(", ")}: ` : "";
    await ports.events.record(object, { type: "Warning", reason, note: `${to}${message}` }, signal);
  }
}

async function consume(
  key: MessageKey,
  object: KubeObject,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<Verdict> {
  await ports.messages.remove(key, object.metadata.uid ?? "", signal);
  ports.observe.finished("Done", ageSeconds(object, ports.now()));
  return GONE;
}

/** A Failed message stays for people to read, and goes when its time is over. */
async function retire(
  key: MessageKey,
  object: KubeObject,
  message: NotificationMessage,
  ports: ReconcilePorts,
  { failedRetentionMs }: ReconcileOptions,
  signal: AbortSignal,
): Promise<Verdict> {
  const times = message.conditions.map(({ lastTransitionTime }) => Date.parse(lastTransitionTime ?? ""));
  const failedAt = Math.max(createdMs(object, ports.now()), ...times.filter(Number.isFinite));
  const removeInMs = failedAt + failedRetentionMs - ports.now();
  if (removeInMs > 0) return { kind: "failed", removeInMs };
  await ports.messages.remove(key, object.metadata.uid ?? "", signal);
  return GONE;
}

/** The object a message is about, from the guide's labels: mails about one source belong to one thread. */
function sourceOf({ metadata }: KubeObject): string | undefined {
  const { labels = {} } = metadata;
  const name = labels["configmap-change/source-name"] ?? labels["generate.kyverno.io/trigger-uid"];
  if (name === undefined) return undefined;
  return [
    labels["configmap-change/source-namespace"] ?? labels["generate.kyverno.io/trigger-namespace"] ?? "",
    name,
  ].join("/");
}

function createdMs({ metadata }: KubeObject, fallback: number): number {
  const created = Date.parse(metadata.creationTimestamp ?? "");
  return Number.isFinite(created) ? created : fallback;
}

function ageSeconds(object: KubeObject, nowMs: number): number {
  return (nowMs - createdMs(object, nowMs)) / 1000;
}

function formatHours(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 1 ? `${Math.round(hours)} h` : `${Math.round(ms / 1000)} s`;
}
