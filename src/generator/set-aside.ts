import { OrderedPool } from "./ordered-pool.ts";
import type { ChangeRequest } from "./request.ts";

/** How many works are done at once when what they wait for becomes known. */
const CONCURRENCY = 16;

/** Work on changes that waits for an answer, beside the changes that follow. */
export class SetAside {
  readonly #works = new Map<ChangeRequest, Set<Promise<void>>>();
  readonly #pool = new OrderedPool({ concurrency: CONCURRENCY, capacity: Number.POSITIVE_INFINITY });

  /** How many changes wait. */
  get size(): number {
    return this.#works.size;
  }

  /** Does `work` once the answer is known: for one object in the order of the answers. Neither may reject. */
  add<T>(request: ChangeRequest, answer: Promise<T>, work: (answer: T) => Promise<void>): void {
    const works = this.#works.get(request) ?? new Set();
    this.#works.set(request, works);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    void answer.then((known) =>
      this.#pool.add(request.object.metadata.uid ?? "", () => work(known).then(resolve, reject)),
    );
    const done = promise.finally(() => {
      works.delete(done);
      if (works.size === 0) this.#works.delete(request);
    });
    works.add(done);
  }

  /** Resolves when nothing about the change waits. */
  async settled(request: ChangeRequest): Promise<void> {
    while (this.#works.has(request)) await Promise.all(this.#works.get(request) ?? []);
  }
}
