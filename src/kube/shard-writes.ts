/** What members of a group of replicas write beside their own seats. A resourceVersion guards each write. */
import type { ShardTable } from "../control/shards.ts";
import { LEASE } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { KubeClient } from "./client.ts";
import { freed, isConflict, newLease } from "./lease-lock.ts";
import { GROUP_LABEL, tableAnnotations } from "./shard-view.ts";

export type ShardClient = Pick<KubeClient, "get" | "create" | "replace" | "listPages" | "openWatch">;

/** Ends the tenure in the seat `lease`, unless it was renewed since it was read. @throws KubeError */
export async function putOut(client: ShardClient, lease: KubeObject, signal: AbortSignal): Promise<void> {
  await client.replace(LEASE, freed(lease), signal).catch((error) => {
    if (!isConflict(error)) throw error; // renewed, or put out by another
  });
}

/** Writes `table` over `lease`, or for the first time. @throws KubeError, 409 where another was faster */
export async function writeTable(
  client: ShardClient,
  { namespace, name }: { namespace: string; name: string },
  lease: KubeObject | undefined,
  table: ShardTable,
  signal: AbortSignal,
): Promise<void> {
  const { metadata, ...rest } = lease ?? newLease({ namespace, name: tableName(name) });
  const labels = { ...metadata.labels, [GROUP_LABEL]: name };
  const annotations = { ...metadata.annotations, ...tableAnnotations(table) };
  const next = { ...rest, metadata: { ...metadata, labels, annotations } };
  await (lease === undefined ? client.create(LEASE, next, signal) : client.replace(LEASE, next, signal));
}

/** What the table's Lease is called in the group `name`. */
export function tableName(name: string): string {
  return `${name}-shards`;
}
