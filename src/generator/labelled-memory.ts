import type { KubeObject } from "../resources/object.ts";
import { originOf, SOURCE_UID_LABEL, targetLabels } from "./downstream.ts";

/** An object that bears a rule's labels, as a checkpoint keeps it: what it takes to know that it is gone, and whose it was. */
export type RememberedObject = readonly [
  uid: string,
  resourceVersion: string,
  namespace: string,
  name: string,
  /** Absent for what no rule made. */
  made?: readonly [policyNamespace: string, policy: string, rule: string, triggerUid: string, sourceUid: string],
];

/** What a checkpoint keeps of one kind: what synchronized rules made, and what they copied. */
export interface LabelledObjects {
  targets: readonly RememberedObject[];
  sources: readonly RememberedObject[];
}

/** The short form of a target or clone source. */
export function shorten(object: KubeObject): RememberedObject {
  const { uid = "", resourceVersion = "", namespace = "", name = "", labels } = object.metadata;
  const origin = originOf(object);
  if (origin === undefined) return [uid, resourceVersion, namespace, name];
  const { policyNamespace, policy, rule, triggerUid } = origin;
  const made = [policyNamespace, policy, rule, triggerUid, labels?.[SOURCE_UID_LABEL] ?? ""] as const;
  return [uid, resourceVersion, namespace, name, made];
}

/** The object as far as the short form says it. @param typeKey `apiVersion/kind` */
export function lengthen(typeKey: string, [uid, resourceVersion, namespace, name, made]: RememberedObject): KubeObject {
  const end = typeKey.lastIndexOf("/");
  const labels = made === undefined ? {} : targetLabels(...made);
  const metadata = { uid, resourceVersion, name, labels, ...(namespace === "" ? {} : { namespace }) };
  return { apiVersion: typeKey.slice(0, end), kind: typeKey.slice(end + 1), metadata };
}
