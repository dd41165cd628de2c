import { DelayHeap } from "./delay-heap.ts";
import { Fifo } from "./fifo.ts";
import { raceAbort } from "./gate.ts";

/** `setTimeout` takes no more than 2³¹−1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface WorkQueueOptions {
  now: () => number;
}

/**
 * A queue of keys with client-go's rules: a key waits at most once, is worked on by one worker at a time, and if it is
 * added while being worked on it comes again afterwards.
 */
export class WorkQueue {
  readonly #ready = new Fifo<string>();
  readonly #queued = new Set<string>();
  readonly #active = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delayed = new DelayHeap();
  readonly #options: WorkQueueOptions;
  #arrived = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait for a worker now. */
  get depth(): number {
    return this.#queued.size;
  }

  get active(): number {
    return this.#active.size;
  }

  /** Whether a worker has the key in hand. */
  isActive(key: string): boolean {
    return this.#active.has(key);
  }

  add(key: string): void {
    this.#delayed.delete(key);
    if (this.#active.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#queued.has(key)) return;
    this.#queued.add(key);
    this.#ready.push(key);
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
  }

  /** Adds the key in `delayMs`, or earlier if it was to come earlier already. */
  addAfter(key: string, delayMs: number): void {
    if (this.#queued.has(key)) return;
    this.#delayed.add(key, this.#options.now() + delayMs);
    this.#schedule();
  }

  /** Forgets a key that waits; work under way goes on. */
  forget(key: string): void {
    this.#delayed.delete(key);
    this.#again.delete(key);
  }

  /** Runs `work` on keys, `workers` at a time, until `signal` aborts and the work under way is finished. */
  async run(workers: number, work: (key: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#worker(work, signal)));
    clearTimeout(this.#timer);
  }

  async #worker(work: (key: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const key = this.#take();
      if (key === undefined) {
        await raceAbort(this.#arrived.promise, signal).catch(() => undefined);
        continue;
      }
      try {
        await work(key);
      } finally {
        this.#active.delete(key);
        if (this.#again.delete(key)) this.add(key);
      }
    }
  }

  #take(): string | undefined {
    const key = this.#ready.shift();
    if (key === undefined) return undefined;
    this.#queued.delete(key);
    this.#active.add(key);
    return key;
  }

  #schedule(): void {
    const dueMs = this.#delayed.nextDueMs();
    if (dueMs === undefined || dueMs >= this.#timerDueMs) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = setTimeout(
      () => this.#release(),
      Math.min(LONGEST_TIMER_MS, Math.max(0, dueMs - this.#options.now())),
    );
  }

  #release(): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    for (const key of this.#delayed.takeDue(this.#options.now())) this.add(key);
    this.#schedule();
  }
}
