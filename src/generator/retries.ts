import { setTimeout as pause } from "node:timers/promises";
import { backoffMs } from "../control/backoff.ts";
import type { Logger } from "../observe/logger.ts";
import type { FailureRecord } from "./failure-record.ts";
import type { OnceMade } from "./once-made.ts";
import type { PolicyRule } from "./reach.ts";
import { type ChangeRequest, triggerKey } from "./request.ts";
import type { Policy } from "./rule-model.ts";
import type { TargetFailure } from "./target-failure.ts";
import { updateRequestName } from "./update-request.ts";

const MAX_TRIES = 5;
const BACKOFF = { firstMs: 1_000, capMs: 60_000 };
const MAX_RETRYING = 1_000;

/** A rule, and the change for which it does something. */
export interface Occasion {
  subject: PolicyRule;
  request: ChangeRequest;
}

/** Something to do in the cluster, again where it fails. */
export interface Work extends Occasion {
  verb: "create" | "delete" | "evaluate";
  /** As logs name it; "" while it is not known. */
  target: string;
  attempt(): Promise<TargetFailure | undefined>;
}

/** What works are handed to. Rejects only when `signal` aborts. */
export interface Doer {
  do(work: Work, signal: AbortSignal): Promise<void>;
  /** Something newer takes the place of what is still to be tried again for the rule and, if given, the trigger. */
  drop(subject: PolicyRule, triggerUid: string | undefined, signal: AbortSignal): Promise<void>;
}

export interface RetriesOptions {
  failures: FailureRecord;
  once: OnceMade;
  logger: Logger;
  /** Whether the policy still runs as it is: what is to be made for one that was edited or deleted is not made any more. */
  isCurrent(policy: Policy): boolean;
}

interface Retrying {
  work: Work;
  ended: AbortController;
  done: Promise<void>;
}

/** Does what fails again: a bounded number of times, beside the events that follow. Each failure is told at once. */
export class Retries implements Doer {
  readonly #options: RetriesOptions;
  readonly #retrying = new Set<Retrying>();

  constructor(options: RetriesOptions) {
    this.#options = options;
  }

  /** Resolves after the first try. */
  async do(work: Work, signal: AbortSignal): Promise<void> {
    const failure = await this.#options.once.attempt(work);
    if (failure === undefined) return;
    await this.#tell(work, failure, 1, signal);
    if (!failure.retry || this.#retrying.size >= MAX_RETRYING) return;
    const ended = new AbortController();
    const retrying: Retrying = { work, ended, done: Promise.resolve() };
    this.#retrying.add(retrying);
    retrying.done = this.#retry(work, failure, signal, ended.signal)
      .catch((error: unknown) => {
        if (!signal.aborted && !ended.signal.aborted) throw error;
      })
      .finally(() => this.#retrying.delete(retrying));
  }

  async drop({ policy, rule }: PolicyRule, triggerUid: string | undefined, signal: AbortSignal): Promise<void> {
    for (const { work, ended } of [...this.#retrying]) {
      const { subject, request } = work;
      const isSameRule = subject.policy.namespace === policy.namespace && subject.policy.name === policy.name;
      if (!isSameRule || subject.rule.name !== rule.name) continue;
      if (triggerUid !== undefined && request.object.metadata.uid !== triggerUid) continue;
      ended.abort();
      await this.#options.failures.resolved(work, signal);
    }
  }

  /** Whether that of which an UpdateRequest tells waits to be tried again. */
  includes(requestName: string): boolean {
    const { isCurrent } = this.#options;
    const waits = ({ work }: Retrying) => work.verb === "delete" || isCurrent(work.subject.policy);
    return [...this.#retrying].some((each) => updateRequestName(each.work) === requestName && waits(each));
  }

  /** Resolves when no retry is under way, be it of all or of one change. */
  async settled(request?: ChangeRequest): Promise<void> {
    const open = () => [...this.#retrying].filter(({ work }) => request === undefined || work.request === request);
    while (this.#retrying.size > 0 && open().length > 0) await Promise.all(open().map(({ done }) => done));
  }

  async #retry(work: Work, first: TargetFailure, signal: AbortSignal, ended: AbortSignal): Promise<void> {
    let failure = first;
    for (let tries = 2; tries <= MAX_TRIES; tries += 1) {
      const delayMs = Math.max(failure.retryAfterMs, backoffMs(tries - 1, BACKOFF));
      await pause(delayMs, undefined, { signal: AbortSignal.any([signal, ended]) });
      if (work.verb !== "delete" && !this.#options.isCurrent(work.subject.policy)) return;
      const next = await this.#options.once.attempt(work);
      if (next === undefined) return this.#options.failures.resolved(work, signal);
      failure = next;
      await this.#tell(work, failure, tries, signal);
      if (!failure.retry) return;
    }
  }

  async #tell(work: Work, failure: TargetFailure, tries: number, signal: AbortSignal): Promise<void> {
    const { subject, request, target, verb } = work;
    const willRetry = failure.retry && tries < MAX_TRIES;
    const facts = { ...factsOf(subject, request), error: failure.message, tries, willRetry };
    if (verb === "evaluate") this.#options.logger.error(facts, "rule failed");
    else this.#options.logger.error({ target, ...facts }, `failed to ${verb} generate target resource`);
    await this.#options.failures.failed(work, failure.message, tries, signal);
  }
}

/** What every line about a rule and an event carries. */
export function factsOf({ policy, rule }: PolicyRule, request: ChangeRequest): Record<string, string> {
  const name = policy.namespace === "" ? policy.name : `${policy.namespace}/${policy.name}`;
  return { policy: name, rule: rule.name, trigger: triggerKey(request), operation: request.operation };
}
