/** Last stage, called by reconcile.ts: outcomes → status, and back again after a restart. Pure. */
import { isDeepStrictEqual } from "node:util";
import type {
  Condition,
  MessageStatus,
  NotificationMessage,
  Observed,
  Phase,
  StatusSummary,
} from "../resources/notification-message.ts";
import { visibleLine } from "../resources/visible.ts";
import { type Plan, type Refusal, type Task, WHOLE_MESSAGE } from "./plan.ts";
import { consequenceOf, isReason, type Reason } from "./reasons.ts";

/** A status is read by people, and etcd takes 1.5 MiB of an object. */
const MAX_MESSAGE_CHARS = 500;

/** Where one recipient of a task stands. */
export interface Outcome {
  reason: Reason;
  message: string;
  /** How often a mail for it was handed to the mail server; 0 where none was begun yet. */
  attempts: number;
  /** This or an earlier attempt may have arrived although nobody said so. */
  uncertain?: true;
  /** What may be tried once more has been. */
  repeated?: true;
  /** The mail server asked for this pause at least before the next attempt. */
  retryInMs?: number;
  /** The mail was the plain one, because of this reason. */
  fallback?: string;
}

/** What one attempt at a task came to for one recipient. */
export interface AttemptOutcome {
  address: string;
  reason: Reason;
  message: string;
  /** Nothing was sent: the template, the Secret or the circuit stood before it. */
  untried?: true;
  retryInMs?: number;
  fallback?: string;
}

/** Task id → address → outcome; a recipient that was never tried has none. */
export type Progress = ReadonlyMap<string, ReadonlyMap<string, Outcome>>;

/** An outcome that no further attempt can change. */
export function isFinal({ reason, repeated }: Outcome): boolean {
  const consequence = consequenceOf(reason);
  return consequence === "delivered" || consequence === "final" || (consequence === "retry-once" && repeated === true);
}

/** The recipients of a task that still have to be tried, in the order of the message. */
export function pendingRecipients(task: Task, progress: Progress): string[] {
  const outcomes = progress.get(task.id);
  return task.recipients.filter((address) => {
    const outcome = outcomes?.get(address);
    return outcome === undefined || !isFinal(outcome);
  });
}

/** `progress` with the outcomes of one more attempt at a task. */
export function addAttempt(progress: Progress, taskId: string, outcomes: AttemptOutcome[]): Progress {
  const earlier = progress.get(taskId);
  const attempted = outcomes.map((outcome): [string, Outcome] => [
    outcome.address,
    followOutcome(earlier?.get(outcome.address), outcome),
  ]);
  return mergeProgress(progress, new Map([[taskId, new Map(attempted)]]));
}

function followOutcome(earlier: Outcome | undefined, outcome: AttemptOutcome): Outcome {
  const { reason, message, untried, retryInMs, fallback } = outcome;
  const handedOver = !untried && consequenceOf(reason) !== "server";
  const attempts = (earlier?.attempts ?? 0) + (handedOver ? 1 : 0);
  const isUncertain = consequenceOf(reason) === "retry-once";
  // Whatever came between: a server that is lost each time after the final dot must not mail without end.
  const repeated = isUncertain && earlier?.uncertain === true;
  const cut = shorten(message, MAX_MESSAGE_CHARS);
  const told = { reason, message: cut, attempts, ...(fallback !== undefined && { fallback }) };
  const uncertain = isUncertain || earlier?.uncertain === true;
  return {
    ...told,
    ...(uncertain && { uncertain }),
    ...(repeated && { repeated }),
    ...(retryInMs !== undefined && { retryInMs }),
  };
}

/** Both together; where both know a recipient, what `later` says. */
export function mergeProgress(earlier: Progress, later: Progress): Progress {
  const merged = new Map(earlier);
  for (const [taskId, outcomes] of later) merged.set(taskId, new Map([...(earlier.get(taskId) ?? []), ...outcomes]));
  return merged;
}

/**
 * `own`, but where somebody else has recorded an end since `base` was read: another replica, which has this message now.
 * It stays, or what was delivered would be sent again; only that a mail has arrived is news to it.
 */
export function adoptEnds(own: Progress, base: Progress, recorded: Progress): Progress {
  const ends = [...recorded].map(([taskId, outcomes]) => {
    const isNews = ([address, outcome]: [string, Outcome]) =>
      isFinal(outcome) &&
      own.get(taskId)?.get(address)?.reason !== "Delivered" &&
      !isDeepStrictEqual(outcome, base.get(taskId)?.get(address));
    return [taskId, new Map([...outcomes].filter(isNews))] as const;
  });
  return mergeProgress(mergeProgress(recorded, own), new Map(ends));
}

/** What of `progress` under the plan `before` holds under `after`: a task with another content is to be mailed anew. */
export function carryProgress(before: Plan, after: Plan, progress: Progress): Progress {
  const hashes = new Map(before.tasks.map(({ id, contentHash }) => [id, contentHash]));
  const same = after.tasks.filter(({ id, contentHash }) => hashes.get(id) === contentHash);
  return new Map(same.map(({ id }) => [id, progress.get(id) ?? new Map()]));
}

/** What an earlier run of the service recorded, so that a restart goes on at the first recipient not yet mailed. */
export function resumeProgress(plan: Plan, conditions: Condition[]): Progress {
  const progress = new Map<string, Map<string, Outcome>>();
  for (const task of plan.tasks) {
    const outcomes = new Map<string, Outcome>();
    for (const condition of conditions) {
      if (condition.uid !== task.id || !isReason(condition.reason)) continue;
      if (condition.contentHash !== undefined && condition.contentHash !== task.contentHash) continue;
      const { reason, message = "", retryTimes = -1, addresses, status, fallback } = condition;
      const isUncertain = consequenceOf(reason) === "retry-once";
      const uncertain = isUncertain || condition.uncertain === true;
      const repeated = isUncertain && status === "False";
      const known = { reason, message, attempts: retryTimes + 1, ...(fallback !== undefined && { fallback }) };
      const outcome: Outcome = { ...known, ...(uncertain && { uncertain }), ...(repeated && { repeated }) };
      for (const address of addresses) outcomes.set(address, outcome);
    }
    if (outcomes.size > 0) progress.set(task.id, outcomes);
  }
  return progress;
}

/** `progress` with everything that still waits turned into `DeadlineExceeded`, the last reason kept in its message. */
export function expireProgress(plan: Plan, progress: Progress, waited: string): Progress {
  return new Map(
    plan.tasks.map((task) => {
      const outcomes = new Map(progress.get(task.id) ?? []);
      for (const address of pendingRecipients(task, progress)) {
        const last = outcomes.get(address);
        const why = last === undefined ? "it was never tried" : `the last reason was ${last.reason}: ${last.message}`;
        const message = `gave up after ${waited}; ${why}`;
        outcomes.set(address, { reason: "DeadlineExceeded", message, attempts: last?.attempts ?? 0 });
      }
      return [task.id, outcomes];
    }),
  );
}

/**
 * The status of a message: one condition for each task and outcome. `lastTransitionTime` stays as `previous` has it
 * where the condition's status did not change (Kubernetes API conventions).
 */
export function foldStatus(
  plan: Plan,
  progress: Progress,
  previous: Condition[],
  now: Date,
  observed: Observed = {},
): MessageStatus {
  const rows = [
    ...plan.tasks.flatMap((task) => taskConditions(task, progress.get(task.id) ?? new Map())),
    ...plan.refusals.map(refusalCondition),
  ];
  const conditions = rows.map((row) => ({ ...row, lastTransitionTime: transitionTime(row, previous, now) }));
  const phase = phaseOf(plan, progress);
  return { conditions, phase, summary: summaryOf(plan, progress, phase, conditions), ...observed };
}

function summaryOf(plan: Plan, progress: Progress, phase: Phase, conditions: Condition[]): StatusSummary {
  const outcomes = plan.tasks.flatMap((task) => task.recipients.map((address) => progress.get(task.id)?.get(address)));
  const refused = plan.refusals.reduce((count, { addresses }) => count + addresses.length, 0);
  const delivered = outcomes.filter((outcome) => outcome?.reason === "Delivered").length;
  const lost = plan.refusals.length > 0 || outcomes.some((o) => o && o.reason !== "Delivered" && isFinal(o));
  const ready = phase === "Done" ? "True" : lost ? "False" : "Unknown";
  const reason = conditions.find(({ status }) => status !== "True")?.reason ?? (phase === "Done" ? "Delivered" : "");
  return { ready, recipients: `${delivered}/${outcomes.length + refused}`, reason };
}

/** The status as the guide's log line shows it: the guide's fields alone where mail was delivered, else with the why. */
export function logStatus({ conditions, phase }: MessageStatus): object {
  const shown = conditions.map(({ method, addresses, type, status, reason, message, fallback }) => ({
    method,
    addresses,
    type,
    status,
    ...((status !== "True" || fallback !== undefined) && { reason, message }),
  }));
  return { conditions: shown, phase };
}

function phaseOf(plan: Plan, progress: Progress): Phase {
  if (plan.tasks.some((task) => pendingRecipients(task, progress).length > 0)) return "Processing";
  const allDelivered = plan.tasks.every((task) =>
    task.recipients.every((address) => progress.get(task.id)?.get(address)?.reason === "Delivered"),
  );
  return allDelivered && plan.refusals.length === 0 && plan.tasks.length > 0 ? "Done" : "Failed";
}

/** Recipients of a task that share reason, message and attempts share a condition. */
function taskConditions(task: Task, outcomes: ReadonlyMap<string, Outcome>): Condition[] {
  const groups = new Map<string, { outcome: Outcome | undefined; addresses: string[] }>();
  for (const address of task.recipients) {
    const outcome = outcomes.get(address);
    const key = JSON.stringify(outcome ?? null);
    const group = groups.get(key) ?? { outcome, addresses: [] };
    group.addresses.push(address);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ outcome, addresses }) => ({
    method: task.method,
    addresses,
    type: "Ready",
    status: outcome === undefined ? "Unknown" : statusOf(outcome),
    notification: task.notification,
    uid: task.id,
    contentHash: task.contentHash,
    ...(outcome && { reason: outcome.reason, message: outcome.message }),
    ...(outcome?.fallback !== undefined && { fallback: outcome.fallback }),
    ...(outcome?.uncertain && { uncertain: true }),
    ...(outcome && outcome.attempts > 0 && { retryTimes: outcome.attempts - 1 }),
  }));
}

function refusalCondition({ taskId, notification, method, addresses, reason, message: told }: Refusal): Condition {
  const message = shorten(told, MAX_MESSAGE_CHARS);
  return { method, addresses, type: "Ready", status: "False", notification, uid: taskId, reason, message };
}

/** `Unknown` as long as it is tried, so that a row's last transition is when it came to its end. */
function statusOf(outcome: Outcome): Condition["status"] {
  if (outcome.reason === "Delivered") return "True";
  return isFinal(outcome) ? "False" : "Unknown";
}

/** Whether `message` already has this status: writing it again would only wake everybody who watches. */
export function hasStatus(message: NotificationMessage, status: MessageStatus): boolean {
  const known = ({
    phase,
    conditions,
    observedGeneration,
    observedRetry,
    restartedAt,
  }: typeof status | typeof message) => [phase, conditions, observedGeneration, observedRetry, restartedAt];
  return isDeepStrictEqual(known(message), known(status));
}

/** The least that can be said of a message whose full status the API server refuses, too large for one. */
export function briefStatus({ summary, ...status }: MessageStatus, why: string, now: Date): MessageStatus {
  const message = shorten(`the API server refuses the status, so that no more is tried: ${why}`, MAX_MESSAGE_CHARS);
  const reason: Reason = "SubscriptionInvalid";
  const row = { method: "", addresses: [], type: "Ready" as const, status: "False" as const, uid: WHOLE_MESSAGE };
  const condition: Condition = { ...row, reason, message, lastTransitionTime: formatTime(now) };
  return { ...status, conditions: [condition], phase: "Failed", summary: { ...summary, ready: "False", reason } };
}

/** `text` as one line, cut where it is longer than `max` characters. */
function shorten(text: string, max: number): string {
  return visibleLine(text.length > max ? `${text.slice(0, max - 1)}…`.toWellFormed() : text);
}

/** RFC 3339 in UTC and whole seconds, as Kubernetes writes times. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

function transitionTime(row: Condition, previous: Condition[], now: Date): string {
  const same = previous.find(
    ({ uid, status, addresses }) =>
      uid === row.uid && status === row.status && addresses.join("\n") === row.addresses.join("\n"),
  );
  return same?.lastTransitionTime ?? formatTime(now);
}
