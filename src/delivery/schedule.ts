/** When a message that is not finished is tried again, called by reconcile.ts. Pure but for the jitter. */
import { backoffMs } from "../control/backoff.ts";
import type { Plan } from "./plan.ts";
import { type Outcome, type Progress, pendingRecipients } from "./progress.ts";
import { consequenceOf } from "./reasons.ts";

/** What a parked message waits for: the mail server, or a template (`template/<namespace>/<name>`). */
export type Topic = "server" | `template/${string}`;

export function templateTopic(namespace: string, name: string): Topic {
  return `template/${namespace}/${name}`;
}

export interface Wait {
  topics: Topic[];
  /** Tried again after this time whatever happens; absent where only a topic can help. */
  retryInMs?: number;
}

const RETRY = { firstMs: 1000, capMs: 5 * 60_000 };
/** A watch tells of a mended template; this is for the case that it did not. Seldom: 100,000 may wait for one template. */
const TEMPLATE_FALLBACK_MS = 60 * 60_000;

/** What the unfinished recipients of a message wait for. */
export function planWait(plan: Plan, progress: Progress, namespace: string, random?: () => number): Wait {
  const topics = new Set<Topic>();
  let retryInMs = Number.POSITIVE_INFINITY;
  for (const task of plan.tasks) {
    for (const address of pendingRecipients(task, progress)) {
      const outcome: Outcome | undefined = progress.get(task.id)?.get(address);
      const consequence = outcome === undefined ? "retry" : consequenceOf(outcome.reason);
      if (consequence === "server") topics.add("server");
      else if (consequence === "template") {
        topics.add(templateTopic(namespace, task.template));
        retryInMs = Math.min(retryInMs, TEMPLATE_FALLBACK_MS);
      } else {
        const backoff = backoffMs(outcome?.attempts ?? 1, RETRY, random);
        retryInMs = Math.min(retryInMs, Math.max(backoff, outcome?.retryInMs ?? 0));
      }
    }
  }
  return { topics: [...topics], ...(Number.isFinite(retryInMs) && { retryInMs }) };
}
