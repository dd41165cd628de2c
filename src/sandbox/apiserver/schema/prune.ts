import type { SchemaNode } from "./node.ts";
import { childPath, isRecord } from "./values.ts";

/** Every object keeps these, whatever its schema says. Their own fields are the server's to check. */
const RESOURCE_FIELDS = new Set(["apiVersion", "kind", "metadata"]);

/**
 * The value without the fields its schema does not declare, and those fields' paths (`spec.list[0].foo`).
 * `x-kubernetes-preserve-unknown-fields` keeps undeclared fields of its own level only; declared ones are pruned below it.
 */
export function pruneValue(value: unknown, schema: SchemaNode): { value: unknown; pruned: string[] } {
  const pruned: string[] = [];
  return { value: pruneNode(value, schema, "", pruned, true), pruned: pruned.sort() };
}

function pruneNode(
  value: unknown,
  schema: SchemaNode | undefined,
  path: string,
  pruned: string[],
  isResource = false,
): unknown {
  if (Array.isArray(value)) {
    if (schema?.preserveUnknown && schema.items === undefined) return value;
    return value.map((entry, i) => pruneNode(entry, schema?.items, `${path}[${i}]`, pruned, schema?.items?.embedded));
  }
  if (!isRecord(value)) return value;
  // fromEntries defines own properties, so that a field named __proto__ stays data
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, entry]) => {
      if (isResource && RESOURCE_FIELDS.has(name)) return [[name, entry]];
      const at = childPath(path, name);
      const property = schema?.properties.get(name);
      if (property) return [[name, pruneNode(entry, property, at, pruned, property.embedded)]];
      if (schema?.preserveUnknown) return [[name, entry]];
      const additional = schema?.additionalProperties;
      if (additional === undefined) {
        pruned.push(at);
        return [];
      }
      const below = typeof additional === "boolean" ? undefined : additional;
      return [[name, pruneNode(entry, below, at, pruned, below?.embedded)]];
    }),
  );
}
