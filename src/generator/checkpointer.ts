import { backoffMs } from "../control/backoff.ts";
import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { oldestVersion } from "./change.ts";
import { type Checkpoint, CheckpointError, type CheckpointIndex, restore } from "./checkpoint.ts";
import { CheckpointIndexer } from "./checkpoint-indexer.ts";
import { collectPart, encodeInline, fitPart, partOf } from "./checkpoint-part.ts";
import { type CheckpointStore, PARTS } from "./checkpoint-store.ts";
import type { CreationLog } from "./creation-log.ts";
import { messageOf } from "./errors.ts";
import { isApiError } from "./ports.ts";
import type { Policy } from "./rule-model.ts";
import type { SourceSet } from "./source-set.ts";

export interface CheckpointerOptions {
  store: CheckpointStore;
  sources: SourceSet;
  creations: CreationLog;
  /** The policies whose targets are followed; undefined while what became of others is under way. */
  followed(): Policy[] | undefined;
  logger: Logger;
  /** Called when policies are covered, and when `problem` changes. */
  onState(): void;
}

/** After something was generated. */
const SOON_MS = 250;
/** From one write to the next, at least. */
const REST_MS = 1_000;
/** After a change that may be looked at again. */
const LATER_MS = 60_000;
const RETRY_MS = 5_000;
/** A policy whose watches are changing cannot be covered yet. */
const HASTE_MS = 100;
const BACKOFF = { firstMs: 500, capMs: 10_000 };
/** At most a tenth of the time goes into writing. */
const PAUSE_FACTOR = 10;
const WRITE_TIMEOUT_MS = 10_000;

/** Keeps the checkpoint up to date: soon after something was generated, and never one write for each change. */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #dirty = new Set<number>();
  readonly #indexer: CheckpointIndexer;
  /** Kinds of which objects have no room, by part. */
  readonly #left = new Map<number, string[]>();
  #written: CheckpointIndex | undefined;
  #covered: ReadonlySet<Policy> = new Set();
  #isSplit = false;
  #problem: string | undefined;
  /** Why what a generator before this one knew is lost. */
  #loss: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #restUntil = 0;
  #writtenAt = 0;
  #writing: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#indexer = new CheckpointIndexer(options);
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
    this.#plan(hadEffect ? SOON_MS : LATER_MS);
  }

  /** Whether changes of what the policy matches are remembered, as far as they can be. */
  covers(policy: Policy): boolean {
    return this.#covered.has(policy) || this.#problem !== undefined;
  }

  /** Writes at once, so that a policy can be called ready. */
  hasten(): void {
    this.#restUntil = Math.min(this.#restUntil, this.#writtenAt + HASTE_MS);
    this.#plan(0);
  }

  /** Writes what is not written yet. To be called when all that is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
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

  #plan(inMs: number): void {
    const dueAt = Math.max(performance.now() + inMs, this.#restUntil);
    if (dueAt >= this.#dueAt || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(
      () => {
        this.#dueAt = Number.POSITIVE_INFINITY;
        this.#writing = (this.#writing ?? Promise.resolve()).then(() => this.#write());
      },
      Math.max(0, dueAt - performance.now()),
    );
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const startedAt = performance.now();
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    try {
      const { index, covered } = this.#indexer.capture();
      if (dirty.length > 0 || JSON.stringify(index) !== JSON.stringify(this.#written))
        await this.#writeAll(index, dirty, AbortSignal.timeout(WRITE_TIMEOUT_MS));
      const restMs = this.#writtenAt === 0 ? SOON_MS : REST_MS; // the first write mostly says what was before
      this.#writtenAt = performance.now();
      this.#restUntil = this.#writtenAt + Math.max(restMs, (this.#writtenAt - startedAt) * PAUSE_FACTOR);
      this.#plan(LATER_MS);
      this.#tell(this.#fullness(), covered);
    } catch (error) {
      for (const part of dirty) this.#dirty.add(part);
      this.#restUntil = performance.now() + RETRY_MS;
      this.#plan(0);
      const message = `the checkpoint cannot be written, changes made while the generator is down would be missed: ${messageOf(error)}`;
      this.#tell(message, this.#covered);
    }
  }

  /** Parts go before the index: a position is written only when all up to it is. */
  async #writeAll(index: CheckpointIndex, dirty: readonly number[], signal: AbortSignal): Promise<void> {
    const { store, sources } = this.#options;
    const since = (typeKey: string) =>
      oldestVersion(this.#written?.sources[typeKey]?.positions.map(({ resourceVersion }) => resourceVersion) ?? []) ??
      "";
    let parts = dirty;
    if (!this.#isSplit) {
      const inline = await encodeInline(collectPart(sources, since));
      if (inline !== undefined) await store.writeIndex(index, inline, signal);
      else parts = Array.from({ length: PARTS }, (_, number) => number);
      this.#isSplit = inline === undefined;
    }
    if (this.#isSplit) {
      for (const number of parts) {
        const { data, left } = await fitPart(collectPart(sources, since, number));
        this.#left.set(number, left);
        await store.writePart(number, data, signal);
      }
      const left = new Set([...this.#left.values()].flat());
      for (const key of left) {
        const source = index.sources[key];
        if (source !== undefined) source.isPartial = true;
      }
      await store.writeIndex(index, undefined, signal);
    }
    this.#written = index;
  }

  #fullness(): string | undefined {
    const left = [...new Set([...this.#left.values()].flat())];
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
