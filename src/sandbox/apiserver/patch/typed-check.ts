import { ApiError } from "../protocol/api-error.ts";
import type { SchemaNode } from "../schema/node.ts";
import { isRecord } from "../schema/values.ts";
import { type FieldPath, formatPath } from "./field-set.ts";
import { entryElement, type FieldType, fieldBelow } from "./field-type.ts";

/**
 * Refuses an applied object that server-side apply could not merge: undeclared fields, values of another type than the
 * schema's, list entries twice or without their keys. @throws ApiError 500, which is what the API server answers
 */
export function checkApplied(applied: unknown, schema: SchemaNode): void {
  const problems = findProblems(applied, schema, []);
  if (problems.length === 0) return;
  const message = `failed to create typed patch object: ${problems.join("\n")}`;
  throw new ApiError({ code: 500, reason: "", message });
}

function findProblems(value: unknown, type: FieldType, path: FieldPath): string[] {
  if (typeof type === "string" || value === null) return [];
  const wanted = mismatch(value, type);
  if (wanted !== undefined) return [`${formatPath(path)}: expected ${wanted}, got ${JSON.stringify(value)}`];
  if (Array.isArray(value)) return listProblems(value, type, path);
  return isRecord(value) ? fieldProblems(value, type, path) : [];
}

/** The type that the value should have had, in structured-merge-diff's word; undefined where it fits. */
function mismatch(value: unknown, { type, format, intOrString }: SchemaNode): string | undefined {
  if (intOrString || format === "int-or-string" || format === "quantity") return undefined;
  if (type === "object") return isRecord(value) ? undefined : "map";
  if (type === "array") return Array.isArray(value) ? undefined : "list";
  if (type === "string") return typeof value === "string" ? undefined : "string";
  if (type === "boolean") return typeof value === "boolean" ? undefined : "boolean";
  if (type === "integer" || type === "number") return typeof value === "number" ? undefined : "numeric (int or float)";
  return undefined;
}

function fieldProblems(value: Record<string, unknown>, type: SchemaNode, path: FieldPath): string[] {
  const isRoot = path.length === 0;
  const isOpen = type.preserveUnknown || type.additionalProperties !== undefined || type.properties.size === 0;
  return Object.entries(value).flatMap(([name, entry]) => {
    const at = [...path, `f:${name}`];
    if (isRoot && ["apiVersion", "kind", "metadata"].includes(name)) return [];
    if (!isOpen && !type.properties.has(name)) return [`${formatPath(at)}: field not declared in schema`];
    return findProblems(entry, fieldBelow(type, name, isRoot).type, at);
  });
}

function listProblems(value: unknown[], type: SchemaNode, path: FieldPath): string[] {
  if (type.listType === "atomic") return [];
  const seen = new Set<string>();
  return value.flatMap((entry, i) => {
    const element = entryElement(entry, type);
    if (element === undefined) {
      const missing = type.listMapKeys.find((key) => !isRecord(entry) || !Object.hasOwn(entry, key)) ?? "";
      const text = `element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(missing)}`;
      return [`${formatPath(path)}: ${text} (and doesn't have default value)`];
    }
    if (seen.has(element)) return [`${formatPath(path)}: duplicate entries for key ${formatPath([element])}`];
    seen.add(element);
    return type.listType === "map" ? findProblems(entry, type.items ?? "untyped", [...path, element]) : [];
  });
}
