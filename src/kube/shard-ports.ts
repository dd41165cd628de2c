/** What a ShardMember is given, and whom it tells. */

export interface ShardOptions {
  namespace: string;
  /** Of the group: its Leases are `<name>-shards` (the table) and `<name>-0` … (a seat for each replica). */
  name: string;
  /** Of this process among those that live: a process of the same name is taken for its successor. */
  identity: string;
  /** Into how many shards the work is divided, and how many replicas can take part. */
  shards: number;
  /** How long the others wait for a replica that is silent. */
  leaseDurationMs: number;
  /** A watch of the Leases that carries nothing for so long, or for the Lease's duration, is opened anew. */
  watchSilenceMs: number;
}

/**
 * `standby`: this replica has no share, and is well. `lost`: its shards may be another's, because the Lease was not
 * renewed in time. `retrying`: the Leases cannot be read or written now.
 */
export type ShardState =
  | { phase: "working" | "lost" }
  | { phase: "standby"; why: string }
  | { phase: "retrying"; error: Error };

export interface ShardHandlers {
  /** What the member's `takes` says has changed; `gained`: it now says yes where it said no. */
  onChange(gained: boolean): void;
  /** Resolves when nothing of that shard is in hand. Asked when `takes` has begun to say no. */
  idle(shard: number): Promise<void>;
  /** Told often: at each change, at each look at the Leases, and for each error. */
  onState(state: ShardState): void;
}
