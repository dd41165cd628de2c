interface Entry {
  key: string;
  dueMs: number;
}

/** Keys ordered by the time they are due; a binary heap, so that 100,000 waiting keys cost no timer each. */
export class DelayHeap {
  readonly #entries: Entry[] = [];
  readonly #due = new Map<string, number>();

  get size(): number {
    return this.#due.size;
  }

  /** Sets when `key` is due; an earlier time given before stays. */
  add(key: string, dueMs: number): void {
    const known = this.#due.get(key);
    if (known !== undefined && known <= dueMs) return;
    this.#due.set(key, dueMs);
    this.#entries.push({ key, dueMs });
    this.#rise(this.#entries.length - 1);
  }

  /** Forgets `key`; its entry is skipped when its time comes. */
  delete(key: string): void {
    this.#due.delete(key);
  }

  /** When the next key is due, or undefined when none waits. */
  nextDueMs(): number | undefined {
    this.#dropStale();
    return this.#entries[0]?.dueMs;
  }

  /** Takes out and returns every key that is due at `nowMs`, the earliest first. */
  takeDue(nowMs: number): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#dropStale();
      const first = this.#entries[0];
      if (first === undefined || first.dueMs > nowMs) return keys;
      this.#pop();
      this.#due.delete(first.key);
      keys.push(first.key);
    }
  }

  /** An entry whose key was deleted or moved forward since is not the one its key waits by. */
  #dropStale(): void {
    for (let first = this.#entries[0]; first !== undefined; first = this.#entries[0]) {
      if (this.#due.get(first.key) === first.dueMs) return;
      this.#pop();
    }
  }

  #pop(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#sink(0);
  }

  #rise(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(start: number): void {
    for (let index = start; ; ) {
      const left = 2 * index + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(index) <= this.#at(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }

  #at(index: number): number {
    return this.#entries[index]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#entries[a], this.#entries[b]];
    if (first === undefined || second === undefined) return;
    this.#entries[a] = second;
    this.#entries[b] = first;
  }
}
