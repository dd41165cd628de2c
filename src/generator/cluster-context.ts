import { CONFIG_MAP, NAMESPACE } from "../resources/kinds.ts";
import type { Json } from "../resources/object.ts";
import type { ContextSource } from "./context.ts";
import { LookupError, messageOf } from "./errors.ts";
import { GlobalContext, type GlobalContextCluster } from "./global-context.ts";
import type { JsonObject } from "./jmespath/values.ts";
import type { KindCatalog } from "./kind-catalog.ts";

/** Context entries and namespace labels, read afresh from the cluster each time; GlobalContextEntries as {@link GlobalContext} does. */
export function clusterContext(cluster: GlobalContextCluster, catalog: KindCatalog): ContextSource {
  const globalContext = new GlobalContext(cluster, catalog, () => performance.now());
  return {
    globalEntry: (name, signal) => globalContext.entry(name, signal),
    globalData: (entry, signal) => globalContext.data(entry, signal),
    async configMap(namespace, name, signal) {
      const found = await cluster.get(CONFIG_MAP, { namespace, name }, signal);
      if (found === undefined) return undefined;
      return { data: (found["data"] ?? {}) as Json, metadata: found.metadata as unknown as JsonObject };
    },
    async apiCall(path, signal) {
      return (await cluster.raw(path, signal)) as Json;
    },
    async namespaceLabels(name, signal) {
      const found = await cluster.get(NAMESPACE, { namespace: "", name }, signal).catch((error: unknown) => {
        throw signal?.aborted
          ? error
          : new LookupError(`cannot read the labels of namespace "${name}": ${messageOf(error)}`);
      });
      if (found === undefined) throw new LookupError(`namespace "${name}" does not exist: its labels are not known`);
      return found.metadata.labels ?? {};
    },
  };
}
