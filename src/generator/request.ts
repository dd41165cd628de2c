import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Operation } from "./rule-model.ts";

/** One change as an admission request would have told it: what rules are evaluated on. */
export interface ChangeRequest {
  operation: Operation;
  type: ResourceType;
  /** The new object; on DELETE the deleted one. */
  object: KubeObject;
  /** The object before; undefined on CREATE. */
  oldObject: KubeObject | undefined;
}

/** `namespace/name` of the changed object. */
export function triggerKey({ object }: Pick<ChangeRequest, "object">): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`;
}
