import { isStale, type SeenObject } from "./change.ts";
import type { RecordedChange } from "./known-source.ts";
import type { ObjectLedger } from "./object-ledger.ts";

/** A change of one object that is under way. */
export interface OpenChange {
  uid: string;
  /** The object before; undefined where the change created it. */
  before: SeenObject | undefined;
  change: RecordedChange;
  /** Whether a checkpoint holds the change itself. Else it says of the object what was before, and so do the positions. */
  readonly isRecorded: boolean;
}

/** What a checkpoint is to say of one kind. */
export interface SettledObjects {
  /** Every object as the last change left it before which all are done or recorded. */
  settled(): Iterable<SeenObject>;
  /** The ends of objects after a version, as far as they are done or recorded. */
  deletedSince(version: string): Iterable<readonly [uid: string, version: string]>;
  /** The changes under way that are recorded; for one object in their order. */
  recorded(): Iterable<RecordedChange>;
}

/** How many changes of a kind a checkpoint holds, and how much of them: it is written once a second in a burst. */
const MAX_RECORDED = 256;
const MAX_RECORDED_CHARACTERS = 256 * 1024;

/**
 * Which changes are under way, so that a checkpoint says of each object what is done and no more. The changes themselves are
 * recorded, so that positions move on though one takes long, and the API server may forget it; where they are too many, those
 * that come are not recorded until the others are done.
 */
export class Progress implements SettledObjects {
  readonly #known: Pick<ObjectLedger, "seen" | "deleted">;
  /** By UID, in the order in which they came. */
  readonly #open = new Map<string, OpenChange[]>();
  /** The recorded ones, with their size. */
  readonly #characters = new Map<OpenChange, number>();
  #recordedCharacters = 0;
  #unrecorded = 0;

  constructor(known: Pick<ObjectLedger, "seen" | "deleted">) {
    this.#known = known;
  }

  begin(uid: string, before: SeenObject | undefined, change: RecordedChange): OpenChange {
    // Those that are not recorded are the last ones: else one that is would be told by the watch again, too.
    const isCandidate = this.#unrecorded === 0 && this.#characters.size < MAX_RECORDED;
    const characters = isCandidate ? charactersOf(change) : 0;
    const isRecorded = isCandidate && this.#recordedCharacters + characters <= MAX_RECORDED_CHARACTERS;
    return this.#add({ uid, before, change, isRecorded }, characters);
  }

  /** Begins again what a checkpoint holds. */
  resume(change: RecordedChange): OpenChange {
    const { uid = "" } = change.object.metadata;
    return this.#add({ uid, before: undefined, change, isRecorded: true }, charactersOf(change));
  }

  /** A later change may end sooner: one that failed is tried again beside those that follow. */
  end(change: OpenChange): void {
    const left = this.#open.get(change.uid)?.filter((open) => open !== change) ?? [];
    if (left.length === 0) this.#open.delete(change.uid);
    else this.#open.set(change.uid, left);
    if (!change.isRecorded) this.#unrecorded -= 1;
    this.#recordedCharacters -= this.#characters.get(change) ?? 0;
    this.#characters.delete(change);
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
    for (const [uid, at] of this.#known.deleted)
      if (this.#firstUnrecorded(uid) === undefined && !isStale(at, version)) yield [uid, at];
  }

  *recorded(): Generator<RecordedChange, void> {
    for (const { change } of this.#characters.keys()) yield change;
  }

  #firstUnrecorded(uid: string): OpenChange | undefined {
    return this.#open.get(uid)?.find(({ isRecorded }) => !isRecorded);
  }

  /** The object as the last change left it before which all are done or recorded; undefined where it was not there yet. */
  #settled(uid: string, seen: SeenObject | undefined): SeenObject | undefined {
    const first = this.#firstUnrecorded(uid);
    return first === undefined ? seen : first.before;
  }

  #add(open: OpenChange, characters: number): OpenChange {
    const { uid } = open;
    if (open.isRecorded) {
      this.#characters.set(open, characters);
      this.#recordedCharacters += characters;
    } else this.#unrecorded += 1;
    const known = this.#open.get(uid);
    if (known === undefined) this.#open.set(uid, [open]);
    else known.push(open);
    return open;
  }
}

/** About: the object before is about as large. */
function charactersOf({ object }: RecordedChange): number {
  return 2 * JSON.stringify(object).length;
}
