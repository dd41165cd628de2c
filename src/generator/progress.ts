import type { SeenObject } from "./change.ts";

/** A change of one object that is under way. */
export interface OpenChange {
  uid: string;
  /** The object before; undefined where the change created it. */
  before: SeenObject | undefined;
  done: boolean;
}

/** Which changes are under way, so that a checkpoint says of each object what is done and no more. */
export class Progress {
  /** By UID, in the order in which they came. */
  readonly #open = new Map<string, OpenChange[]>();

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

  /** The object as the last change left it before which all are done; undefined where it was not there yet. */
  settled(uid: string, seen: SeenObject | undefined): SeenObject | undefined {
    const [first] = this.#open.get(uid) ?? [];
    return first === undefined ? seen : first.before;
  }
}
