/** From one write to the next, however long it took: what is not written is looked for in a history that the API server soon forgets. */
const REST_MS = 1_000;
/** The first write mostly says what was before. */
const FIRST_REST_MS = 250;
const RETRY_MS = 5_000;
/** A policy whose watches are changing cannot be covered yet. */
const HASTE_MS = 100;

/** One write at a time, with a rest after each: what is asked for during one is for the next. */
export class WritePacer {
  readonly #write: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #restUntil = 0;
  #endedAt = 0;
  #isUrgent = false;
  #isStopped = false;

  /** @param write resolves with whether it succeeded, and never rejects */
  constructor(write: () => Promise<boolean>) {
    this.#write = write;
  }

  /** Writes in so many milliseconds, or after the rest. */
  plan(inMs: number): void {
    const dueAt = performance.now() + inMs;
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    this.#wait();
  }

  /** Writes at once. */
  hasten(): void {
    this.#isUrgent = true;
    this.#dueAt = 0;
    this.#restUntil = Math.min(this.#restUntil, this.#endedAt + HASTE_MS);
    this.#wait();
  }

  /** Writes no more. Resolves when no write is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#writing !== undefined || this.#isStopped || this.#dueAt === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(this.#dueAt, this.#restUntil) - performance.now();
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, waitMs));
  }

  #begin(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#isUrgent = false;
    this.#writing = this.#write().then((succeeded) => {
      const isFirst = this.#endedAt === 0;
      this.#writing = undefined;
      this.#endedAt = performance.now();
      this.#restUntil = this.#endedAt + (succeeded ? this.#restMs(isFirst) : RETRY_MS);
      this.#wait();
    });
  }

  #restMs(isFirst: boolean): number {
    if (this.#isUrgent) return HASTE_MS;
    return isFirst ? FIRST_REST_MS : REST_MS;
  }
}
