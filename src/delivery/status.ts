/** Last stage, called by reconcile.ts: outcomes → status, and back again after a restart. Pure. */
import type { Condition, MessageStatus, Phase, StatusSummary } from "../resources/notification-message.ts";
import type { Plan, Refusal, Task } from "./plan.ts";
import { consequenceOf, isReason, type Reason } from "./reasons.ts";

/** Where one recipient of a task stands. */
export interface Outcome {
  reason: Reason;
  message: string;
  /** How often it has been tried. */
  attempts: number;
}

/** Task id → address → outcome; a recipient that was never tried has none. */
export type Progress = ReadonlyMap<string, ReadonlyMap<string, Outcome>>;

/** An outcome that no further attempt can change. */
export function isFinal({ reason, attempts }: Outcome): boolean {
  const consequence = consequenceOf(reason);
  return consequence === "delivered" || consequence === "final" || (consequence === "retry-once" && attempts >= 2);
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
export function addAttempt(
  progress: Progress,
  taskId: string,
  outcomes: { address: string; reason: Reason; message: string }[],
): Progress {
  const previous = progress.get(taskId);
  const attempted = outcomes.map(({ address, reason, message }): [string, Outcome] => {
    const attempts = (previous?.get(address)?.attempts ?? 0) + 1;
    return [address, { reason, message, attempts }];
  });
  return new Map([...progress, [taskId, new Map([...(previous ?? []), ...attempted])]]);
}

/** What an earlier run of the service recorded, so that a restart goes on at the first recipient not yet mailed. */
export function resumeProgress(plan: Plan, conditions: Condition[]): Progress {
  const progress = new Map<string, Map<string, Outcome>>();
  for (const task of plan.tasks) {
    const outcomes = new Map<string, Outcome>();
    for (const condition of conditions) {
      if (condition.uid !== task.id || !isReason(condition.reason)) continue;
      const { reason, message = "", retryTimes = 0, addresses } = condition;
      for (const address of addresses) outcomes.set(address, { reason, message, attempts: retryTimes + 1 });
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
        outcomes.set(address, { reason: "DeadlineExceeded", message, attempts: last?.attempts ?? 1 });
      }
      return [task.id, outcomes];
    }),
  );
}

/**
 * The status of a message: one condition for each task and outcome. `lastTransitionTime` stays as `previous` has it
 * where the condition's status did not change (Kubernetes API conventions).
 */
export function foldStatus(plan: Plan, progress: Progress, previous: Condition[], now: Date): MessageStatus {
  const rows = [
    ...plan.tasks.flatMap((task) => taskConditions(task, progress.get(task.id) ?? new Map())),
    ...plan.refusals.map(refusalCondition),
  ];
  const conditions = rows.map((row) => ({ ...row, lastTransitionTime: transitionTime(row, previous, now) }));
  const phase = phaseOf(plan, progress);
  return { conditions, phase, summary: summaryOf(plan, progress, phase, conditions) };
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
  const shown = conditions.map(({ method, addresses, type, status, reason, message }) => ({
    method,
    addresses,
    type,
    status,
    ...(status !== "True" && { reason, message }),
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
    status: outcome === undefined ? "Unknown" : statusOf(outcome.reason),
    notification: task.notification,
    uid: task.id,
    ...(outcome && { reason: outcome.reason, message: outcome.message, retryTimes: outcome.attempts - 1 }),
  }));
}

function refusalCondition({ taskId, notification, method, addresses, reason, message }: Refusal): Condition {
  return { method, addresses, type: "Ready", status: "False", notification, uid: taskId, reason, message };
}

function statusOf(reason: Reason): Condition["status"] {
  if (reason === "Delivered") return "True";
  return reason === "OutcomeUnknown" ? "Unknown" : "False";
}

function transitionTime(row: Condition, previous: Condition[], now: Date): string {
  const same = previous.find(
    ({ uid, status, addresses }) =>
      uid === row.uid && status === row.status && addresses.join("\n") === row.addresses.join("\n"),
  );
  return same?.lastTransitionTime ?? now.toISOString().replace(/\.\d+Z$/, "Z");
}
