/** The Leases of one group of replicas as its watch shows them: a seat for each replica, and the table of shards. */
import type { Member, ShardTable } from "../control/shards.ts";
import type { KubeObject } from "../resources/object.ts";
import { specOf } from "./lease-lock.ts";
import type { WatchEvent, WatchState } from "./watch-resource.ts";

/** Which group of replicas a Lease belongs to: what the watch selects by. */
export const GROUP_LABEL = "courier.io/lease";
const SHARDS = "courier.io/shards";
const OWNERS = "courier.io/shard-owners";
const LEAVING = "courier.io/leaving";

interface Seat {
  lease: KubeObject;
  spec: string;
  /** When this process first saw that spec. Expiry counts from here: the clocks of other machines do not matter. */
  seenAt: number;
}

/**
 * One watch brings seats and table in the order in which they were written, so a table never names a holder whose seat
 * is not known yet; what this process writes itself is learnt from the watch alone, and nothing runs backwards.
 */
export class ShardView {
  readonly #tableName: string;
  #seats = new Map<string, Seat>();
  #tableLease: KubeObject | undefined;
  #table: ShardTable | undefined;
  /** What the list under way has brought: taken over as a whole when it is complete. */
  #listed: KubeObject[] = [];
  #isSynced = false;
  #isBlind = true;

  constructor(tableName: string) {
    this.#tableName = tableName;
  }

  /** False until the first list is complete. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  get table(): ShardTable | undefined {
    return this.#table;
  }

  get tableLease(): KubeObject | undefined {
    return this.#tableLease;
  }

  get members(): Member[] {
    return [...this.#seats.values()].flatMap(({ lease }) => {
      const { holderIdentity = "" } = specOf(lease);
      return holderIdentity === "" ? [] : [{ id: holderIdentity, ...readWish(lease) }];
    });
  }

  /** Which of the `count` seats of `group` nobody has; a holder that died has its seat until it is put out. */
  freeSeats(group: string, count: number): string[] {
    const seats = Array.from({ length: count }, (_, index) => `${group}-${index}`);
    return seats.filter((seat) => (specOf(this.#seats.get(seat)?.lease).holderIdentity ?? "") === "");
  }

  /** Seats whose holder has not renewed for as long as it promised to, while this process was looking. */
  expired(nowMs: number): KubeObject[] {
    if (this.#isBlind) return [];
    return [...this.#seats.values()].flatMap(({ lease, seenAt }) => {
      const { holderIdentity = "", leaseDurationSeconds = 0 } = specOf(lease);
      return holderIdentity !== "" && nowMs >= seenAt + leaseDurationSeconds * 1000 ? [lease] : [];
    });
  }

  /** Seats that an earlier process of the same name has left behind. */
  ofPredecessors(isPredecessor: (holder: string) => boolean): KubeObject[] {
    const leases = [...this.#seats.values()].map(({ lease }) => lease);
    return leases.filter((lease) => isPredecessor(specOf(lease).holderIdentity ?? ""));
  }

  /** Takes what the watch brings. Returns whether there is something new to go by. */
  apply(event: WatchEvent): boolean {
    this.#see();
    if (event.type === "Listed") {
      this.#listed.push(event.object);
      return false;
    }
    if (event.type === "Synced") this.#replaceAll();
    else if (event.type === "Deleted") this.#delete(event.object);
    else this.#set(event.object);
    return this.#isSynced;
  }

  follow({ phase }: WatchState): void {
    if (phase === "listing") this.#listed = [];
    if (phase === "retrying") this.#isBlind = true;
    else if (phase === "watching") this.#see();
  }

  /** What was not seen cannot be judged: after a time without a watch every holder has its whole duration again. */
  #see(): void {
    if (!this.#isBlind) return;
    this.#isBlind = false;
    const seenAt = performance.now();
    for (const seat of this.#seats.values()) seat.seenAt = seenAt;
  }

  #replaceAll(): void {
    const before = this.#seats;
    this.#seats = new Map();
    this.#tableLease = undefined;
    this.#table = undefined;
    for (const lease of this.#listed) this.#set(lease, before);
    this.#listed = [];
    this.#isSynced = true;
  }

  #set(lease: KubeObject, before = this.#seats): void {
    const { name = "" } = lease.metadata;
    if (name === this.#tableName) {
      this.#tableLease = lease;
      this.#table = readTable(lease);
      return;
    }
    const spec = JSON.stringify(lease["spec"]);
    const known = before.get(name);
    const seenAt = known?.spec === spec ? known.seenAt : performance.now();
    this.#seats.set(name, { lease, spec, seenAt });
  }

  #delete({ metadata: { name = "" } }: KubeObject): void {
    this.#seats.delete(name);
    if (name !== this.#tableName) return;
    this.#tableLease = undefined;
    this.#table = undefined;
  }
}

/** What a replica tells the others in its seat. */
export function wishAnnotations({ shards, leaving }: Pick<Member, "shards" | "leaving">): Record<string, string> {
  return { [SHARDS]: `${shards}`, [LEAVING]: `${leaving}` };
}

export function tableAnnotations(table: ShardTable): Record<string, string> {
  return { [SHARDS]: `${table.length}`, [OWNERS]: JSON.stringify(table) };
}

function readWish({ metadata: { annotations = {} } }: KubeObject): Pick<Member, "shards" | "leaving"> {
  return { shards: Number(annotations[SHARDS] ?? 0), leaving: annotations[LEAVING] === "true" };
}

/** Undefined where there is none, or what is there is no table: then nobody owns anything, and a new one is written. */
function readTable({ metadata: { annotations = {} } }: KubeObject): ShardTable | undefined {
  try {
    const rows: unknown = JSON.parse(annotations[OWNERS] ?? "");
    return Array.isArray(rows) && rows.length > 0 ? rows.map(String) : undefined;
  } catch {
    return undefined;
  }
}
