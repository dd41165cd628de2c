/** Runs work in order for each key, keys beside each other up to a limit; `add` waits while too much is waiting. */
export class OrderedPool {
  readonly #concurrency: number;
  readonly #capacity: number;
  readonly #last = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #blocked: (() => void)[] = [];
  #running = 0;
  #size = 0;
  #idle = Promise.withResolvers<void>();

  constructor({ concurrency, capacity }: { concurrency: number; capacity: number }) {
    this.#concurrency = concurrency;
    this.#capacity = capacity;
    this.#idle.resolve();
  }

  /** Takes the work and resolves as soon as there is room for more. `work` must not reject. */
  async add(key: string, work: () => Promise<void>): Promise<void> {
    if (this.#size === 0) this.#idle = Promise.withResolvers<void>();
    this.#size += 1;
    const before = this.#last.get(key) ?? Promise.resolve();
    const done = before.then(() => this.#run(work));
    this.#last.set(key, done);
    void done.finally(() => this.#finish(key, done));
    if (this.#size >= this.#capacity) await new Promise<void>((resolve) => this.#blocked.push(resolve));
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    await this.#idle.promise;
  }

  async #run(work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1; // one that waited takes over the place of the one that woke it
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #finish(key: string, done: Promise<void>): void {
    if (this.#last.get(key) === done) this.#last.delete(key);
    this.#size -= 1;
    if (this.#size < this.#capacity) this.#blocked.shift()?.();
    if (this.#size === 0) this.#idle.resolve();
  }
}
