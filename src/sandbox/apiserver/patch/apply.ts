import type { StructuralSchema } from "../schema/index.ts";
import { isEqual, isRecord } from "../schema/values.ts";
import { difference, formatPath, intersection, readPath, union, withAncestors } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { compareObjects, fieldsOf, mergeObjects, removeFields } from "./field-walk.ts";
import { formatManager, isSameManager, type Manager, readManagers, sameFields, withManagers } from "./managers.ts";
import { checkApplied } from "./typed-check.ts";
import { managedFieldsOf } from "./update.ts";

/** One server-side apply. `live` is undefined for an object that does not exist; `time` is RFC 3339, in whole seconds. */
export interface ApplyInput {
  live: unknown;
  applied: Record<string, unknown>;
  manager: string;
  force: boolean;
  schema?: StructuralSchema;
  subresource?: string;
  time: string;
}

/** A field that another manager owns; `manager` as the API server prints it (`"ed" using v1`), `field` as `.data.a`. */
export interface ApplyConflict {
  manager: string;
  field: string;
}

/** The merged object; or, where nothing was written, whose fields stood in the way and the 409's message. */
export type ApplyResult = { object: Record<string, unknown> } | { conflicts: ApplyConflict[]; message: string };

/** Managed fields begin with the first apply: what was there before belongs to this name. */
const BEFORE_FIRST_APPLY = "before-first-apply";

/**
 * Applies an object as its manager's whole intent: its fields are set, the manager's former fields that nobody else
 * owns are removed. Source: structured-merge-diff as kube-apiserver 1.20 uses it.
 * @throws ApiError 500 where the object does not fit its schema
 */
export function serverSideApply(input: ApplyInput): ApplyResult {
  const { live, schema, force } = input;
  const applied = withoutManagedFields(input.applied);
  const type = schema?.node ?? "deduced";
  if (schema) checkApplied(applied, schema.node);
  const before = liveManagers(live, input, type);
  const self = applier(input, fieldsOf(applied, type));
  const last = before.find((manager) => isSameManager(manager, self));
  const others = before.filter((manager) => manager !== last);

  const merged = mergeObjects(live, applied, type);
  const result = prune(merged, last, [self, ...others], type);
  const { added, modified, removed } = compareObjects(live, result, type);
  const changed = union(added, modified);
  const conflicts = findConflicts(others, changed);
  if (conflicts.length > 0 && !force) return { conflicts, message: conflictMessage(conflicts) };

  const left = others.map((other) => ({ ...other, fields: difference(other.fields, union(changed, removed)) }));
  const isSame = last !== undefined && sameFields(last.fields, self.fields) && isEqual(live, result);
  const kept = isSame && last.time !== undefined ? { ...self, time: last.time } : self;
  return { object: withManagers(result, [...left, kept]) };
}

function applier({ applied, manager, subresource, time }: ApplyInput, fields: Set<string>): Manager {
  const where = subresource === undefined ? {} : { subresource };
  return { manager, operation: "Apply", apiVersion: String(applied.apiVersion), ...where, time, fields };
}

function withoutManagedFields(applied: Record<string, unknown>): Record<string, unknown> {
  if (!isRecord(applied.metadata)) return applied;
  const { managedFields: _, ...metadata } = applied.metadata;
  return { ...applied, metadata };
}

function liveManagers(live: unknown, { applied, time }: ApplyInput, type: FieldType): Manager[] {
  const managers = readManagers(managedFieldsOf(live));
  if (live === undefined || managers.length > 0) return managers;
  const apiVersion = String(applied.apiVersion);
  const fields = fieldsOf(live, type);
  return [{ manager: BEFORE_FIRST_APPLY, operation: "Update", apiVersion, time, fields }];
}

/** Drops what the manager applied last time, does not apply now, and nobody owns. */
function prune(
  merged: unknown,
  last: Manager | undefined,
  managers: Manager[],
  type: FieldType,
): Record<string, unknown> {
  const owned = new Set(managers.flatMap(({ fields }) => [...fields]));
  const dropped = difference(last?.fields ?? new Set(), withAncestors(owned));
  const left = dropped.size === 0 ? merged : removeFields(merged, dropped, owned, type);
  return isRecord(left) ? left : {};
}

function findConflicts(others: Manager[], changed: ReadonlySet<string>): ApplyConflict[] {
  return others.flatMap((other) =>
    [...intersection(other.fields, changed)].sort().map((key) => ({
      manager: formatManager(other),
      field: formatPath(readPath(key)),
    })),
  );
}

function conflictMessage(conflicts: ApplyConflict[]): string {
  const [only] = conflicts;
  if (conflicts.length === 1 && only) {
    return `Apply failed with 1 conflict: conflict with ${only.manager}: ${only.field}`;
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => manager);
  const lines = [...byManager]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([manager, fields]) => [`conflicts with ${manager}:`, ...fields.map(({ field }) => `- ${field}`)]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}
