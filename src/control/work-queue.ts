import { DelayHeap } from "./delay-heap.ts";
import { Fifo } from "./fifo.ts";

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
  /** Starts work on what waits; there is none before `run`. */
  #start = () => {};
  #isStarting = false;
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
    this.#startSoon();
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

  /**
   * Runs `work` on keys, `workers` at a time, until `signal` aborts and the work under way is finished; called once.
   * @throws what `work` threw
   */
  async run(workers: number, work: (key: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const endIfOver = () => {
      if (signal.aborted && this.#active.size === 0) ended.resolve();
    };
    const workOn = async (key: string) => {
      try {
        await work(key);
      } finally {
        this.#active.delete(key);
        if (this.#again.delete(key)) this.add(key);
        this.#start();
        endIfOver();
      }
    };
    this.#start = () => {
      while (!signal.aborted && this.#active.size < workers) {
        const key = this.#take();
        if (key === undefined) return;
        workOn(key).catch(ended.reject);
      }
    };
    signal.addEventListener("abort", endIfOver, { once: true });
    this.#start();
    endIfOver();
    await ended.promise.finally(() => clearTimeout(this.#timer));
  }

  /** Not at once: who adds a key has more to do with it, and often adds more. */
  #startSoon(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#start();
    });
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
