import type { SeenObject } from "./change.ts";
import type { PolicyRule, Scope } from "./reach.ts";

/** Up to where the changes of one scope are done. */
export interface WatchPosition extends Scope {
  resourceVersion: string;
}

/** What a checkpoint knows of one kind. */
export interface KnownSource {
  /** The rules that looked at it. */
  rules: readonly PolicyRule[];
  positions: readonly WatchPosition[];
  objects: readonly SeenObject[];
  /** UIDs of objects that were gone, with the version of their end. */
  deleted: readonly (readonly [uid: string, version: string])[];
  /** Whether objects had no room in the checkpoint. */
  isPartial: boolean;
}
