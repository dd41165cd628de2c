import type { JsonSchema } from "../resources/kind-schema.ts";
// The published OpenAPI definitions of Kubernetes 1.32 for the kinds served here, descriptions cut to one sentence.
import definitions from "./kubernetes-definitions.json" with { type: "json" };

const REF = "#/definitions/";

/** Name → OpenAPI v2 definition, `$ref`s unresolved. */
export const DEFINITIONS = definitions as unknown as Readonly<Record<string, JsonSchema>>;

/** The definition that `group/version` names `kind`. */
export function definitionName(group: string, version: string, kind: string): string {
  const found = Object.entries(DEFINITIONS).find(([, schema]) => describes(schema, group, version, kind));
  if (found === undefined)
    throw new Error(`Cannot find the definition of "${group}/${version} ${kind}": not in kubernetes-definitions.json`);
  return found[0];
}

function describes(schema: JsonSchema, group: string, version: string, kind: string): boolean {
  const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as { group: string; version: string; kind: string }[];
  return kinds.some((one) => one.group === group && one.version === version && one.kind === kind);
}

/** A definition with every `$ref` replaced by what it names; a recursive one ends in an open object. */
export function inlineDefinition(name: string, path: readonly string[] = []): JsonSchema {
  if (path.includes(name)) return { "x-kubernetes-preserve-unknown-fields": true };
  return inline(DEFINITIONS[name] ?? {}, [...path, name]) as JsonSchema;
}

function inline(node: unknown, path: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((item) => inline(item, path));
  if (typeof node !== "object" || node === null) return node;
  const { $ref, ...rest } = node as JsonSchema;
  if (typeof $ref === "string") return { ...inlineScalar($ref.slice(REF.length), path), ...rest };
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, inline(value, path)]));
}

/** Types whose JSON form is not what their definition says: free-form JSON, and numbers that may be texts. */
function inlineScalar(name: string, path: readonly string[]): JsonSchema {
  const definition = inlineDefinition(name, path);
  if (name.endsWith(".IntOrString")) return { "x-kubernetes-int-or-string": true };
  if (name.endsWith(".Quantity")) return { "x-kubernetes-int-or-string": true };
  if (name.endsWith(".JSON") || name.endsWith("OrBool") || name.endsWith("OrArray") || name.endsWith("OrStringArray")) {
    return { "x-kubernetes-preserve-unknown-fields": true };
  }
  if (name.endsWith(".FieldsV1") || name.endsWith(".RawExtension")) {
    return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  }
  return definition;
}
