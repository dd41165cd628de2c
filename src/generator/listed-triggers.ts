import { downstreamSelector, originOf } from "./downstream.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { Cluster } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import { targetNamespaces } from "./sync-plan.ts";

/** UIDs of the triggers for which a rule has made what there is, asked of the API server: no watch may have named it yet. @throws ApiError */
export async function listTriggers(
  subject: PolicyRule,
  { cluster, catalog }: { cluster: Pick<Cluster, "listPages">; catalog: KindCatalog },
  signal: AbortSignal,
): Promise<Set<string>> {
  const triggers = new Set<string>();
  const labelSelector = downstreamSelector(subject.policy, subject.rule, {});
  for (const type of catalog.targetTypes(subject.rule))
    for (const namespace of targetNamespaces(subject, type, catalog))
      for await (const { items } of cluster.listPages(type, { namespace, labelSelector }, signal))
        for (const target of items) triggers.add(originOf(target)?.triggerUid ?? "");
  return triggers;
}
