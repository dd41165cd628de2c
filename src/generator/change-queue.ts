import type { Logger } from "../observe/logger.ts";
import { requestForExisting } from "./change.ts";
import { messageOf } from "./errors.ts";
import type { EventProcessor } from "./event-processor.ts";
import { OrderedPool } from "./ordered-pool.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { SourceChange } from "./source-change.ts";
import type { TypeSource } from "./type-source.ts";

/** How many changes may wait before the watches do. */
const CAPACITY = 1_000;

export interface ChangeQueueOptions {
  processor: EventProcessor;
  /** Resolves when nothing that the change asked for is tried again. */
  settled(request: ChangeRequest): Promise<void>;
  /** How many changes are evaluated at once. */
  concurrency: number;
  logger: Logger;
}

/** What waits to be evaluated: changes of one object in their order, those of several beside each other. */
export class ChangeQueue {
  readonly #processor: EventProcessor;
  readonly #settled: ChangeQueueOptions["settled"];
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #pool: OrderedPool;
  /** Rules and triggers that wait to be evaluated again. */
  readonly #again = new Set<string>();
  /** Changes that failed and are tried again, and those that are just done. */
  readonly #finishing = new Set<Promise<void>>();

  constructor({ processor, settled, concurrency, logger }: ChangeQueueOptions, signal: AbortSignal) {
    this.#processor = processor;
    this.#settled = settled;
    this.#logger = logger;
    this.#signal = signal;
    this.#pool = new OrderedPool({ concurrency, capacity: CAPACITY });
  }

  /** Takes a change. Resolves when there is room for more. */
  async add({ rules, request, finish }: SourceChange): Promise<void> {
    await this.#pool.add(request.object.metadata.uid ?? "", async () => {
      const hadEffect = await this.#process(rules, request);
      const finished = this.#settled(request).then(() => {
        if (!this.#signal.aborted) finish(hadEffect); // else it is done again after the restart
        this.#finishing.delete(finished);
      });
      this.#finishing.add(finished);
    });
  }

  /** Evaluates rules on an object as it is by then, after all changes of it that are under way. */
  async lookAgain(source: TypeSource, rules: readonly PolicyRule[], uid: string): Promise<void> {
    await this.#pool.add(uid, () => this.#processLatest(source, rules, uid));
  }

  /** The same, but for a rule and object that wait for it already. */
  async rerun(source: TypeSource, subject: PolicyRule, uid: string): Promise<void> {
    const key = [subject.policy.namespace, subject.policy.name, subject.rule.name, uid].join("/");
    if (this.#again.has(key)) return;
    this.#again.add(key);
    await this.#pool.add(uid, async () => {
      this.#again.delete(key);
      await this.#processLatest(source, [subject], uid);
    });
  }

  /** Does other work about an object, after all changes of it that are under way. Resolves when it is done. */
  async run(uid: string, work: () => Promise<void>): Promise<void> {
    const done = Promise.withResolvers<void>();
    await this.#pool.add(uid, () => work().then(done.resolve, done.reject));
    await done.promise;
  }

  /** Resolves when nothing waits, runs or is tried again. */
  async idle(): Promise<void> {
    await this.#pool.idle();
    await Promise.all(this.#finishing);
  }

  async #processLatest(source: TypeSource, rules: readonly PolicyRule[], uid: string): Promise<void> {
    const object = source.latest(uid);
    if (object !== undefined) await this.#process(rules, requestForExisting(object, source.type));
  }

  /** Whether a rule applied to the change. */
  async #process(rules: readonly PolicyRule[], request: ChangeRequest): Promise<boolean> {
    try {
      return await this.#processor.process(rules, request, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) return false;
      const { uid } = request.object.metadata;
      this.#logger.error({ error: messageOf(error), uid }, "a change could not be processed, this is a bug");
      return true;
    }
  }
}
