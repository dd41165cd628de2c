import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { ChangeQueue } from "./change-queue.ts";
import { messageOf } from "./errors.ts";
import type { FailureRecord } from "./failure-record.ts";
import type { OnceMade } from "./once-made.ts";
import { OneTry } from "./one-try.ts";
import { isApiError } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { Doer, Retries } from "./retries.ts";
import type { Policy } from "./rule-model.ts";
import type { SourceSet } from "./source-set.ts";
import type { FailedRequest } from "./update-request.ts";

export interface FailedRequestsOptions {
  everyMs: number;
  failures: FailureRecord;
  retries: Pick<Retries, "includes">;
  once: OnceMade;
  sources: SourceSet;
  queue: ChangeQueue;
  logger: Logger;
  /** Takes one rule through one change; what it does goes through `doer`. */
  process(subject: PolicyRule, request: ChangeRequest, doer: Doer, signal: AbortSignal): Promise<void>;
}

/**
 * Tries again what failed for good: the UpdateRequests in state Failed are the list of it, which outlives a restart. Often
 * somebody has given a right, installed a kind or corrected the policy since. What succeeds, and what nobody wants any more, goes.
 */
export class FailedRequests {
  readonly #options: FailedRequestsOptions;
  readonly #signal: AbortSignal;
  #pass: Promise<void> | undefined;
  #passedAt = Number.NEGATIVE_INFINITY;
  #passed = new Set<Policy>();
  #told = "";

  constructor(options: FailedRequestsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * Begins a pass over the list when one is due: a policy is new or edited, or a while has gone by.
   * @param ready the policies whose sources are known @param exists whether a policy of this reference is there at all
   */
  start(ready: readonly Policy[], exists: (reference: string) => boolean): void {
    const isDue = performance.now() - this.#passedAt >= this.#options.everyMs;
    if (this.#pass !== undefined || !(isDue || ready.some((policy) => !this.#passed.has(policy)))) return;
    this.#passed = new Set(ready);
    this.#passedAt = performance.now();
    this.#pass = this.#retryAll(ready, exists).finally(() => {
      this.#pass = undefined;
    });
  }

  /** Resolves when no pass is under way. */
  async idle(): Promise<void> {
    await this.#pass;
  }

  async #retryAll(ready: readonly Policy[], exists: (reference: string) => boolean): Promise<void> {
    try {
      for await (const failed of this.#options.failures.unresolved(this.#signal)) {
        const policy = ready.find((each) => referenceOf(each) === failed.policy);
        if (policy !== undefined) await this.#retry(policy, failed);
        else if (!exists(failed.policy) && !failed.deleteDownstream) await this.#giveUp(failed, "its policy is gone");
      }
    } catch (error) {
      const isAbsent = isApiError(error) && error.code === 404; // its CRD is not installed: there is no list
      const message = messageOf(error);
      if (this.#signal.aborted || isAbsent || message === this.#told) return;
      this.#told = message;
      this.#options.logger.warn({ error: message }, "cannot read the UpdateRequests of failures");
    }
  }

  async #retry(policy: Policy, failed: FailedRequest): Promise<void> {
    const { retries, queue, failures, process } = this.#options;
    if (retries.includes(failed.name)) return;
    const rule = policy.rules.find(({ name }) => name === failed.rule);
    if (rule === undefined) return this.#giveUp(failed, "its rule is gone");
    const request = this.#requestOf(failed, rule.synchronize);
    if (request === undefined) return this.#giveUp(failed, "the object that triggered it is gone");
    await queue.run(failed.trigger.uid, async () => {
      const tried = new OneTry(failed.target, this.#options.once);
      await process({ policy, rule }, request, tried, this.#signal);
      const failure = await tried.finish();
      if (failure === undefined) await failures.remove(failed.name, this.#signal);
      else await failures.failedAgain(failed, failure.message, this.#signal);
    });
  }

  /** A rule that synchronizes goes by the object as it is now: nothing that was there before may come back. */
  #requestOf({ trigger, operation, objects }: FailedRequest, isSynchronized: boolean): ChangeRequest | undefined {
    const isOfType = ({ kind, apiVersion }: { kind: string; apiVersion: string }) =>
      kind === trigger.kind && apiVersion === trigger.apiVersion;
    const sources = this.#options.sources.all();
    const source = sources.find(({ type }) => isOfType({ kind: type.kind, apiVersion: apiVersionOf(type) }));
    if (source === undefined) return undefined;
    const { type } = source;
    if (objects !== undefined && (!isSynchronized || operation === "DELETE")) return { operation, type, ...objects };
    const object = source.latest(trigger.uid);
    return object && { operation, type, object, oldObject: objects?.oldObject };
  }

  async #giveUp({ name, policy, rule }: FailedRequest, because: string): Promise<void> {
    this.#options.logger.info({ updateRequest: name, policy, rule, because }, "a failure is not tried again");
    await this.#options.failures.remove(name, this.#signal);
  }
}

/** As an UpdateRequest names a policy. */
export function referenceOf({ namespace, name }: Pick<Policy, "namespace" | "name">): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
