import { createHash } from "node:crypto";
import { apiVersionOf } from "../../../resources/kinds.ts";
import { type Answer, json } from "../protocol/answer.ts";
import type { Registry } from "../resources/registry.ts";
import type { Resource } from "../resources/resource.ts";
import { type Dialect, resourcePaths } from "./paths.ts";
import { publishedSchemas, schemaName, V3_PREFIX } from "./schemas.ts";

const DIALECT: Dialect = {
  parameter: (name, type) => ({ name, in: "query", schema: { type, uniqueItems: true } }),
  response: (resource) => ({
    description: "OK",
    content: { "application/json": { schema: { $ref: `${V3_PREFIX}${schemaName(resource)}` } } },
  }),
};

/** GET of `/openapi/v3` (the index) or of one group version below it; undefined where there is none. */
export function openApiV3(registry: Registry, segments: readonly string[]): Answer | undefined {
  const groups = Map.groupBy(registry.all(), documentPath);
  if (segments.length === 0) return json({ paths: Object.fromEntries([...groups].map(indexEntry)) });
  const resources = groups.get(segments.join("/"));
  return resources === undefined ? undefined : json(document(resources));
}

function documentPath(resource: Resource): string {
  return resource.group === "" ? `api/${resource.version}` : `apis/${apiVersionOf(resource)}`;
}

/** Clients keep a document as long as its hash stays: it must change with the schemas. */
function indexEntry([path, resources]: [string, Resource[]]): [string, object] {
  const state = JSON.stringify(
    resources.map((resource) => [resource.plural, resource.custom ? resource.schema.raw : ""]),
  );
  const hash = createHash("sha256").update(state).digest("hex").toUpperCase();
  return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
}

function document(resources: readonly Resource[]): object {
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "unversioned" },
    paths: Object.assign({}, ...resources.map((resource) => resourcePaths(resource, DIALECT))),
    components: { schemas: publishedSchemas(resources, V3_PREFIX) },
  };
}
