import type { KubeObject } from "../resources/object.ts";
import type { Policy } from "./rule-model.ts";

/**
 * An object as Events name it. Events of cluster-scoped objects stand in namespace `default`, and the API server takes
 * one about a kind that it does not know itself only if both say the same namespace.
 */
export function eventReference({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace = "default", uid, resourceVersion } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } as KubeObject["metadata"] };
}

/** A policy that was read as Events name it; one of a file has no UID. */
export function policyReference({ apiVersion, kind, name, namespace, uid }: Policy): KubeObject {
  const metadata = { name, ...(namespace === "" ? {} : { namespace }), ...(uid === "" ? {} : { uid }) };
  return eventReference({ apiVersion, kind, metadata });
}
