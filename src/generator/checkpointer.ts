import { backoffMs } from "../control/backoff.ts";
import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { oldestVersion } from "./change.ts";
import { type Checkpoint, CheckpointError, type CheckpointIndex, restore } from "./checkpoint.ts";
import { CheckpointIndexer } from "./checkpoint-indexer.ts";
import { collectContent, encodeInline, type PartContent, partOf, splitContent } from "./checkpoint-part.ts";
import { type CheckpointStore, PARTS } from "./checkpoint-store.ts";
import type { CreationLog } from "./creation-log.ts";
import { messageOf } from "./errors.ts";
import type { LabelledObjects } from "./labelled-memory.ts";
import { PartWriter } from "./part-writer.ts";
import { isApiError } from "./ports.ts";
import type { Policy } from "./rule-model.ts";
import type { SourceSet } from "./source-set.ts";
import { WritePacer } from "./write-pacer.ts";

export interface CheckpointerOptions {
  store: CheckpointStore;
  sources: SourceSet;
  creations: CreationLog;
  /** The policies whose targets are followed; undefined while what became of others is under way. */
  followed(): Policy[] | undefined;
  /** Targets and clone sources of synchronized rules, by `apiVersion/kind`. */
  labelled(): ReadonlyMap<string, LabelledObjects>;
  logger: Logger;
  /** Called when policies are covered, and when `problem` changes. */
  onState(): void;
}

/** After something was generated. */
const SOON_MS = 250;
/** After a change that may be looked at again. */
const LATER_MS = 60_000;
const BACKOFF = { firstMs: 500, capMs: 10_000 };
/** How many parts are written at a time. */
const LANES = 4;
const WRITE_TIMEOUT_MS = 10_000;

/** Keeps the checkpoint up to date: soon after something was generated, and never one write for each change. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #dirty = new Set<number>();
  readonly #indexer: CheckpointIndexer;
  readonly #parts: readonly PartWriter[];
  #written: CheckpointIndex | undefined;
  #covered: ReadonlySet<Policy> = new Set();
  #isSplit = false;
  #problem: string | undefined;
  /** Why what a generator before this one knew is lost. */
  #loss: string | undefined;
  readonly #pacer = new WritePacer(() => this.#write());

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#indexer = new CheckpointIndexer(options);
    this.#parts = Array.from({ length: PARTS }, (_, number) => new PartWriter(options.store, number));
  }

  /** What keeps changes from being remembered; undefined while all goes well. */
  get problem(): string | undefined {
    return this.#problem ?? this.#loss;
  }

  /**
   * What was written last; undefined at a first start, and where it cannot be used or read, which is told. Waits for an API
   * server that does not answer, until `signal` aborts.
   */
  async load(signal: AbortSignal): Promise<Checkpoint | undefined> {
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        return await this.#load(signal);
      } catch (error) {
        if (signal.aborted) break;
        const isFinal = error instanceof CheckpointError || (isApiError(error) && [403, 404].includes(error.code));
        if (isFinal) {
          this.#loss = `the checkpoint cannot be used, changes made while the generator was down are not generated: ${messageOf(error)}`;
          this.#options.logger.error({ problem: this.#loss }, "the checkpoint is not used");
          return undefined;
        }
        this.#options.logger.warn({ error: messageOf(error) }, "cannot read the checkpoint, trying again");
        await pauseMs(backoffMs(tries, BACKOFF), signal).catch(() => undefined); // asked above
      }
    }
    return undefined;
  }

  /** Takes note that an object has changed. @param hadEffect whether it would be wrong to look at the change again */
  touch(uid: string, hadEffect: boolean): void {
    this.#dirty.add(partOf(uid));
    this.#pacer.plan(hadEffect ? SOON_MS : LATER_MS);
  }

  /** Whether changes of what the policy matches are remembered, as far as they can be. */
  covers(policy: Policy): boolean {
    return this.#covered.has(policy) || this.#problem !== undefined;
  }

  /** Writes at once, so that a policy can be called ready. */
  hasten(): void {
    this.#pacer.hasten();
  }

  /** Writes what is not written yet. To be called when all that is under way has ended. */
  async stop(): Promise<void> {
    await this.#pacer.stop();
    await this.#write();
  }

  async #load(signal: AbortSignal): Promise<Checkpoint | undefined> {
    const { store, logger } = this.#options;
    const found = await store.read(signal);
    if (found === undefined) return undefined;
    const checkpoint = restore(found.index, found.parts);
    this.#isSplit = found.isSplit;
    this.#written = found.index;
    this.#indexer.resume(found.index, checkpoint.policies);
    const objects = [...checkpoint.sources.values()].reduce((sum, source) => sum + source.objects.length, 0);
    logger.info({ kinds: checkpoint.sources.size, objects }, "going on from the checkpoint");
    return checkpoint;
  }

  /** Whether it succeeded. Never rejects. */
  async #write(): Promise<boolean> {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    try {
      const { index, covered } = this.#indexer.capture();
      if (dirty.length > 0 || JSON.stringify(index) !== JSON.stringify(this.#written))
        await this.#writeAll(index, dirty, AbortSignal.timeout(WRITE_TIMEOUT_MS));
      this.#pacer.plan(LATER_MS);
      this.#tell(this.#fullness(), covered);
      return true;
    } catch (error) {
      for (const part of dirty) this.#dirty.add(part);
      this.#pacer.plan(0);
      const message = `the checkpoint cannot be written, changes made while the generator is down would be missed: ${messageOf(error)}`;
      this.#tell(message, this.#covered);
      return false;
    }
  }

  /** Parts go before the index: a position is written only when all up to it is. */
  async #writeAll(index: CheckpointIndex, dirty: readonly number[], signal: AbortSignal): Promise<void> {
    const { store, sources, labelled } = this.#options;
    const since = (typeKey: string) =>
      oldestVersion(this.#written?.sources[typeKey]?.positions.map(({ resourceVersion }) => resourceVersion) ?? []) ??
      "";
    const content = collectContent(sources, labelled(), since);
    let parts = dirty;
    if (!this.#isSplit) {
      const inline = await encodeInline(content);
      if (inline !== undefined) await store.writeIndex(index, inline, signal);
      else parts = [...this.#parts.keys()];
      this.#isSplit = inline === undefined;
    }
    if (this.#isSplit) {
      await this.#writeParts(parts, splitContent(content), signal);
      for (const key of this.#left()) {
        const source = index.sources[key];
        if (source !== undefined) source.isPartial = true;
      }
      await store.writeIndex(index, undefined, signal);
    }
    this.#written = index;
  }

  /** @throws the first error, once nothing is being written any more */
  async #writeParts(numbers: readonly number[], contents: readonly PartContent[], signal: AbortSignal): Promise<void> {
    const waiting = numbers.values();
    const lane = async () => {
      for (const number of waiting) await this.#parts[number]?.write(contents[number] ?? {}, signal);
    };
    const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
    for (const end of ended) if (end.status === "rejected") throw end.reason;
  }

  /** Kinds of which not all objects have room. */
  #left(): string[] {
    return [...new Set(this.#parts.flatMap(({ left }) => left))];
  }

  #fullness(): string | undefined {
    const left = this.#left();
    if (left.length === 0) return undefined;
    return `the checkpoint is full: of ${left.join(", ")} not all objects have room, and changes of the largest made while the generator is down are not generated; let policies match less`;
  }

  /** Each problem once, and only what is news. */
  #tell(problem: string | undefined, covered: ReadonlySet<Policy>): void {
    const isNews = problem !== this.#problem || [...covered].some((policy) => !this.#covered.has(policy));
    if (problem !== undefined && problem !== this.#problem)
      this.#options.logger.warn({ problem }, "the checkpoint is in trouble");
    this.#problem = problem;
    this.#covered = covered;
    if (isNews) this.#options.onState();
  }
}
