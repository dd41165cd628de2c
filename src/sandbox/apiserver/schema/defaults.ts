import type { SchemaNode } from "./node.ts";
import { isRecord } from "./values.ts";

/**
 * The value with its schema's defaults. As kube-apiserver does, a null in a field that is not nullable gives way to the
 * default, or disappears where there is none; a null in a list stays, for validation to refuse.
 */
export function defaultValue(value: unknown, schema: SchemaNode | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) return value.map((entry) => defaultValue(entry, schema.items));
  if (!isRecord(value)) return value;
  const present = Object.entries(value).filter(([name, entry]) => entry !== null || mayBeNull(schema, name));
  const names = new Set(present.map(([name]) => name));
  const missing = [...schema.properties].filter(([name, property]) => property.hasDefault && !names.has(name));
  return Object.fromEntries(
    [...present, ...missing.map(([name, property]) => [name, structuredClone(property.default)] as const)].map(
      ([name, entry]) => [name, defaultValue(entry, childSchema(schema, name))],
    ),
  );
}

function childSchema(schema: SchemaNode, name: string): SchemaNode | undefined {
  const additional = schema.additionalProperties;
  return schema.properties.get(name) ?? (typeof additional === "object" ? additional : undefined);
}

/** Fields without a schema (preserved ones, metadata) keep their nulls. */
function mayBeNull(schema: SchemaNode, name: string): boolean {
  return childSchema(schema, name)?.nullable ?? true;
}
