/** Last stage, called by record.ts: progress → status. Pure; progress.ts is the way back. */
import { isDeepStrictEqual } from "node:util";
import type {
  Condition,
  MessageStatus,
  NotificationMessage,
  Observed,
  Phase,
  StatusSummary,
} from "../resources/notification-message.ts";
import { type Plan, type Refusal, type Task, WHOLE_MESSAGE } from "./plan.ts";
import { isFinal, type Outcome, type Progress, pendingRecipients } from "./progress.ts";
import type { Reason } from "./reasons.ts";
import { shortMessage } from "./short-message.ts";

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
  const message = shortMessage(told);
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
  const message = shortMessage(`the API server refuses the status, so that no more is tried: ${why}`);
  const reason: Reason = "SubscriptionInvalid";
  const row = { method: "", addresses: [], type: "Ready" as const, status: "False" as const, uid: WHOLE_MESSAGE };
  const condition: Condition = { ...row, reason, message, lastTransitionTime: formatTime(now) };
  return { ...status, conditions: [condition], phase: "Failed", summary: { ...summary, ready: "False", reason } };
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
