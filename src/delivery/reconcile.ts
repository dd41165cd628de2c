/** The story of one message: plan → render → send → record → consume. Called by controller.ts for each key. */

import type { Logger } from "../observe/logger.ts";
import { type NotificationMessage, parseNotificationMessage } from "../resources/notification-message.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import type { Admission } from "./admission.ts";
import { fallbackTimeMs } from "./fallback.ts";
import { type Plan, planDelivery, type Task } from "./plan.ts";
import type { MessageKey } from "./ports.ts";
import { type Occasion, type PreparePorts, prepareMail, tellFallback } from "./prepare.ts";
import { type AttemptOutcome, addAttempt, type Progress, pendingRecipients, resumeProgress } from "./progress.ts";
import { type RecordPorts, record } from "./record.ts";
import { type Followed, followedBy, reopen, restartOf } from "./restart.ts";
import { planWait, type Wait } from "./schedule.ts";
import { type SendPorts, sendTask, untriedForAll } from "./send.ts";

type OwnPorts = "permit" | "assertHeld" | "admit" | "giveBack";

export interface ReconcilePorts extends Omit<SendPorts, OwnPorts>, RecordPorts, PreparePorts {
  admission: Admission;
  /** Whether the message has been this process' ever since the work on it began. */
  isHeld(): boolean;
  logger: Logger;
  observe: DeliveryObserver;
}

/** What the metrics are told. */
export interface DeliveryObserver {
  received(): void;
  /** A mail was begun for one recipient, and this became of it. */
  attempted(method: string, reason: string): void;
  /** A message waits or fails for a reason that stood before any mail; told once. */
  stopped(method: string, reason: string): void;
  finished(phase: "Done" | "Failed", secondsSinceCreation: number): void;
}

/** The message has become another replica's: what is known of it is still recorded, and nothing more is sent. */
export class ShardLost extends Error {
  constructor() {
    super("Cannot go on with the message: another replica may have it now");
  }
}

export interface ReconcileOptions {
  /** A message that waited longer than this from its creation, or since it was begun anew, is given up. */
  deadlineMs: number;
  /** How long a Failed message stays before it is deleted. */
  failedRetentionMs: number;
}

/** What is to happen with the key next. */
export type Verdict =
  | { kind: "gone" }
  | { kind: "failed"; removeInMs: number }
  /** `deadlineInMs`: when it is tried again in any case, because a time ends for it. */
  | { kind: "waiting"; wait: Wait; reason: string; deadlineInMs: number };

const GONE: Verdict = { kind: "gone" };
/** Somebody changed the message while it was to be deleted: it is read and judged again. */
const CHANGED: Verdict = {
  kind: "waiting",
  wait: { topics: [], retryInMs: 250 },
  reason: "Delivered",
  deadlineInMs: Number.POSITIVE_INFINITY,
};

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
  const restart = restartOf(message);
  if (restart === undefined) {
    if (message.phase === "Done") return consume(key, object, ports, signal); // recorded before a crash, not yet deleted
    if (message.phase === "Failed") return retire(key, object, message, ports, options, signal);
  }

  const logged = { ...ports, logger: ports.logger.child({ message: formatKey(key) }) };
  if (restart !== undefined) logged.logger.info({ because: restart }, "Begin anew");
  const followed = followedBy(message, restart, new Date(ports.now()));
  const plan = planDelivery(message);
  const resumed = resumeProgress(plan, message.conditions);
  const earlier = restart === undefined ? resumed : reopen(resumed);
  const deadlineAtMs = startedMs(object, followed, ports.now()) + options.deadlineMs;
  const fallbackAtMs = deadlineAtMs - fallbackTimeMs(options.deadlineMs);
  const occasion = { object, message, isLate: ports.now() >= fallbackAtMs };
  const progress = await attemptTasks(occasion, plan, earlier, logged, signal);
  const expires = { inMs: deadlineAtMs - ports.now(), afterMs: options.deadlineMs };
  const recorded = await record({ key, object, message, plan, progress, followed }, expires, logged, signal);
  if (recorded === undefined) return GONE;
  if (recorded.phase === "Done") return consume(key, withVersion(object, recorded.resourceVersion), ports, signal);
  if (recorded.phase === "Failed") {
    ports.observe.finished("Failed", ageSeconds(object, ports.now()));
    return { kind: "failed", removeInMs: options.failedRetentionMs };
  }
  const wait = planWait(recorded.plan, recorded.progress, key.namespace);
  const nextAtMs = occasion.isLate ? deadlineAtMs : fallbackAtMs;
  return { kind: "waiting", wait, reason: recorded.reason, deadlineInMs: nextAtMs - ports.now() };
}

async function attemptTasks(
  occasion: Occasion,
  plan: Plan,
  earlier: Progress,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<Progress> {
  const open = plan.tasks.filter((task) => pendingRecipients(task, earlier).length > 0);
  ports.logger.info({ tasks: open.length }, "Try to exec");
  let progress = earlier;
  try {
    for (const task of open) {
      for await (const outcomes of attemptTask(occasion, task, progress, ports, signal)) {
        for (const { reason, untried } of outcomes) if (!untried) ports.observe.attempted(task.method, reason);
        progress = addAttempt(progress, task.id, outcomes);
      }
    }
  } catch (error) {
    if (!(error instanceof ShardLost) || progress === earlier) throw error;
  }
  return progress;
}

/**
 * Yields the outcomes of each mail as it ends. A bug in one task is an outcome too: thrown, it would lose what is known
 * of the mails before it, and they would be sent again with every new try.
 */
async function* attemptTask(
  occasion: Occasion,
  task: Task,
  progress: Progress,
  ports: ReconcilePorts,
  signal: AbortSignal,
): AsyncGenerator<AttemptOutcome[]> {
  const left = new Set(pendingRecipients(task, progress));
  const refused = [...left].flatMap((address) => {
    const why = ports.admission.refuse(address);
    return why === undefined ? [] : untriedForAll([address], "Suppressed", why);
  });
  for (const { address } of refused) left.delete(address);
  if (refused.length > 0) yield refused;
  if (left.size === 0) return;
  try {
    const prepared = prepareMail(occasion, task, [...left], ports);
    if ("untried" in prepared) return yield prepared.untried;
    const { draft, server, fallback } = prepared;
    const assertHeld = () => {
      if (!ports.isHeld()) throw new ShardLost();
    };
    const permit = async (abort: AbortSignal) => {
      await ports.recording.pass(abort);
      assertHeld();
    };
    const allowance = allowanceOf(occasion.object, task, progress, ports.admission);
    const sendPorts = { ...ports, permit, assertHeld, ...allowance };
    for await (const outcomes of sendTask(draft, server, sendPorts, signal)) {
      for (const { address } of outcomes) left.delete(address);
      yield fallback === undefined ? outcomes : tellFallback(outcomes, fallback);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ShardLost) throw error; // what another replica goes on with is not ours to judge
    ports.logger.error({ task: task.id, error }, "Cannot attempt task: a bug in courier");
    const told = `courier itself failed: ${(error as Error).message}`;
    yield [...left].map((address) => ({ address, reason: "TemporaryFailure", message: told }));
  }
}

/** A mail that was handed over before, and is tried again, was counted then. */
function allowanceOf({ metadata }: KubeObject, task: Task, progress: Progress, admission: Admission) {
  const { namespace = "" } = metadata;
  const isCounted = (address: string) => (progress.get(task.id)?.get(address)?.attempts ?? 0) > 0;
  return {
    admit: (address: string) => (isCounted(address) ? undefined : admission.take(namespace, address)),
    giveBack(address: string) {
      if (!isCounted(address)) admission.giveBack(namespace, address);
    },
  };
}

async function consume(
  key: MessageKey,
  object: KubeObject,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<Verdict> {
  const removed = await ports.messages.remove(key, object.metadata.resourceVersion ?? "", signal);
  if (removed === "conflict") return CHANGED;
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
  const failedAt = Math.max(startedMs(object, message, ports.now()), ...times.filter(Number.isFinite));
  const removeInMs = failedAt + failedRetentionMs - ports.now();
  if (removeInMs > 0) return { kind: "failed", removeInMs };
  const removed = await ports.messages.remove(key, object.metadata.resourceVersion ?? "", signal);
  return removed === "conflict" ? CHANGED : GONE;
}

function withVersion(object: KubeObject, resourceVersion: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

/** From when on the deadline counts. */
function startedMs(object: KubeObject, { restartedAt = "" }: Followed, nowMs: number): number {
  const restarted = Date.parse(restartedAt);
  return Number.isFinite(restarted) ? restarted : createdMs(object, nowMs);
}

function createdMs({ metadata }: KubeObject, fallback: number): number {
  const created = Date.parse(metadata.creationTimestamp ?? "");
  return Number.isFinite(created) ? created : fallback;
}

function ageSeconds(object: KubeObject, nowMs: number): number {
  return (nowMs - createdMs(object, nowMs)) / 1000;
}
