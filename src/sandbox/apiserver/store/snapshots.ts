import type { Stored } from "./store.ts";

const MAX_SNAPSHOTS = 64;
const LIFETIME_MS = 5 * 60_000;

interface Snapshot {
  items: readonly Stored[];
  expiresAt: number;
}

/**
 * Keeps what the first page of a list saw, so that its later pages see the same whatever is written in between. Bounded
 * in number and age, as etcd's compaction bounds it on a real server: a page asked for later is 410 Expired.
 */
export class Snapshots {
  readonly #snapshots = new Map<string, Snapshot>();

  remember(collection: string, revision: number, items: readonly Stored[]): void {
    const id = `${collection}@${revision}`;
    this.#snapshots.delete(id);
    this.#snapshots.set(id, { items, expiresAt: Date.now() + LIFETIME_MS });
    const oldest = this.#snapshots.keys().next();
    if (this.#snapshots.size > MAX_SNAPSHOTS && oldest.value !== undefined) this.#snapshots.delete(oldest.value);
  }

  recall(collection: string, revision: number): readonly Stored[] | undefined {
    const found = this.#snapshots.get(`${collection}@${revision}`);
    return found !== undefined && found.expiresAt > Date.now() ? found.items : undefined;
  }
}
