import type { JsonSchema } from "../resources/kind-schema.ts";
import type { Resource } from "../resources/resource.ts";
import { DEFINITIONS, definitionName } from "./definitions.ts";

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** The name of a resource's schema: Kubernetes' own for built-in kinds, reversed group for custom ones. */
export function schemaName({ custom, group, version, kind }: Resource): string {
  if (!custom) return definitionName(group, version, kind);
  return `${group.split(".").reverse().join(".")}.${version}.${kind}`;
}

/** Every schema that these resources need, by name; `refPrefix` is where the document keeps them. */
export function publishedSchemas(resources: readonly Resource[], refPrefix: string): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  const builtin = resources.filter(({ custom }) => !custom).map(schemaName);
  for (const name of [OBJECT_META, ...builtin]) addWithReferences(name, schemas);
  for (const resource of resources) if (resource.custom) schemas[schemaName(resource)] = customSchema(resource);
  return refPrefix === V2_PREFIX ? schemas : (moveReferences(schemas, refPrefix) as Record<string, JsonSchema>);
}

export const V2_PREFIX = "#/definitions/";
export const V3_PREFIX = "#/components/schemas/";

function addWithReferences(name: string, schemas: Record<string, JsonSchema>): void {
  const definition = DEFINITIONS[name];
  if (definition === undefined || Object.hasOwn(schemas, name)) return;
  schemas[name] = definition;
  for (const reference of references(definition)) addWithReferences(reference, schemas);
}

function references(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { $ref } = node as JsonSchema;
  const own = typeof $ref === "string" ? [$ref.slice(V2_PREFIX.length)] : [];
  return [...own, ...Object.values(node).flatMap(references)];
}

function moveReferences(node: unknown, prefix: string): unknown {
  if (Array.isArray(node)) return node.map((item) => moveReferences(item, prefix));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === "$ref" && typeof value === "string" ? value.replace(V2_PREFIX, prefix) : moveReferences(value, prefix),
    ]),
  );
}

/** A custom kind's schema, with the fields that every object has. */
function customSchema({ schema, group, version, kind }: Resource): JsonSchema {
  const properties = (schema.raw["properties"] ?? {}) as JsonSchema;
  return {
    ...schema.raw,
    type: "object",
    properties: {
      ...properties,
      apiVersion: { type: "string", description: "The versioned schema of this representation of an object." },
      kind: { type: "string", description: "The REST resource this object represents." },
      metadata: { description: "Standard object's metadata.", $ref: `${V2_PREFIX}${OBJECT_META}` },
    },
    "x-kubernetes-group-version-kind": [{ group, version, kind }],
  };
}
