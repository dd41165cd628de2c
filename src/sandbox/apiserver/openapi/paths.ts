import { apiVersionOf } from "../../../resources/kinds.ts";
import type { Resource } from "../resources/resource.ts";

type Operation = Record<string, unknown>;
export type Paths = Record<string, Record<string, unknown>>;

const WRITE_PARAMETERS = ["dryRun", "fieldManager", "fieldValidation"];

/** How a document names the schema of a resource, and writes a parameter. */
export interface Dialect {
  parameter(name: string, type: "string" | "boolean"): object;
  response(resource: Resource): object;
}

/**
 * The paths of a resource with their operations: as much as clients look for. kubectl finds a kind by the operation's
 * `x-kubernetes-group-version-kind`, and by PATCH's parameters what the server can validate and dry-run.
 */
export function resourcePaths(resource: Resource, dialect: Dialect): Paths {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const collection = `${root}/${resource.namespaced ? "namespaces/{namespace}/" : ""}${resource.plural}`;
  const operation = (action: string, parameters: string[] = []) => toOperation(resource, dialect, action, parameters);
  const object = {
    get: operation("get"),
    put: operation("put", WRITE_PARAMETERS),
    patch: operation("patch", [...WRITE_PARAMETERS, "force"]),
    delete: operation("delete", ["dryRun"]),
  };
  return {
    [collection]: {
      get: operation("list"),
      post: operation("post", WRITE_PARAMETERS),
      delete: operation("deletecollection"),
    },
    [`${collection}/{name}`]: object,
    ...(resource.namespaced ? { [`${root}/${resource.plural}`]: { get: operation("list") } } : {}),
    ...(resource.hasStatus
      ? { [`${collection}/{name}/status`]: { get: object.get, put: object.put, patch: object.patch } }
      : {}),
  };
}

function toOperation(resource: Resource, dialect: Dialect, action: string, parameters: string[]): Operation {
  const { group, version, kind } = resource;
  return {
    operationId: `${action}${resource.kind}${group.replace(/[^A-Za-z0-9]/g, "")}${version}`,
    parameters: parameters.map((name) => dialect.parameter(name, name === "force" ? "boolean" : "string")),
    responses: { 200: dialect.response(resource) },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind },
  };
}
