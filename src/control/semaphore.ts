import { raceAbort } from "./gate.ts";

/** At most `count` holders at a time; who waits comes in the order of asking. */
export class Semaphore {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Holds until what it returns is disposed of. Rejects with the signal's reason if that aborts first. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#handedOver(signal);
    return { [Symbol.dispose]: () => this.#release() };
  }

  async #handedOver(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await raceAbort(promise, signal);
    } catch (error) {
      if (!this.#waiting.delete(resolve)) this.#release(); // it was handed over at the very moment of the abort
      throw error;
    }
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
