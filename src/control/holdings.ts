/**
 * The shards one replica holds, from being seen in the table as its own to being seen there as free. Kept by
 * kube/shard-member.ts.
 */
export class Holdings {
  /** Mine, those that are being given away included, each with the name of its tenure. */
  #owned = new Map<number, symbol>();
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

  /** What names this stretch of having the shard: another after it was lost and came back; undefined without it. */
  tenureOf(shard: number): symbol | undefined {
    return this.#owned.get(shard);
  }

  /** Whether work on the shard is to be begun. */
  takes(shard: number): boolean {
    return this.#owned.has(shard) && !this.#draining.has(shard);
  }

  /** The table names this replica for `rows`; nothing is held while `isHeld` is false. Says what is new. */
  follow(rows: ReadonlySet<number>, isHeld: boolean): { gained: boolean; lost: boolean } {
    for (const shard of this.#drained) if (!rows.has(shard)) this.#drained.delete(shard);
    const before = this.#owned;
    const mine = isHeld ? [...rows].filter((shard) => !this.#drained.has(shard)) : [];
    const now = new Map(mine.map((shard) => [shard, before.get(shard) ?? Symbol()]));
    for (const shard of this.#draining.keys()) if (!now.has(shard)) this.#draining.delete(shard);
    this.#owned = now;
    return {
      gained: mine.some((shard) => !before.has(shard)),
      lost: [...before.keys()].some((shard) => !now.has(shard)),
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
