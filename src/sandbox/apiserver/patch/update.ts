import type { StructuralSchema } from "../schema/index.ts";
import { isRecord } from "../schema/values.ts";
import { difference, union } from "./field-set.ts";
import { compareObjects } from "./field-walk.ts";
import { isSameManager, type Manager, readManagers, withManagers } from "./managers.ts";

/** A write that is no apply. `before` is undefined for a create; `time` is RFC 3339, in whole seconds. */
export interface UpdateInput<T> {
  before: unknown;
  after: T;
  manager: string;
  operation?: "Update";
  subresource?: string;
  apiVersion: string;
  time: string;
  schema?: StructuralSchema;
}

/**
 * `after` with `managedFields` that give the changed fields to this manager and take them from the others.
 * A client that sends `managedFields: [{}]` clears them.
 */
export function updateManagedFields<T>(input: UpdateInput<T>): T {
  const { before, after, schema } = input;
  const { added, modified, removed } = compareObjects(before, after, schema?.node ?? "deduced");
  const changed = union(added, modified);
  const self = updater(input);
  const managers = currentManagers(before, after);
  const previous = managers.find((manager) => isSameManager(manager, self));
  const others = managers
    .filter((manager) => manager !== previous)
    .map((other) => ({ ...other, fields: difference(other.fields, union(changed, removed)) }));
  const fields = union(difference(previous?.fields ?? new Set(), removed), changed);
  const time = changed.size === 0 ? (previous?.time ?? self.time) : self.time;
  return withManagers(after, [...others, { ...self, fields, time }]);
}

function updater<T>({ manager, subresource, apiVersion, time }: UpdateInput<T>): Manager & { time: string } {
  const where = subresource === undefined ? {} : { subresource };
  return { manager, operation: "Update", apiVersion, ...where, time, fields: new Set() };
}

function currentManagers(before: unknown, after: unknown): Manager[] {
  const sent = managedFieldsOf(after);
  const isGiven = Array.isArray(sent) && sent.length > 0;
  return readManagers(isGiven ? sent : managedFieldsOf(before));
}

/** The raw `metadata.managedFields` of an object that may be anything. */
export function managedFieldsOf(object: unknown): unknown {
  return isRecord(object) && isRecord(object.metadata) ? object.metadata.managedFields : undefined;
}
