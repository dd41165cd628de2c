import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Operation } from "./rule-model.ts";

/** "" where nobody asked for anything: an object that exists is looked at again. */
export type RequestOperation = Operation | "";

/** One change as an admission request would have told it: what rules are evaluated on. */
export interface ChangeRequest {
  operation: RequestOperation;
  type: ResourceType;
  /** The new object; on DELETE the deleted one. */
  object: KubeObject;
  /** The object before; undefined on CREATE and where nothing changed. */
  oldObject: KubeObject | undefined;
  /** The version at which the change was made; absent where that is not known, or nothing changed. */
  changedAt?: string;
}

/** `namespace/name` of the changed object. */
export function triggerKey({ object }: Pick<ChangeRequest, "object">): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}
