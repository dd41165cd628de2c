import { describeType, type FieldReader, type Fields, isObject } from "../resources/fields.ts";
import { parseKindSelector } from "./kind-selector.ts";
import { refuseUnknown, textMap } from "./parse-fields.ts";
import type { FilterGroup, KindSelector, LabelRequirement, LabelSelector, ResourceFilter } from "./rule-model.ts";

const USER_FIELDS = ["subjects", "roles", "clusterRoles"];
const RESOURCE_FIELDS = [
  "annotations",
  "kinds",
  "name",
  "names",
  "namespaceSelector",
  "namespaces",
  "operations",
  "selector",
];
const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** Reads `match` or `exclude` in its three forms: any, all, or one filter by itself. Undefined where it is absent or empty. */
export function parseFilterGroup(value: unknown, path: string, reader: FieldReader): FilterGroup | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) {
    reader.problems.push({ path, message: `must be an object and is ${describeType(value)}` });
    return undefined;
  }
  refuseUnknown(value, path, ["any", "all", "resources", ...USER_FIELDS], reader);
  const any = reader.list(value, path, "any");
  const all = reader.list(value, path, "all");
  if (any.length > 0 && all.length > 0)
    reader.problems.push({ path, message: "has any and all: only one of them may be given" });
  if (any.length > 0) return { mode: "any", filters: parseFilters(any, `${path}.any`, reader) };
  if (all.length > 0) return { mode: "all", filters: parseFilters(all, `${path}.all`, reader) };
  const isFlat = ["resources", ...USER_FIELDS].some((name) => value[name] !== undefined);
  return isFlat ? { mode: "all", filters: [parseFilter(value, path, reader)] } : undefined;
}

function parseFilters(items: unknown[], path: string, reader: FieldReader): ResourceFilter[] {
  return items.flatMap((item, index) => {
    if (isObject(item)) {
      refuseUnknown(item, `${path}[${index}]`, ["resources", ...USER_FIELDS], reader);
      return [parseFilter(item, `${path}[${index}]`, reader)];
    }
    reader.problems.push({ path: `${path}[${index}]`, message: `must be an object and is ${describeType(item)}` });
    return [];
  });
}

function parseFilter(filter: Fields, path: string, reader: FieldReader): ResourceFilter {
  const resources = reader.object(filter, path, "resources") ?? {};
  const at = `${path}.resources`;
  refuseUnknown(resources, at, RESOURCE_FIELDS, reader);
  const name = reader.text(resources, at, "name") ?? "";
  const names = reader.texts(resources, at, "names");
  if (name !== "" && names.length > 0)
    reader.problems.push({ path: at, message: "has name and names: only one of them may be given" });
  return {
    kinds: parseKinds(resources, at, reader),
    names: name === "" ? names : [name],
    namespaces: reader.texts(resources, at, "namespaces"),
    annotations: textMap(resources, at, "annotations", reader),
    selector: parseSelector(resources, at, "selector", reader),
    namespaceSelector: parseSelector(resources, at, "namespaceSelector", reader),
    operations: parseOperations(resources, at, reader),
    hasUserInfo: USER_FIELDS.some((user) => reader.list(filter, path, user).length > 0),
  };
}

function parseKinds(resources: Fields, path: string, reader: FieldReader): KindSelector[] {
  return reader.texts(resources, path, "kinds").flatMap((text, index) => {
    const selector = parseKindSelector(text);
    if (typeof selector !== "string") return [selector];
    reader.problems.push({ path: `${path}.kinds[${index}]`, message: selector });
    return [];
  });
}

function parseOperations(resources: Fields, path: string, reader: FieldReader): string[] {
  return reader.texts(resources, path, "operations").map((operation, index) => {
    const at = `${path}.operations[${index}]`;
    if (operation === "CONNECT") reader.problems.push({ path: at, message: "CONNECT cannot be seen by a watch" });
    else if (!OPERATIONS.includes(operation))
      reader.problems.push({ path: at, message: `must be CREATE, UPDATE or DELETE and is "${operation}"` });
    return operation;
  });
}

/** Reads a label selector. @param name `selector` or `namespaceSelector` */
export function parseSelector(
  object: Fields,
  path: string,
  name: string,
  reader: FieldReader,
): LabelSelector | undefined {
  const selector = reader.object(object, path, name);
  if (selector === undefined) return undefined;
  const at = `${path}.${name}`;
  refuseUnknown(selector, at, ["matchLabels", "matchExpressions"], reader);
  return {
    matchLabels: textMap(selector, at, "matchLabels", reader),
    matchExpressions: reader
      .list(selector, at, "matchExpressions")
      .map((item, index) => parseRequirement(item, `${at}.matchExpressions[${index}]`, reader)),
  };
}

const REQUIREMENTS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

function parseRequirement(value: unknown, path: string, reader: FieldReader): LabelRequirement {
  const item = isObject(value) ? value : {};
  const given = reader.text(item, path, "operator");
  const operator = REQUIREMENTS.find((known) => known === given);
  if (operator === undefined)
    reader.problems.push({ path: `${path}.operator`, message: `must be one of ${REQUIREMENTS.join(", ")}` });
  const key = reader.text(item, path, "key") ?? "";
  if (key === "") reader.problems.push({ path: `${path}.key`, message: "is missing" });
  return { key, operator: operator ?? "Exists", values: reader.texts(item, path, "values") };
}
