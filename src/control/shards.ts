/** Which replica works on which share of the keys. Pure: kube/shard-member.ts carries the plans out. */

/** One replica that takes part, for as long as it holds its seat. */
export interface Member {
  /** Names the replica and its present tenure: never used a second time. */
  id: string;
  /** The number of shards it was configured with. */
  shards: number;
  /** It is about to stop and takes nothing more. */
  leaving: boolean;
}

/** The owner of each shard by {@link Member.id}; "" for none. */
export type ShardTable = readonly string[];

/** What one member does next. */
export interface ShardPlan {
  /** Shards of its own that others are to have: it finishes what is in hand, then writes that they are free. */
  give: number[];
  /** The table as it is to be written now; absent where nothing of this member changes. */
  next?: ShardTable;
}

/** 30 bits of a FNV-1a hash: fits V8's small integers, so that 100,000 kept hashes cost no object each. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 2;
}

/**
 * Plans what the member `me` does: it frees its shards in `drained`, takes free ones up to its fair share, and gives away
 * what it has beyond. Every member plans from the same table by itself and changes its own rows alone, so that a shard
 * is never taken from a member that lives. Where all members are configured with another number of shards than the table
 * has, each gives all back, and the one that finds the table free begins a new one.
 */
export function planShards(
  table: ShardTable | undefined,
  members: readonly Member[],
  me: string,
  drained: ReadonlySet<number>,
): ShardPlan {
  const self = members.find(({ id }) => id === me);
  if (self === undefined) return { give: [] };
  const live = new Set(members.map(({ id }) => id));
  const rows = (table ?? []).map((owner) => (live.has(owner) ? owner : ""));
  const size = agreedSize(members) ?? (table === undefined ? self.shards : table.length);
  const isFree = rows.every((owner) => owner === "");
  if (size !== rows.length && !isFree) return release(rows, me, drained);
  const current = size === rows.length ? rows : Array.from({ length: size }, () => "");
  const target = shareOut(current, members);
  const give = shardsOf(current, me).filter((shard) => target[shard] !== me);
  const next = current.map((owner, shard) => {
    if (owner === me) return drained.has(shard) ? "" : me;
    return owner === "" && target[shard] === me ? me : owner;
  });
  const changes = size !== table?.length || next.some((owner, shard) => owner !== current[shard]);
  return changes ? { give, next } : { give };
}

/** The shards in `table` that `owner` has. */
export function shardsOf(table: ShardTable, owner: string): number[] {
  return table.flatMap((each, shard) => (each === owner ? [shard] : []));
}

function release(rows: ShardTable, me: string, drained: ReadonlySet<number>): ShardPlan {
  const give = shardsOf(rows, me);
  if (!give.some((shard) => drained.has(shard))) return { give };
  return { give, next: rows.map((owner, shard) => (owner === me && drained.has(shard) ? "" : owner)) };
}

function agreedSize([first, ...others]: readonly Member[]): number | undefined {
  return others.every(({ shards }) => shards === first?.shards) ? first?.shards : undefined;
}

/**
 * Who is to have each shard: shares differ by one at most, and nobody gives a shard away that is within its share. The
 * larger shares go to those who have most.
 */
export function shareOut(table: ShardTable, members: readonly Member[]): ShardTable {
  const staying = members.filter(({ leaving }) => !leaving);
  const owned = new Map(staying.map(({ id }) => [id, shardsOf(table, id)] as const));
  const ranked = [...owned].sort(([a, has], [b, had]) => had.length - has.length || (a < b ? -1 : 1));
  const target = table.map(() => "");
  const open: string[] = [];
  for (const [rank, [id, shards]] of ranked.entries()) {
    const share = Math.floor(table.length / ranked.length) + (rank < table.length % ranked.length ? 1 : 0);
    for (const shard of shards.slice(0, share)) target[shard] = id;
    for (let room = share - shards.length; room > 0; room--) open.push(id);
  }
  return target.map((owner) => (owner === "" ? (open.shift() ?? "") : owner));
}
