import type { Logger } from "../observe/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import { type CloneOrder, formatTarget, identityOf, type TargetIdentity, targetOfList } from "./build.ts";
import type { CreationLog } from "./creation-log.ts";
import type { TargetQuery } from "./downstream.ts";
import type { PastTargets } from "./past-targets.ts";
import type { ServedType } from "./ports.ts";
import { type Doer, factsOf, type Occasion, type Work } from "./retries.ts";
import type { SetAside } from "./set-aside.ts";
import type { TargetFailure } from "./target-failure.ts";
import type { TargetStore, Tried, Written } from "./target-store.ts";

export interface TargetWriterOptions {
  store: TargetStore;
  retries: Doer;
  past: PastTargets;
  creations: CreationLog;
  /** Where changes wait of which it is not known yet whether their targets were made before a restart. */
  inDoubt: SetAside;
  /** Called when a target was written, which may be long after the change was evaluated. */
  onWritten(occasion: Occasion): void;
  logger: Logger;
}

/** How many changes may wait beside those that follow; more wait in their place, and those that follow behind them. */
const MAX_IN_DOUBT = 10_000;

/** Writes and removes targets. What fails is told at once and tried again, a bounded number of times, beside the events that follow. */
export class TargetWriter {
  readonly #options: TargetWriterOptions;

  constructor(options: TargetWriterOptions) {
    this.#options = options;
  }

  /** Resolves after the first try, as all methods. Rejects only when `signal` aborts. */
  async write(occasion: Occasion, object: KubeObject, signal: AbortSignal): Promise<void> {
    const target = formatTarget(identityOf(object));
    const attempt = async () =>
      this.#note(occasion, target, "data", await this.#options.store.put(occasion.subject, object, signal));
    await this.#makeOnce({ ...occasion, verb: "create", target, attempt }, identityOf(object), signal);
  }

  /** Copies one object, or all of a list. */
  async clone(occasion: Occasion, order: CloneOrder, signal: AbortSignal, type = order.type): Promise<void> {
    const { store } = this.#options;
    if (order.type === "clone") {
      const target = formatTarget(order.target);
      const attempt = async () =>
        this.#note(occasion, target, type, await store.clone(occasion.subject, order, signal));
      return this.#makeOnce({ ...occasion, verb: "create", target, attempt }, order.target, signal);
    }
    const attempt = async () => {
      const tried = await store.expand(order, signal);
      if ("failure" in tried) return tried.failure;
      for (const single of tried.done) await this.clone(occasion, single, signal, "cloneList");
      return undefined;
    };
    const target = formatTarget(targetOfList(order));
    await this.#options.retries.do({ ...occasion, verb: "create", target, attempt }, signal);
  }

  /** Deletes what the rule made. @param types of the rule's targets */
  async remove(
    occasion: Occasion,
    types: readonly ServedType[],
    query: TargetQuery,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, retries } = this.#options;
    if (query.sourceUid === undefined) await retries.drop(occasion.subject, query.triggerUid, signal);
    const attempt = () => store.remove(occasion.subject, types, query, signal);
    await this.#doToAll(occasion, types, "deleted generated resources", attempt, signal);
  }

  /** Leaves what the rule made without a rule. @param types of the rule's targets */
  async orphan(occasion: Occasion, types: readonly ServedType[], signal: AbortSignal): Promise<void> {
    const { store, retries } = this.#options;
    await retries.drop(occasion.subject, undefined, signal);
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
    await this.#options.retries.do(
      { ...occasion, verb: "delete", target: types.map(({ kind }) => kind).join(","), attempt },
      signal,
    );
  }

  /** Makes the target unless that happened before a restart. Where it takes time to know, the changes that follow go on. */
  async #makeOnce(work: Work, target: TargetIdentity, signal: AbortSignal): Promise<void> {
    const { past, inDoubt } = this.#options;
    const { subject, request } = work;
    const wasMade = past.includes(subject, request, target);
    if (typeof wasMade === "boolean") return this.#makeUnless(wasMade, work, signal);
    if (inDoubt.size >= MAX_IN_DOUBT) return this.#makeUnless(await wasMade, work, signal);
    inDoubt.add(request, wasMade, (was) =>
      this.#makeUnless(was, work, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      }),
    );
  }

  async #makeUnless(wasMade: boolean, work: Work, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { logger, retries, creations } = this.#options;
    const { subject, request, target } = work;
    if (!wasMade) {
      creations.attempt(request);
      return retries.do(work, signal);
    }
    logger.debug({ target, ...factsOf(subject, request) }, "generate target resource was made before the restart");
  }

  #note(
    occasion: Occasion,
    target: string,
    type: "data" | CloneOrder["type"],
    tried: Tried<Written>,
  ): TargetFailure | undefined {
    if ("failure" in tried) return tried.failure;
    const { logger, onWritten } = this.#options;
    const facts = { target, ...factsOf(occasion.subject, occasion.request), type };
    if (tried.done === "created" || tried.done === "updated") onWritten(occasion);
    if (tried.done === "created") logger.info(facts, "created generate target resource");
    else if (tried.done === "updated") logger.info(facts, "updated generate target resource");
    else logger.debug(facts, `generate target resource ${tried.done}`);
    return undefined;
  }
}
