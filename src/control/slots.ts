interface Waiter {
  admit(): void;
  turnAway(reason: unknown): void;
}

/** At most `limit` holders at a time, first come, first served. The limit may change while there are holders. */
export class Slots {
  #limit: number;
  #held = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Fewer than are held now take none away: those who wait are kept longer. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  /**
   * Waits for a slot and resolves with the function that gives it back.
   * @throws the signal's reason, or what {@link Slots.turnAway} was given
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { admit: resolve, turnAway: reject };
    const onAbort = () => {
      this.#waiting.delete(waiter);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(waiter);
    this.#admit();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    return () => this.#release();
  }

  /** Ends the waiting of all who wait now. */
  turnAway(reason: unknown): void {
    for (const waiter of this.#waiting) waiter.turnAway(reason);
    this.#waiting.clear();
  }

  #release(): void {
    this.#held -= 1;
    this.#admit();
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (this.#held >= this.#limit) return;
      this.#held += 1;
      this.#waiting.delete(waiter);
      waiter.admit();
    }
  }
}
