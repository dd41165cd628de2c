import type { KubeObject } from "../resources/object.ts";

/**
 * A policy as Events name it. Events of cluster-scoped objects stand in namespace `default`, and the API server takes
 * one about a kind that it does not know itself only if both say the same namespace.
 */
export function policyReference({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace = "default", uid, resourceVersion } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } as KubeObject["metadata"] };
}
