/** When a message that was worked on before is begun anew, called by reconcile.ts. Pure. */
import type { NotificationMessage } from "../resources/notification-message.ts";
import { WHOLE_MESSAGE } from "./plan.ts";
import type { Outcome, Progress } from "./progress.ts";
import { formatTime } from "./status.ts";

/**
 * - `retry`: a person asks for it, by a value of the retry annotation that was not followed yet;
 * - `edit`: the spec was changed after the message had come to its end.
 */
export type Restart = "retry" | "edit";

/** Whether, and why, `message` is begun anew. */
export function restartOf(message: NotificationMessage): Restart | undefined {
  const { phase, requests, generation, observedGeneration, observedRetry } = message;
  const isEnded = phase === "Failed" || phase === "Done";
  if (isEnded && observedGeneration !== undefined && generation !== observedGeneration) return "edit";
  const isAsked = requests.retry !== undefined && requests.retry !== observedRetry;
  return isAsked && phase !== undefined && phase !== "Done" && !isWholeRefused(message) ? "retry" : undefined;
}

/** What an attempt follows, and its status says of it, whatever people ask while it is under way. */
export type Followed = Pick<NotificationMessage, "observedRetry" | "restartedAt">;

/** What the attempt that begins now follows. */
export function followedBy(message: NotificationMessage, restart: Restart | undefined, now: Date): Followed {
  const observedRetry = message.requests.retry ?? message.observedRetry;
  const restartedAt = restart === undefined ? message.restartedAt : formatTime(now);
  return {
    ...(observedRetry !== undefined && { observedRetry }),
    ...(restartedAt !== undefined && { restartedAt }),
  };
}

/** `progress` with everything but what was delivered to be tried again; the attempts so far still count. */
export function reopen(progress: Progress): Progress {
  const reopened = (outcome: Outcome): Outcome =>
    outcome.reason === "Delivered"
      ? outcome
      : { reason: "TemporaryFailure", message: "is to be sent again", attempts: outcome.attempts };
  return new Map(
    [...progress].map(([taskId, outcomes]) => [
      taskId,
      new Map([...outcomes].map(([address, outcome]) => [address, reopened(outcome)])),
    ]),
  );
}

/**
 * Nothing but an edit helps such a message; and where it was given up because its status was too large to be written,
 * nobody knows any more who has the mail.
 */
function isWholeRefused({ conditions }: NotificationMessage): boolean {
  return conditions.some(({ uid }) => uid === WHOLE_MESSAGE);
}
