import { describeType, FieldReader, type Fields, field, isObject } from "../resources/fields.ts";
import type { KubeObject } from "../resources/object.ts";
import { parseDuration } from "./duration.ts";
import { messageOf, PolicyError } from "./errors.ts";
import { isFunction } from "./jmespath/functions/index.ts";
import { parseExpression } from "./jmespath/parse.ts";
import { refuseUnknown } from "./parse-fields.ts";

/** What a kyverno.io GlobalContextEntry says: data that rules of many policies read by its name. */
export interface GlobalContextEntry {
  name: string;
  source: ListedResource | CalledPath;
  /** JMESPath by the projection's name. */
  projections: ReadonlyMap<string, string>;
}

/** All objects of a resource; `namespace` is "" for those of all namespaces, and for what has none. */
export interface ListedResource {
  type: "list";
  group: string;
  version: string;
  resource: string;
  namespace: string;
}

/** The answer of a path of the cluster's own API. */
export interface CalledPath {
  type: "apiCall";
  urlPath: string;
  refreshMs: number;
  /** How often a call that failed is tried again at once. */
  retryLimit: number;
}

/** Kyverno's defaults and bounds. */
const REFRESH_INTERVAL = "10m";
const MIN_REFRESH_MS = 1_000;
const MAX_RETRIES = 10;

/** Reads a GlobalContextEntry. @throws PolicyError with every field that is wrong or that this generator cannot do */
export function parseGlobalContextEntry(object: KubeObject): GlobalContextEntry {
  const reader = new FieldReader();
  const spec = reader.object({ ...object }, "", "spec") ?? {};
  refuseUnknown(spec, "spec", ["kubernetesResource", "apiCall", "projections"], reader);
  const listed = reader.object(spec, "spec", "kubernetesResource");
  const called = reader.object(spec, "spec", "apiCall");
  if ((listed === undefined) === (called === undefined))
    throw new PolicyError([
      ...reader.problems,
      { path: "spec", message: "needs kubernetesResource or apiCall, and not both" },
    ]);
  const source = called === undefined ? parseListed(listed ?? {}, reader) : parseCalled(called, reader);
  const name = object.metadata.name ?? "";
  const projections = parseProjections(spec, name, reader);
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  return { name, source, projections };
}

function parseListed(given: Fields, reader: FieldReader): ListedResource {
  const path = "spec.kubernetesResource";
  refuseUnknown(given, path, ["group", "version", "resource", "namespace"], reader);
  const text = (name: string) => reader.text(given, path, name) ?? "";
  const [group, version, resource, namespace] = [text("group"), text("version"), text("resource"), text("namespace")];
  for (const [name, value] of Object.entries({ version, resource }))
    if (value === "") reader.problems.push({ path: `${path}.${name}`, message: "is missing" });
  if (group === "" && version !== "v1" && version !== "")
    reader.problems.push({ path: `${path}.group`, message: `is missing: only version v1 has none` });
  if (resource.includes("/"))
    reader.problems.push({ path: `${path}.resource`, message: `is ${resource}: a subresource cannot be listed` });
  return { type: "list", group, version, resource, namespace };
}

function parseCalled(given: Fields, reader: FieldReader): CalledPath {
  const path = "spec.apiCall";
  const problem = (name: string, message: string) => reader.problems.push({ path: `${path}.${name}`, message });
  const known = ["urlPath", "method", "refreshInterval", "retryLimit", "data", "service"];
  refuseUnknown(given, path, known, reader);
  for (const name of ["data", "service"])
    if (given[name] !== undefined) problem(name, "is not supported: courier only GETs from the cluster's own API");
  const method = reader.text(given, path, "method") ?? "GET";
  if (method !== "GET") problem("method", `is ${method}: only GET is supported`);
  const urlPath = reader.text(given, path, "urlPath") ?? "";
  if (urlPath === "" && given["service"] === undefined) problem("urlPath", "is missing");
  const interval = reader.text(given, path, "refreshInterval") ?? REFRESH_INTERVAL;
  const refreshMs = Number((parseDuration(interval) ?? 0n) / 1_000_000n);
  if (refreshMs < MIN_REFRESH_MS) problem("refreshInterval", `is "${interval}" and must be at least 1s, such as 10m`);
  const retryLimit = field(given, "retryLimit") ?? 0;
  if (typeof retryLimit === "number" && Number.isInteger(retryLimit) && retryLimit >= 0 && retryLimit <= MAX_RETRIES)
    return { type: "apiCall", urlPath, refreshMs, retryLimit };
  problem("retryLimit", `must be a number from 0 to ${MAX_RETRIES}`);
  return { type: "apiCall", urlPath, refreshMs, retryLimit: 0 };
}

function parseProjections(spec: Fields, owner: string, reader: FieldReader): Map<string, string> {
  const projections = new Map<string, string>();
  for (const [index, item] of reader.list(spec, "spec", "projections").entries()) {
    const path = `spec.projections[${index}]`;
    const problem = (at: string, message: string) => reader.problems.push({ path: at, message });
    if (!isObject(item)) {
      problem(path, `must be an object and is ${describeType(item)}`);
      continue;
    }
    refuseUnknown(item, path, ["name", "jmesPath"], reader);
    const name = reader.text(item, path, "name") ?? "";
    const jmesPath = reader.text(item, path, "jmesPath") ?? "";
    if (name === "" || name === owner || projections.has(name))
      problem(`${path}.name`, `is "${name}": it needs a name of its own, and not the entry's`);
    projections.set(name, jmesPath);
    const mistake = jmesPath === "" ? "is missing" : mistakeIn(jmesPath);
    if (mistake !== undefined) problem(`${path}.jmesPath`, mistake);
  }
  return projections;
}

function mistakeIn(jmesPath: string): string | undefined {
  try {
    parseExpression(jmesPath, isFunction);
    return undefined;
  } catch (error) {
    return `holds an expression with an error: ${messageOf(error)}`;
  }
}
