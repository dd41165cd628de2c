import { randomUUID } from "node:crypto";
import type { KubeObject } from "../../resources/object.ts";
import { NAMESPACE_RULES } from "./kinds/simple.ts";
import { NAMESPACE_COLLECTION } from "./resources/builtin.ts";
import type { Store } from "./store/store.ts";
import { timestamp } from "./verbs/metadata.ts";

const NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** The namespaces that every cluster has. */
export function seedNamespaces(store: Store): void {
  for (const name of NAMESPACES) {
    const namespace: KubeObject = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, uid: randomUUID(), creationTimestamp: timestamp() },
    };
    NAMESPACE_RULES.prepare?.(namespace, undefined);
    store.put(NAMESPACE_COLLECTION, { namespace: "", name }, namespace);
  }
}
