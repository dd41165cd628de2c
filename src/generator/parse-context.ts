import { describeType, type FieldReader, type Fields, isObject } from "../resources/fields.ts";
import type { Json } from "../resources/object.ts";
import { refuseKnown, refuseUnknown } from "./parse-fields.ts";
import type { ContextEntry } from "./rule-model.ts";

const KINDS = ["variable", "configMap", "apiCall", "globalReference"];
const REFUSED: Record<string, string> = {
  imageRegistry: "is not supported: courier calls nothing outside the cluster",
};
/** Names that a context entry must not take from the request. */
const RESERVED = ["request", "element", "elementIndex", "images", "serviceAccountName", "serviceAccountNamespace"];

/** Reads a rule's `context` list. */
export function parseContext(owner: Fields, path: string, reader: FieldReader): ContextEntry[] {
  return reader.list(owner, path, "context").flatMap((item, index) => {
    const at = `${path}.context[${index}]`;
    if (!isObject(item)) {
      reader.problems.push({ path: at, message: `must be an object and is ${describeType(item)}` });
      return [];
    }
    return parseEntry(item, at, reader) ?? [];
  });
}

function parseEntry(item: Fields, path: string, reader: FieldReader): ContextEntry | undefined {
  const name = reader.text(item, path, "name") ?? "";
  if (!/^[A-Za-z_][\w-]*$/.test(name) || RESERVED.includes(name))
    reader.problems.push({ path: `${path}.name`, message: `"${name}" cannot be used as the name of a variable` });
  refuseKnown(item, path, REFUSED, reader);
  refuseUnknown(item, path, ["name", ...KINDS, ...Object.keys(REFUSED)], reader);
  const variable = reader.object(item, path, "variable");
  if (variable !== undefined) return parseVariable(name, variable, `${path}.variable`, reader);
  const configMap = reader.object(item, path, "configMap");
  if (configMap !== undefined) return parseConfigMap(name, configMap, `${path}.configMap`, reader);
  const apiCall = reader.object(item, path, "apiCall");
  if (apiCall !== undefined) return parseApiCall(name, apiCall, `${path}.apiCall`, reader);
  const globalReference = reader.object(item, path, "globalReference");
  if (globalReference !== undefined)
    return parseGlobalReference(name, globalReference, `${path}.globalReference`, reader);
  if (!Object.keys(REFUSED).some((kind) => item[kind] !== undefined))
    reader.problems.push({ path, message: `needs one of ${KINDS.join(", ")}` });
  return undefined;
}

function parseVariable(name: string, given: Fields, path: string, reader: FieldReader): ContextEntry {
  refuseUnknown(given, path, ["value", "jmesPath", "default"], reader);
  const jmesPath = reader.text(given, path, "jmesPath");
  if (given["value"] === undefined && jmesPath === undefined)
    reader.problems.push({ path, message: "needs value or jmesPath" });
  return { type: "variable", name, path, value: json(given, "value"), jmesPath, fallback: json(given, "default") };
}

function parseConfigMap(name: string, given: Fields, path: string, reader: FieldReader): ContextEntry {
  refuseUnknown(given, path, ["name", "namespace"], reader);
  const configMapName = reader.text(given, path, "name") ?? "";
  if (configMapName === "") reader.problems.push({ path: `${path}.name`, message: "is missing" });
  return { type: "configMap", name, path, configMapName, namespace: reader.text(given, path, "namespace") ?? "" };
}

function parseApiCall(name: string, given: Fields, path: string, reader: FieldReader): ContextEntry {
  refuseUnknown(given, path, ["urlPath", "method", "jmesPath", "default", "data", "service"], reader);
  for (const field of ["data", "service"])
    if (given[field] !== undefined)
      reader.problems.push({
        path: `${path}.${field}`,
        message: "is not supported: courier only GETs from the cluster's own API",
      });
  const method = reader.text(given, path, "method") ?? "GET";
  if (method !== "GET")
    reader.problems.push({ path: `${path}.method`, message: `is ${method}: only GET is supported` });
  const urlPath = reader.text(given, path, "urlPath") ?? "";
  if (urlPath === "" && given["service"] === undefined)
    reader.problems.push({ path: `${path}.urlPath`, message: "is missing" });
  const jmesPath = reader.text(given, path, "jmesPath");
  return { type: "apiCall", name, path, urlPath, jmesPath, fallback: json(given, "default") };
}

function parseGlobalReference(name: string, given: Fields, path: string, reader: FieldReader): ContextEntry {
  refuseUnknown(given, path, ["name", "jmesPath"], reader);
  const reference = reader.text(given, path, "name") ?? "";
  if (reference === "") reader.problems.push({ path: `${path}.name`, message: "is missing" });
  return { type: "globalReference", name, path, reference, jmesPath: reader.text(given, path, "jmesPath") };
}

function json(given: Fields, name: string): Json | undefined {
  return Object.hasOwn(given, name) ? (given[name] as Json) : undefined;
}
