import { setMaxListeners } from "node:events";

/** A gate that any number of holders can shut; it is open while nobody holds it. */
export class Gate {
  #holders = 0;
  #opened = Promise.withResolvers<void>();

  /** Resolves at once while the gate is open, otherwise when the last holder lets go or (rejecting) `signal` aborts. */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#holders > 0) {
      await raceAbort(this.#opened.promise, signal);
    }
    signal.throwIfAborted();
  }

  shut(): void {
    this.#holders += 1;
  }

  reopen(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#opened.resolve();
    this.#opened = Promise.withResolvers<void>();
  }
}

/** `promise`, or a rejection with the signal's reason if that comes first. */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  setMaxListeners(0, signal); // every worker listens to the one signal of its run
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
