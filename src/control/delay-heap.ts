/**
 * Keys ordered by the time they are due; a binary heap, so that 100,000 waiting keys cost no timer each. Two lists and no
 * object for each entry: that takes 16 bytes of a waiting key instead of 70.
 */
export class DelayHeap {
  readonly #keys: string[] = [];
  readonly #dueMs: number[] = [];
  /** The time that counts: an entry with another one is stale. */
  readonly #due = new Map<string, number>();

  get size(): number {
    return this.#due.size;
  }

  /** Sets when `key` is due; an earlier time given before stays. */
  add(key: string, dueMs: number): void {
    const known = this.#due.get(key);
    if (known !== undefined && known <= dueMs) return;
    this.#due.set(key, dueMs);
    this.#keys.push(key);
    this.#dueMs.push(dueMs);
    this.#rise(this.#keys.length - 1);
  }

  /** Forgets `key`; its entry is skipped when its time comes. */
  delete(key: string): void {
    this.#due.delete(key);
  }

  /** When the next key is due, or undefined when none waits. */
  nextDueMs(): number | undefined {
    this.#dropStale();
    return this.#dueMs[0];
  }

  /** Takes out and returns every key that is due at `nowMs`, the earliest first. */
  takeDue(nowMs: number): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#dropStale();
      const [first] = this.#keys;
      if (first === undefined || this.#at(0) > nowMs) return keys;
      this.#pop();
      this.#due.delete(first);
      keys.push(first);
    }
  }

  /** An entry whose key was deleted or moved forward since is not the one its key waits by. */
  #dropStale(): void {
    for (let first = this.#keys[0]; first !== undefined; first = this.#keys[0]) {
      if (this.#due.get(first) === this.#dueMs[0]) return;
      this.#pop();
    }
  }

  #pop(): void {
    const [key, dueMs] = [this.#keys.pop(), this.#dueMs.pop()];
    if (key === undefined || dueMs === undefined || this.#keys.length === 0) return;
    this.#keys[0] = key;
    this.#dueMs[0] = dueMs;
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
    return this.#dueMs[index] ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    swapItems(this.#keys, a, b);
    swapItems(this.#dueMs, a, b);
  }
}

function swapItems<Item>(items: Item[], a: number, b: number): void {
  const [first, second] = [items[a], items[b]];
  if (first === undefined || second === undefined) return;
  items[a] = second;
  items[b] = first;
}
