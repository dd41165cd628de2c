import { raceAbort } from "./gate.ts";

/** Values that wait to be taken by their key; when there are too many, who brings them can wait for room. */
export class Shelf<Value> {
  readonly #values = new Map<string, Value>();
  readonly #capacity: number;
  #taken = Promise.withResolvers<void>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  put(key: string, value: Value): void {
    this.#values.set(key, value);
  }

  /** Takes out and returns what lies there. */
  take(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (this.#values.delete(key) && this.#values.size < this.#capacity) {
      this.#taken.resolve();
      this.#taken = Promise.withResolvers<void>();
    }
    return value;
  }

  get isFull(): boolean {
    return this.#values.size >= this.#capacity;
  }

  /** Resolves when there is room for another value. Rejects with the signal's reason if that aborts first. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.isFull) await raceAbort(this.#taken.promise, signal);
  }
}
