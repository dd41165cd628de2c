import type { ChangeRequest } from "./request.ts";

/** Work on changes that waits for an answer, beside the changes that follow. */
export class SetAside {
  readonly #works = new Map<ChangeRequest, Set<Promise<void>>>();

  /** How many changes wait. */
  get size(): number {
    return this.#works.size;
  }

  /** @param work must not reject */
  add(request: ChangeRequest, work: Promise<void>): void {
    const works = this.#works.get(request) ?? new Set();
    this.#works.set(request, works);
    const done = work.finally(() => {
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
