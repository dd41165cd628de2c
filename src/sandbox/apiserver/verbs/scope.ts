import type { KubeObject } from "../../../resources/object.ts";
import { parseFieldSelector } from "../patch/field-selector.ts";
import { parseLabelSelector } from "../patch/label-selector.ts";
import { badRequest } from "../protocol/api-error.ts";
import type { ApiRequest, ResourcePath } from "../protocol/request.ts";
import { type Resource, selectableFields } from "../resources/resource.ts";
import type { ServerState } from "../server-state.ts";

/** One request for one resource, as every verb takes it. */
export interface Call {
  state: ServerState;
  resource: Resource;
  path: ResourcePath;
  request: ApiRequest;
}

/** Whether a list or watch is about an object. */
export type Filter = (stored: KubeObject) => boolean;

/** The filter of a request's namespace and selectors. @throws ApiError 400 for a selector that cannot be read or served */
export function filterOf({ resource, path, request }: Call): Filter {
  const tests: Filter[] = [];
  if (path.namespace !== "") tests.push((object) => object.metadata.namespace === path.namespace);
  if (path.name !== "") tests.push((object) => object.metadata.name === path.name);
  const labelSelector = request.query.get("labelSelector") ?? "";
  if (labelSelector !== "") {
    const matches = parseLabelSelector(labelSelector);
    tests.push((object) => matches(object.metadata.labels));
  }
  const fieldSelector = request.query.get("fieldSelector") ?? "";
  if (fieldSelector !== "") tests.push(fieldFilter(resource, fieldSelector));
  return (object) => tests.every((test) => test(object));
}

/** True when a request selects by label or field: then the number of objects that remain is not known. */
export function hasSelector({ request }: Call): boolean {
  return (request.query.get("labelSelector") ?? "") !== "" || (request.query.get("fieldSelector") ?? "") !== "";
}

function fieldFilter(resource: Resource, text: string): Filter {
  const known = selectableFields(resource, { apiVersion: "", kind: "", metadata: {} });
  const terms = parseFieldSelector(text);
  const unknown = terms.find(({ path }) => !Object.hasOwn(known, path));
  if (unknown !== undefined) throw badRequest(unknownField(resource, unknown.path, Object.keys(known)));
  return (object) => {
    const fields = selectableFields(resource, object);
    return terms.every(({ path, operator, value }) => (fields[path] === value) === (operator === "="));
  };
}

/** Kinds with fields of their own word it differently from those that have only a name and a namespace. */
function unknownField(resource: Resource, path: string, known: readonly string[]): string {
  if (resource.custom || resource.rules.fields !== undefined) return `field label not supported: ${path}`;
  return `${JSON.stringify(path)} is not a known field selector: only ${known.map((one) => JSON.stringify(one)).join(", ")}`;
}
