import { isStale, type SeenObject } from "./change.ts";
import type { ObjectLedger } from "./object-ledger.ts";

/** A change of one object that is under way. */
export interface OpenChange {
  uid: string;
  /** The object before; undefined where the change created it. */
  before: SeenObject | undefined;
  done: boolean;
}

/** What a checkpoint is to say of one kind. */
export interface SettledObjects {
  /** Every object as the last change left it before which all are done. */
  settled(): Iterable<SeenObject>;
  /** The ends of objects after a version, as far as they are done. */
  deletedSince(version: string): Iterable<readonly [uid: string, version: string]>;
}

/** Which changes are under way, so that a checkpoint says of each object what is done and no more. */
export class Progress implements SettledObjects {
  readonly #known: Pick<ObjectLedger, "seen" | "deleted">;
  /** By UID, in the order in which they came. */
  readonly #open = new Map<string, OpenChange[]>();

  constructor(known: Pick<ObjectLedger, "seen" | "deleted">) {
    this.#known = known;
  }

  begin(uid: string, before: SeenObject | undefined): OpenChange {
    const change = { uid, before, done: false };
    const known = this.#open.get(uid);
    if (known === undefined) this.#open.set(uid, [change]);
    else known.push(change);
    return change;
  }

  /** A later change may end sooner: one that failed is tried again beside those that follow. */
  end(change: OpenChange): void {
    change.done = true;
    const known = this.#open.get(change.uid) ?? [];
    while (known[0]?.done) known.shift();
    if (known.length === 0) this.#open.delete(change.uid);
  }

  /** The UIDs of objects whose changes are under way. */
  uids(): Iterable<string> {
    return this.#open.keys();
  }

  *settled(): Generator<SeenObject, void> {
    const { seen } = this.#known;
    for (const [uid, object] of seen) {
      const settled = this.#settled(uid, object);
      if (settled !== undefined) yield settled;
    }
    for (const uid of this.#open.keys()) {
      const settled = seen.has(uid) ? undefined : this.#settled(uid, undefined);
      if (settled !== undefined) yield settled;
    }
  }

  *deletedSince(version: string): Generator<[uid: string, version: string], void> {
    for (const [uid, at] of this.#known.deleted) if (!this.#open.has(uid) && !isStale(at, version)) yield [uid, at];
  }

  /** The object as the last change left it before which all are done; undefined where it was not there yet. */
  #settled(uid: string, seen: SeenObject | undefined): SeenObject | undefined {
    const [first] = this.#open.get(uid) ?? [];
    return first === undefined ? seen : first.before;
  }
}
