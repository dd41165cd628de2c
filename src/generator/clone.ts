import { isDeepStrictEqual } from "node:util";
import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { TargetIdentity } from "./build.ts";
import { CLONE_SOURCE_LABEL, SOURCE_UID_LABEL } from "./downstream.ts";

/** Set by the API server, or true of the source alone. */
const NOT_COPIED = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
];

/** A copy of an object under another name or in another namespace; its labels say what it is a copy of. */
export function copyObject(
  source: KubeObject,
  type: ResourceType,
  { apiVersion, kind, namespace, name }: TargetIdentity,
  labels: Record<string, string>,
): KubeObject {
  const { metadata, ...content } = source;
  const isElsewhere = (metadata.namespace ?? "") !== namespace;
  const dropped = ["namespace", "labels", ...NOT_COPIED, ...(isElsewhere ? ["ownerReferences"] : [])];
  const kept = Object.fromEntries(Object.entries(metadata).filter(([field]) => !dropped.includes(field)));
  const { [CLONE_SOURCE_LABEL]: _, ...own } = metadata.labels ?? {};
  return {
    ...content,
    apiVersion,
    kind,
    metadata: {
      ...kept,
      name,
      ...(namespace === "" ? {} : { namespace }),
      labels: { ...own, ...sourceLabels(source, type), ...labels },
    },
  };
}

function sourceLabels({ metadata }: KubeObject, { group, version, kind }: ResourceType): Record<string, string> {
  return {
    "generate.kyverno.io/source-group": group,
    "generate.kyverno.io/source-version": version,
    "generate.kyverno.io/source-kind": kind,
    "generate.kyverno.io/source-namespace": metadata.namespace ?? "",
    [SOURCE_UID_LABEL]: metadata.uid ?? "",
  };
}

/** Whether writing `target` over `live` would change nothing but what the API server sets itself, and status. */
export function isUpToDate(live: KubeObject, target: KubeObject): boolean {
  return isDeepStrictEqual(comparable(live), comparable(target));
}

function comparable({ status: _, metadata, ...content }: KubeObject): object {
  const entries = Object.entries(metadata).filter(([field, value]) => !NOT_COPIED.includes(field) && !isEmpty(value));
  return { ...content, metadata: Object.fromEntries(entries) };
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
