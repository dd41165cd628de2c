/** What has become of each recipient so far: of attempts, and of what a status says after a restart. Pure; status.ts folds it. */
import { isDeepStrictEqual } from "node:util";
import type { Condition } from "../resources/notification-message.ts";
import type { Plan, Task } from "./plan.ts";
import { consequenceOf, isReason, type Reason } from "./reasons.ts";
import { shortMessage } from "./short-message.ts";

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
  const cut = shortMessage(message);
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
