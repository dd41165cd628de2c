import type { SeenObject } from "./change.ts";
import type { PolicyRule, Scope } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";

/** Up to where the changes of one scope are done. */
export interface WatchPosition extends Scope {
  resourceVersion: string;
}

/** A change that was under way, to be done again by whoever goes on: the request that it was, but for its kind. */
export type RecordedChange = Omit<ChangeRequest, "type">;

/** What a checkpoint knows of one kind. */
export interface KnownSource {
  /** The rules that looked at it. */
  rules: readonly PolicyRule[];
  positions: readonly WatchPosition[];
  objects: readonly SeenObject[];
  /** Changes that were under way; `objects` have them. For one object in their order. */
  open: readonly RecordedChange[];
  /** UIDs of objects that were gone, with the version of their end. */
  deleted: readonly (readonly [uid: string, version: string])[];
  /** Whether objects had no room in the checkpoint. */
  isPartial: boolean;
}
