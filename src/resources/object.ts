/** Any JSON value, as the Kubernetes API gives and takes it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The part of `metadata` that courier reads or writes; unknown fields pass through untouched. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: "Apply" | "Update";
  subresource?: string;
  [field: string]: unknown;
}

/** A Kubernetes object of any kind: identity and metadata typed, the rest as it came. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** Names one object of a known kind. `namespace` is "" for cluster-scoped kinds. */
export interface ObjectKey {
  namespace: string;
  name: string;
}

/** `namespace/name`, or the bare name of a cluster-scoped object: how kubectl and client-go print a key. */
export function formatKey({ namespace, name }: ObjectKey): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
