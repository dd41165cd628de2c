/**
 * The shards one replica holds, from being seen in the table as its own to being seen there as free. Kept by
 * kube/shard-member.ts.
 */
export class Holdings {
  /** Mine, those that are being given away included. */
  #owned = new Set<number>();
  /** Being given away: nothing new is begun. The token tells one giving away from the next. */
  readonly #draining = new Map<number, symbol>();
  /** Given away, and not yet seen to be free in the table. */
  readonly #drained = new Set<number>();

  get size(): number {
    return this.#owned.size;
  }

  get drained(): ReadonlySet<number> {
    return this.#drained;
  }

  has(shard: number): boolean {
    return this.#owned.has(shard);
  }

  /** Whether work on the shard is to be begun. */
  takes(shard: number): boolean {
    return this.#owned.has(shard) && !this.#draining.has(shard);
  }

  /** The table names this replica for `rows`; nothing is held while `isHeld` is false. Says what is new. */
  follow(rows: ReadonlySet<number>, isHeld: boolean): { gained: boolean; lost: boolean } {
    for (const shard of this.#drained) if (!rows.has(shard)) this.#drained.delete(shard);
    const before = this.#owned;
    const now = new Set(isHeld ? [...rows].filter((shard) => !this.#drained.has(shard)) : []);
    for (const shard of this.#draining.keys()) if (!now.has(shard)) this.#draining.delete(shard);
    this.#owned = now;
    return {
      gained: [...now].some((shard) => !before.has(shard)),
      lost: [...before].some((shard) => !now.has(shard)),
    };
  }

  /** Begins to give away those of `shards` that are not yet; each is given away when `finish` was called for it. */
  drain(shards: readonly number[]): { begun: number[]; finish(shard: number): void } {
    const begun = shards.filter((shard) => this.takes(shard));
    const token = Symbol();
    for (const shard of begun) this.#draining.set(shard, token);
    return {
      begun,
      finish: (shard) => {
        if (this.#draining.get(shard) !== token) return; // lost meanwhile
        this.#draining.delete(shard);
        this.#owned.delete(shard);
        this.#drained.add(shard);
      },
    };
  }
}
