import type { Change } from "./store.ts";

/** The latest writes, so that a watch can resume; bounded in number and bytes, oldest forgotten first. */
export class History {
  readonly #limits: { events: number; bytes: number };
  #changes: Change[] = [];
  /** Entries before this index are forgotten; the array is cut when half of it is. */
  #start = 0;
  #bytes = 0;
  /** The newest revision that is forgotten: a watch from before it cannot resume. */
  #forgotten = 0;

  constructor(limits: { events: number; bytes: number }) {
    this.#limits = limits;
  }

  add(change: Change): void {
    this.#changes.push(change);
    this.#bytes += change.current.json.length;
    while (this.#changes.length - this.#start > this.#limits.events || this.#bytes > this.#limits.bytes) {
      if (!this.#forgetOldest()) break;
    }
  }

  /** The writes after `revision` to one collection, or undefined when some of them may be forgotten. */
  since(collection: string, revision: number): Change[] | undefined {
    if (revision < this.#forgotten) return undefined;
    const first = this.#firstAfter(revision);
    return this.#changes.slice(first).filter((change) => change.collection === collection);
  }

  #forgetOldest(): boolean {
    const oldest = this.#changes[this.#start];
    if (oldest === undefined || this.#start === this.#changes.length - 1) return false;
    this.#forgotten = oldest.revision;
    this.#bytes -= oldest.current.json.length;
    this.#start += 1;
    if (this.#start > this.#changes.length / 2) {
      this.#changes = this.#changes.slice(this.#start);
      this.#start = 0;
    }
    return true;
  }

  /** Binary search: revisions only grow. */
  #firstAfter(revision: number): number {
    let low = this.#start;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
