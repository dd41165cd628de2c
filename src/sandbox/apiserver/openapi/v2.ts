import { parseAccept } from "../protocol/accept.ts";
import type { Answer } from "../protocol/answer.ts";
import { notAcceptable } from "../protocol/api-error.ts";
import type { JsonSchema } from "../resources/kind-schema.ts";
import type { Registry } from "../resources/registry.ts";
import { type Dialect, type Paths, resourcePaths } from "./paths.ts";
import { encodeDocument } from "./protobuf-document.ts";
import { publishedSchemas, schemaName, V2_PREFIX } from "./schemas.ts";

/** An OpenAPI v2 document, as far as it is filled here. */
export interface OpenApiV2 {
  swagger: "2.0";
  info: { title: string; version: string };
  paths: Paths;
  definitions: Record<string, JsonSchema>;
}

const DIALECT: Dialect = {
  parameter: (name, type) => ({ name, in: "query", type, uniqueItems: true }),
  response: (resource) => ({ description: "OK", schema: { $ref: `${V2_PREFIX}${schemaName(resource)}` } }),
};

const PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
/** Go cannot parse the media type that its own client asks for: a real server answers with this form of it. */
const PROTOBUF_ANSWER = PROTOBUF.replace("@", ".");

/** GET of `/openapi/v2`, as kubectl takes it (protobuf) or as JSON. @throws ApiError 406 */
export function openApiV2(registry: Registry, accept: string): Answer {
  for (const { type } of parseAccept(accept)) {
    if (type === PROTOBUF.toLowerCase())
      return { code: 200, body: { bytes: encodeDocument(build(registry)), type: PROTOBUF_ANSWER } };
    if (["application/json", "application/*", "*/*", ""].includes(type))
      return { code: 200, body: { value: build(registry) } };
  }
  throw notAcceptable(["application/json", PROTOBUF]);
}

/** v2 knows fewer keywords than CRDs use: what it does not know is left out of custom schemas. */
function build(registry: Registry): OpenApiV2 {
  const resources = registry.all();
  const schemas = publishedSchemas(resources, V2_PREFIX);
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: "v1.32.0-courier" },
    paths: Object.assign({}, ...resources.map((resource) => resourcePaths(resource, DIALECT))),
    definitions: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, toV2(schema) as JsonSchema]),
    ),
  };
}

const NOT_IN_V2 = new Set(["oneOf", "anyOf", "not", "nullable"]);

function toV2(node: unknown, isSchema = true): unknown {
  if (Array.isArray(node)) return node.map((item) => toV2(item));
  if (typeof node !== "object" || node === null) return node;
  const { nullable = false, "x-kubernetes-preserve-unknown-fields": open = false } = isSchema
    ? (node as JsonSchema)
    : {};
  const entries = Object.entries(node).filter(([key]) => !isSchema || !NOT_IN_V2.has(key));
  const kept = entries.map(([key, value]) => [key, toV2(value, key !== "properties" || !isSchema)] as const);
  // Old clients validate with this document: where v2 cannot say what is allowed, nothing is said.
  const dropped = open === true || nullable === true ? new Set(["type", "items", "properties"]) : new Set<string>();
  return Object.fromEntries(kept.filter(([key]) => !dropped.has(key)));
}
