import { readSchema, type SchemaNode } from "../schema/node.ts";
import { isRecord, ownField } from "../schema/values.ts";

/**
 * What server-side apply knows of a place in an object: its schema; nothing because the object has none ("deduced":
 * objects merge, lists are atomic); or nothing because its schema preserves unknown fields ("untyped": atomic).
 * As kube-apiserver 1.20 does.
 */
export type FieldType = SchemaNode | "deduced" | "untyped";

const METADATA = readSchema({
  type: "object",
  properties: {
    labels: { type: "object", additionalProperties: { type: "string" } },
    annotations: { type: "object", additionalProperties: { type: "string" } },
    finalizers: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    ownerReferences: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      items: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  },
  "x-kubernetes-preserve-unknown-fields": true,
});

/** A field's type below its object's, and whether the schema names that field, rather than allowing any name. */
export function fieldBelow(type: FieldType, name: string, isRoot: boolean): { type: FieldType; isNamed: boolean } {
  if (isRoot && name === "metadata") return { type: METADATA, isNamed: true };
  if (type === "deduced") return { type: "deduced", isNamed: isRoot };
  if (type === "untyped") return { type: "untyped", isNamed: false };
  const property = type.properties.get(name);
  if (property !== undefined) return { type: property, isNamed: true };
  const additional = type.additionalProperties;
  return { type: typeof additional === "object" ? additional : "untyped", isNamed: isRoot };
}

/** How a value merges: field by field, entry by entry, or as a whole. */
export function shapeOf(value: unknown, type: FieldType): "fields" | "entries" | "leaf" {
  if (isRecord(value))
    return type === "untyped" || (type !== "deduced" && type.mapType === "atomic") ? "leaf" : "fields";
  if (!Array.isArray(value) || typeof type === "string" || type.listType === "atomic") return "leaf";
  return "entries";
}

/** Ports are listed by number and protocol, and few manifests name the protocol. OpenAPI does not always give its default. */
const KEY_DEFAULTS = new Map([["protocol", "TCP"]]);

/** The path element of a list entry: its keys for a map, itself for a set; undefined where a key is missing. */
export function entryElement(entry: unknown, type: SchemaNode): string | undefined {
  if (type.listType === "set") return `v:${JSON.stringify(entry)}`;
  if (!isRecord(entry)) return undefined;
  const keys = [...type.listMapKeys].sort().map((name) => {
    const property = type.items?.properties.get(name);
    const fallback = property?.hasDefault ? property.default : KEY_DEFAULTS.get(name);
    return [name, ownField(entry, name) ?? fallback] as const;
  });
  if (keys.some(([, value]) => value === undefined)) return undefined;
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/** A list's entries by their path element. Entries without their keys, which validation refuses, are left out. */
export function entriesOf(list: unknown, type: SchemaNode): Map<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const entry of Array.isArray(list) ? list : []) {
    const element = entryElement(entry, type);
    if (element !== undefined) entries.set(element, entry);
  }
  return entries;
}
