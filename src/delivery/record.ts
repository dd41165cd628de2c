/** Fourth stage, called by reconcile.ts: progress → status in the API server, log and Events. Consume comes next. */
import { backoffMs } from "../control/backoff.ts";
import type { Gate } from "../control/gate.ts";
import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import {
  type Condition,
  type MessageStatus,
  type NotificationMessage,
  type Phase,
  parseNotificationMessage,
} from "../resources/notification-message.ts";
import type { KubeObject } from "../resources/object.ts";
import { formatDuration } from "./format-duration.ts";
import { type Plan, planDelivery } from "./plan.ts";
import type { EventRecorder, MessageKey, Messages, WriteResult } from "./ports.ts";
import { adoptEnds, carryProgress, expireProgress, type Progress, resumeProgress } from "./progress.ts";
import { consequenceOf, isReason } from "./reasons.ts";
import type { Followed } from "./restart.ts";
import { briefStatus, foldStatus, hasStatus, logStatus } from "./status.ts";

export interface RecordPorts {
  messages: Messages;
  events: EventRecorder;
  /** Shut while a status cannot be written: no further mail is begun then. */
  recording: Gate;
  logger: Logger;
  now(): number;
  observe: { stopped(method: string, reason: string): void };
}

/** A message and what is known of its delivery. */
export interface Work {
  key: MessageKey;
  object: KubeObject;
  message: NotificationMessage;
  plan: Plan;
  progress: Progress;
  followed: Followed;
}

/** What a message has come to, and the work as it was written: the message may have changed under it. */
export interface Recorded {
  phase: Phase;
  /** Of the message with this status. */
  resourceVersion: string;
  /** The first reason that keeps it from being Done. */
  reason: string;
  plan: Plan;
  progress: Progress;
}

/** When waiting ends, from now, and how long it was allowed from the message's creation. */
export interface Expiry {
  inMs: number;
  afterMs: number;
}

/** Changes of a message between our reading and writing it that are followed at once; then with a pause. */
const QUICK_CONFLICTS = 3;
/** Asking often costs nothing while the API server is away: all but one request a second fail at once (kube/outage.ts). */
const RETRY = { firstMs: 250, capMs: 5_000 };
/** The API server has read the status and will not have it, however often it is asked. */
const REFUSALS: readonly unknown[] = [400, 413, 422];
/** etcd's words for an object beyond its limit, which come as a mere 500: without them one tenant's message stops all. */
const TOO_LARGE = /request is too large/;

/**
 * Writes the status, again and again until the API server takes it: mail that was sent must not be forgotten. Undefined
 * when the message is gone.
 */
export async function record(
  work: Work,
  expiry: Expiry,
  ports: RecordPorts,
  signal: AbortSignal,
): Promise<Recorded | undefined> {
  let current = expiry.inMs > 0 ? work : expire(work, expiry);
  for (let conflicts = 1; ; conflicts++) {
    const { object, message, plan, progress, followed } = current;
    const { resourceVersion = "" } = object.metadata;
    const observed = { ...followed, observedGeneration: message.generation };
    const status = foldStatus(plan, progress, message.conditions, new Date(ports.now()), observed);
    const known = { plan, progress, reason: status.summary.reason, resourceVersion };
    if (hasStatus(message, status)) return { ...known, phase: status.phase };
    const written = await writeUntilTaken(current, status, ports, signal);
    if (written === "gone") return undefined;
    if (written !== "conflict") {
      if ("refusal" in written)
        return { ...known, phase: await giveUp(current, status, written.refusal, ports, signal) };
      await tell(current, status, ports, signal);
      return { ...known, phase: status.phase, resourceVersion: written.resourceVersion };
    }
    if (conflicts > QUICK_CONFLICTS) await pauseMs(backoffMs(conflicts - QUICK_CONFLICTS, RETRY), signal);
    const fresh = await rebase(current, ports, signal);
    if (fresh === undefined) return undefined;
    current = fresh;
  }
}

function expire(work: Work, { afterMs }: Expiry): Work {
  return { ...work, progress: expireProgress(work.plan, work.progress, formatDuration(afterMs)) };
}

/** The same work on the message as it is now: recipients that were added still have to be mailed. */
async function rebase(work: Work, ports: RecordPorts, signal: AbortSignal): Promise<Work | undefined> {
  const object = await untilAnswered(() => ports.messages.get(work.key, signal), ports, signal);
  if (object === undefined || object.metadata.uid !== work.object.metadata.uid) return undefined;
  const message = parseNotificationMessage(object);
  const plan = planDelivery(message);
  const progress = adoptEnds(
    carryProgress(work.plan, plan, work.progress),
    resumeProgress(plan, work.message.conditions),
    resumeProgress(plan, message.conditions),
  );
  return { ...work, object, message, plan, progress };
}

type Written = WriteResult | { refusal: string };

function writeUntilTaken(
  { key, object }: Work,
  status: MessageStatus,
  ports: RecordPorts,
  signal: AbortSignal,
): Promise<Written> {
  const resourceVersion = object.metadata.resourceVersion ?? "";
  return untilAnswered(
    async (): Promise<Written> => {
      try {
        return await ports.messages.writeStatus(key, resourceVersion, status, signal);
      } catch (error) {
        const { code, message } = error as { code?: unknown; message: string };
        if (REFUSALS.includes(code) || TOO_LARGE.test(message)) return { refusal: message };
        throw error;
      }
    },
    ports,
    signal,
  );
}

/** Repeats `request` until it does not reject; no mail is begun meanwhile. */
async function untilAnswered<T>(request: () => Promise<T>, ports: RecordPorts, signal: AbortSignal): Promise<T> {
  let shut = false;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        signal.throwIfAborted();
        if (!shut) ports.recording.shut();
        shut = true;
        const retryInMs = backoffMs(attempt, RETRY);
        const facts = { error: (error as Error).message, retryInMs };
        ports.logger[attempt === 1 ? "warn" : "debug"](facts, "Cannot write status, no mail is begun until it is");
        await pauseMs(retryInMs, signal);
      }
    }
  } finally {
    if (shut) ports.recording.reopen();
  }
}

/**
 * A status that the API server refuses concerns this one message, and the others go on. What was delivered is Done and
 * can be deleted; else nothing more is tried, because what cannot be recorded would be sent again and again.
 */
async function giveUp(
  work: Work,
  status: MessageStatus,
  refusal: string,
  ports: RecordPorts,
  signal: AbortSignal,
): Promise<Phase> {
  ports.logger.error({ status: logStatus(status), error: refusal }, "Cannot write status, the message is given up");
  if (status.phase === "Done") return "Done";
  const brief = briefStatus(status, refusal, new Date(ports.now()));
  const written = await writeUntilTaken(work, brief, ports, signal);
  if (typeof written === "object" && "resourceVersion" in written) await tell(work, brief, ports, signal);
  return "Failed";
}

async function tell(work: Work, status: MessageStatus, ports: RecordPorts, signal: AbortSignal): Promise<void> {
  const level = { Done: "info", Failed: "error", Processing: "warn", Pending: "info" } as const;
  ports.logger[level[status.phase]]({ status: logStatus(status) }, "Update status");
  await announce(work, status, ports, signal);
}

/**
 * One Warning Event for each task and reason for which a message fails, waits or goes out as a fallback mail; those that
 * were told before are not told again.
 */
async function announce(
  { object, message, plan }: Work,
  status: MessageStatus,
  { events, observe }: RecordPorts,
  signal: AbortSignal,
): Promise<void> {
  const refused = new Set(plan.refusals.map(({ taskId, reason }) => `${taskId} ${reason}`));
  const told = new Set(message.conditions.map((condition) => troubleOf(condition)?.name));
  for (const condition of status.conditions) {
    const trouble = troubleOf(condition);
    if (trouble === undefined || told.has(trouble.name)) continue;
    const { uid, method, addresses, message: note = "" } = condition;
    const { reason } = trouble;
    const cause = `${uid} ${reason}`;
    if (!told.has(cause) && (refused.has(cause) || isNoAttempt(reason))) observe.stopped(method, reason);
    told.add(trouble.name).add(cause);
    const to = addresses.length > 0 ? `${addresses.join(", ")}: ` : "";
    await events.record(object, { type: "Warning", reason, note: `${to}${note}` }, signal);
  }
}

/** What a row says that somebody should know, and the name under which it is told once. */
function troubleOf({ uid, status, reason, fallback }: Condition): { name: string; reason: string } | undefined {
  if (status !== "True") return reason === undefined ? undefined : { name: `${uid} ${reason}`, reason };
  return fallback === undefined ? undefined : { name: `${uid} fallback`, reason: fallback };
}

function isNoAttempt(reason: string): boolean {
  const alone: readonly string[] = ["ServerNotConfigured", "Suppressed", "DeadlineExceeded"];
  return alone.includes(reason) || (isReason(reason) && consequenceOf(reason) === "template");
}
