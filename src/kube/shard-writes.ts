/** What members of a group of replicas write beside their own seats. A resourceVersion guards each write. */
import type { ShardTable } from "../control/shards.ts";
import { LEASE } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { KubeClient } from "./client.ts";
import { freed, isConflict, newLease } from "./lease-lock.ts";
import { GROUP_LABEL, tableAnnotations } from "./shard-view.ts";

/** After so long without what was written it is written again, in case it has not got there. */
const UNSEEN_MS = 1_000;

export type ShardClient = Pick<KubeClient, "get" | "create" | "replace" | "listPages" | "openWatch">;

/** Ends the tenure in the seat `lease`, unless it was renewed since it was read. @throws KubeError */
export async function putOut(client: ShardClient, lease: KubeObject, signal: AbortSignal): Promise<void> {
  await client.replace(LEASE, freed(lease), signal).catch((error) => {
    if (!isConflict(error)) throw error; // renewed, or put out by another
  });
}

/** Writes the table of shards, each version of it once: what was written is seen when the watch brings it. */
export class TableWriter {
  readonly #client: ShardClient;
  readonly #group: { namespace: string; name: string };
  #wrote: { over: string | undefined; atMs: number } | undefined;

  constructor(client: ShardClient, group: { namespace: string; name: string }) {
    this.#client = client;
    this.#group = group;
  }

  /** Writes `table` over `lease`, or for the first time. @throws KubeError, 409 where another was faster */
  async write(lease: KubeObject | undefined, table: ShardTable, signal: AbortSignal): Promise<void> {
    const over = lease?.metadata.resourceVersion;
    const isUnseen = this.#wrote?.over === over && performance.now() < (this.#wrote?.atMs ?? 0) + UNSEEN_MS;
    if (isUnseen) return;
    this.#wrote = { over, atMs: performance.now() };
    const { namespace, name } = this.#group;
    const { metadata, ...rest } = lease ?? newLease({ namespace, name: tableName(name) });
    const labels = { ...metadata.labels, [GROUP_LABEL]: name };
    const annotations = { ...metadata.annotations, ...tableAnnotations(table) };
    const next = { ...rest, metadata: { ...metadata, labels, annotations } };
    await (lease === undefined ? this.#client.create(LEASE, next, signal) : this.#client.replace(LEASE, next, signal));
  }
}

/** What the table's Lease is called in the group `name`. */
export function tableName(name: string): string {
  return `${name}-shards`;
}
