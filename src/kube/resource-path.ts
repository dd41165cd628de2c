import { apiVersionOf, type ResourceType } from "../resources/kinds.ts";
import type { ObjectKey } from "../resources/object.ts";
import { KubeError } from "./kube-error.ts";

/** `/api/v1/…` or `/apis/group/version/…`: the path of a kind, in one namespace or in all (""). @throws KubeError */
export function collectionPath(type: ResourceType, namespace = ""): string {
  const root = type.group === "" ? "/api" : `/apis/${segment(type.group, "group")}`;
  const inside = type.namespaced && namespace !== "" ? `/namespaces/${segment(namespace, "metadata.namespace")}` : "";
  return `${root}/${segment(type.version, "version")}${inside}/${segment(type.plural, "plural")}`;
}

/** The path of one object. @throws KubeError 422 for a name that cannot stand in a path, before any request */
export function objectPath(type: ResourceType, { namespace, name }: ObjectKey): string {
  requireNamespace(type, namespace);
  return `${collectionPath(type, namespace)}/${segment(name, "metadata.name")}`;
}

/** Where objects of the kind are created. @throws KubeError 422 for a namespaced kind without namespace */
export function creationPath(type: ResourceType, namespace: string): string {
  requireNamespace(type, namespace);
  return collectionPath(type, namespace);
}

/** `?a=b&c=d` of what is set, or "". */
export function queryString(parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(key, String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}

/** `configmaps` or `notificationmessages.aitextensions.alauda.io`, for messages. */
export function describeType({ group, plural }: ResourceType): string {
  return group === "" ? plural : `${plural}.${group}`;
}

function requireNamespace(type: ResourceType, namespace: string): void {
  if (!type.namespaced || namespace !== "") return;
  throw invalid("metadata.namespace", `a ${type.kind} (${apiVersionOf(type)}) needs a namespace`);
}

/**
 * One path segment, encoded. The API server takes no `.`, `..`, `/` or `%` in a name either
 * (apimachinery IsValidPathSegmentName); encoding them could still reach another path behind a proxy that decodes.
 */
function segment(value: string, field: string): string {
  if (value === "" || value === "." || value === ".." || /[/%]/.test(value)) {
    throw invalid(field, `"${value}" cannot be a name: it must not be empty, "." or "..", nor hold "/" or "%"`);
  }
  return encodeURIComponent(value);
}

function invalid(field: string, message: string): KubeError {
  const details = { causes: [{ reason: "FieldValueInvalid", field, message }] };
  return new KubeError({ code: 422, reason: "Invalid", message: `Cannot address ${field}: ${message}`, details });
}
