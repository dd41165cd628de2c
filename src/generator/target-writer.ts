import { setTimeout as pause } from "node:timers/promises";
import { backoffMs } from "../control/backoff.ts";
import type { Logger } from "../observe/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import { type CloneOrder, formatTarget, identityOf, targetOfList } from "./build.ts";
import type { TargetQuery } from "./downstream.ts";
import type { FailureRecord } from "./failure-record.ts";
import type { ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import { type ChangeRequest, triggerKey } from "./request.ts";
import type { TargetFailure } from "./target-failure.ts";
import type { TargetStore, Tried, Written } from "./target-store.ts";

const MAX_TRIES = 5;
const BACKOFF = { firstMs: 1_000, capMs: 60_000 };
const MAX_RETRYING = 1_000;

/** A rule, and the change for which it does something. */
export interface Occasion {
  subject: PolicyRule;
  request: ChangeRequest;
}

export interface TargetWriterOptions {
  store: TargetStore;
  failures: FailureRecord;
  logger: Logger;
}

/** Something to do in the cluster, again where it fails. */
interface Work extends Occasion {
  verb: "create" | "delete";
  /** As logs name it. */
  target: string;
  attempt(): Promise<TargetFailure | undefined>;
}

/** Writes and removes targets. What fails is told at once and tried again, a bounded number of times, beside the events that follow. */
export class TargetWriter {
  readonly #options: TargetWriterOptions;
  readonly #retrying = new Set<Promise<void>>();

  constructor(options: TargetWriterOptions) {
    this.#options = options;
  }

  /** Resolves after the first try, as all methods. Rejects only when `signal` aborts. */
  async write(occasion: Occasion, object: KubeObject, signal: AbortSignal): Promise<void> {
    const target = formatTarget(identityOf(object));
    const attempt = async () =>
      this.#note(occasion, target, "data", await this.#options.store.put(occasion.subject, object, signal));
    await this.#do({ ...occasion, verb: "create", target, attempt }, signal);
  }

  /** Copies one object, or all of a list. */
  async clone(occasion: Occasion, order: CloneOrder, signal: AbortSignal, type = order.type): Promise<void> {
    const { store } = this.#options;
    if (order.type === "clone") {
      const target = formatTarget(order.target);
      const attempt = async () =>
        this.#note(occasion, target, type, await store.clone(occasion.subject, order, signal));
      return this.#do({ ...occasion, verb: "create", target, attempt }, signal);
    }
    const attempt = async () => {
      const tried = await store.expand(order, signal);
      if ("failure" in tried) return tried.failure;
      for (const single of tried.done) await this.clone(occasion, single, signal, "cloneList");
      return undefined;
    };
    const target = formatTarget(targetOfList(order));
    await this.#do({ ...occasion, verb: "create", target, attempt }, signal);
  }

  /** Deletes what the rule made. @param types of the rule's targets */
  async remove(
    occasion: Occasion,
    types: readonly ServedType[],
    query: TargetQuery,
    signal: AbortSignal,
  ): Promise<void> {
    const { store } = this.#options;
    const attempt = () => store.remove(occasion.subject, types, query, signal);
    await this.#doToAll(occasion, types, "deleted generated resources", attempt, signal);
  }

  /** Leaves what the rule made without a rule. @param types of the rule's targets */
  async orphan(occasion: Occasion, types: readonly ServedType[], signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const attempt = () => store.orphan(occasion.subject, types, signal);
    await this.#doToAll(occasion, types, "generated resources belong to no rule any more", attempt, signal);
  }

  async #doToAll(
    occasion: Occasion,
    types: readonly ServedType[],
    message: string,
    work: () => Promise<Tried<string[]>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { subject, request } = occasion;
    const attempt = async () => {
      const tried = await work();
      if ("failure" in tried) return tried.failure;
      if (tried.done.length > 0)
        this.#options.logger.info({ targets: tried.done, ...factsOf(subject, request) }, message);
      return undefined;
    };
    await this.#do({ ...occasion, verb: "delete", target: types.map(({ kind }) => kind).join(","), attempt }, signal);
  }

  /** Resolves when no retry is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#retrying);
  }

  async #do(work: Work, signal: AbortSignal): Promise<void> {
    const failure = await work.attempt();
    if (failure === undefined) return;
    await this.#tell(work, failure, 1, signal);
    if (!failure.retry || this.#retrying.size >= MAX_RETRYING) return;
    const retries = this.#retry(work, failure, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    this.#retrying.add(retries);
    void retries.finally(() => this.#retrying.delete(retries));
  }

  async #retry(work: Work, first: TargetFailure, signal: AbortSignal): Promise<void> {
    let failure = first;
    for (let tries = 2; tries <= MAX_TRIES; tries += 1) {
      await pause(Math.max(failure.retryAfterMs, backoffMs(tries - 1, BACKOFF)), undefined, { signal });
      const next = await work.attempt();
      if (next === undefined) return this.#options.failures.succeeded(work, signal);
      failure = next;
      await this.#tell(work, failure, tries, signal);
      if (!failure.retry) return;
    }
  }

  #note(
    { subject, request }: Occasion,
    target: string,
    type: "data" | CloneOrder["type"],
    tried: Tried<Written>,
  ): TargetFailure | undefined {
    if ("failure" in tried) return tried.failure;
    const { logger } = this.#options;
    const facts = { target, ...factsOf(subject, request), type };
    if (tried.done === "created") logger.info(facts, "created generate target resource");
    else if (tried.done === "updated") logger.info(facts, "updated generate target resource");
    else logger.debug(facts, `generate target resource ${tried.done}`);
    return undefined;
  }

  async #tell(work: Work, failure: TargetFailure, tries: number, signal: AbortSignal): Promise<void> {
    const { subject, request, target, verb } = work;
    const willRetry = failure.retry && tries < MAX_TRIES;
    this.#options.logger.error(
      { target, ...factsOf(subject, request), error: failure.message, tries, willRetry },
      `failed to ${verb} generate target resource`,
    );
    await this.#options.failures.failed({ subject, request, target }, failure.message, tries, signal);
  }
}

/** What every line about a rule and an event carries. */
export function factsOf({ policy, rule }: PolicyRule, request: ChangeRequest): Record<string, string> {
  const name = policy.namespace === "" ? policy.name : `${policy.namespace}/${policy.name}`;
  return { policy: name, rule: rule.name, trigger: triggerKey(request), operation: request.operation };
}
