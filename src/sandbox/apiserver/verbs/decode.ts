import { apiVersionOf } from "../../../resources/kinds.ts";
import type { KubeObject } from "../../../resources/object.ts";
import { dropEmpty } from "../kinds/empty.ts";
import { inlineDefinition } from "../openapi/definitions.ts";
import { type ApiError, badRequest, invalid, type StatusCause } from "../protocol/api-error.ts";
import { lazySchema } from "../resources/kind-schema.ts";
import { kindSubjectOf, present, type Resource } from "../resources/resource.ts";
import { optionsKind } from "./dry-run.ts";
import type { Call } from "./scope.ts";

const METADATA = lazySchema(() => inlineDefinition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));

type Fields = Record<string, unknown>;

/**
 * Turns a body into an object of the kind: identity checked, undeclared fields dropped (told as `fieldValidation` asks),
 * defaults filled in, types as declared. Called by every write before anything else. @throws ApiError 400, 422
 */
export function decode(call: Call, body: Fields): KubeObject {
  const { resource, request } = call;
  const identified = identify(resource, body);
  const metadata = decodeMetadata(resource, identified["metadata"] ?? {});
  const { apiVersion, kind, ...rest } = identified;
  const whole = { apiVersion, kind, ...rest, metadata: metadata.value } as KubeObject;
  const { structural } = resource.schema;
  reportUnknown(call, [...structural.unknownFields(whole), ...metadata.unknown]);
  const object = structural.applyDefaults(structural.prune(whole));
  if (!resource.custom) checkTypes(resource, structural.validate(object, ""));
  const namespace = namespaceOf(call, object);
  if (namespace === "") delete object.metadata.namespace;
  else object.metadata.namespace = namespace;
  dropEmpty(object.metadata, ["labels", "annotations", "finalizers", "ownerReferences"]);
  if (request.warnings.length > MAX_WARNINGS) request.warnings.length = MAX_WARNINGS;
  return object;
}

const MAX_WARNINGS = 20;

/** apiVersion and kind as the path has them: custom objects must say them, built-in ones may leave them out. */
export function identify(resource: Resource, body: Fields): Fields {
  const apiVersion = apiVersionOf(resource);
  const {
    kind = resource.custom ? undefined : resource.kind,
    apiVersion: given = resource.custom ? undefined : apiVersion,
  } = body;
  const what = cannotHandle(resource, resource.kind);
  if (typeof kind !== "string" || kind === "")
    throw badRequest(`${what}: Object 'Kind' is missing in '${excerpt(body)}'`);
  if (typeof given !== "string" || given === "")
    throw badRequest(`${what}: Object 'apiVersion' is missing in '${excerpt(body)}'`);
  if (given !== apiVersion) {
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersion})`);
  }
  if (kind !== resource.kind) throw wrongKind(resource, kind, body);
  return { ...body, apiVersion, kind };
}

/** What tells a decoding error. */
export const CANNOT_HANDLE = "cannot be handled as a";

/** `ConfigMap in version "v1" cannot be handled as a ConfigMap`, with which decoding errors begin. */
function cannotHandle(resource: Resource, kind: string): string {
  return `${kind} in version ${JSON.stringify(resource.version)} ${CANNOT_HANDLE} ${resource.kind}`;
}

function wrongKind(resource: Resource, kind: string, body: Fields): ApiError {
  if (!resource.custom) return badRequest(`${cannotHandle(resource, kind)}: unknown conversion`);
  const name = (body["metadata"] as Fields | undefined)?.["name"];
  const cause = {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(kind)}: must be ${resource.kind}`,
    field: "kind",
  };
  return invalid({ group: resource.group, kind, name: String(name ?? "") }, [cause]);
}

function excerpt(body: Fields): string {
  return JSON.stringify(body).slice(0, 200);
}

function decodeMetadata(resource: Resource, metadata: unknown): { value: Fields; unknown: string[] } {
  const { structural } = METADATA;
  checkTypes(resource, structural.validate(dropNulls(metadata), "metadata"));
  const unknown = structural.unknownFields(metadata).map((text) => text.replace('"', '"metadata.'));
  return { value: structural.applyDefaults(structural.prune(metadata)) as Fields, unknown };
}

function dropNulls(metadata: unknown): unknown {
  return METADATA.structural.applyDefaults(metadata);
}

/** A value of the wrong type never becomes an object: 400 in the words of Go's decoder. Missing fields are told later. */
function checkTypes(resource: Resource, errors: readonly StatusCause[]): void {
  const error = errors.find(({ reason }) => reason !== "FieldValueRequired");
  if (error === undefined) return;
  throw badRequest(`${cannotHandle(resource, resource.kind)}: ${goDecodeError(resource.kind, error)}`);
}

const GO_TYPES: Readonly<Record<string, string>> = {
  integer: "int64",
  boolean: "bool",
  object: "struct",
  array: "slice",
};

function goDecodeError(kind: string, { field = "", message }: StatusCause): string {
  const base64 = /must be of type byte: "(.*)"$/s.exec(message)?.[1];
  if (base64 !== undefined) return `illegal base64 data at input byte ${firstBadByte(base64)}`;
  const [, expected, actual] = /must be of type (\w+): "(\w+)"/.exec(message) ?? [];
  if (expected === undefined || actual === undefined) return `${field}: ${message}`;
  const path = field.replace(/\[[^\]]*\]/g, "");
  const given = actual === "integer" ? "number" : actual;
  return `json: cannot unmarshal ${given} into Go struct field ${kind}.${path} of type ${GO_TYPES[expected] ?? expected}`;
}

/** Where Go's decoder stops: at the first character that is none of base64's, else at the end. */
function firstBadByte(text: string): number {
  const at = text.search(/[^A-Za-z0-9+/=]/);
  return at === -1 ? text.length : at;
}

/** `fieldValidation`: Strict refuses undeclared fields, Warn (the default) drops them with a warning, Ignore silently. */
function reportUnknown({ resource, request }: Call, unknown: readonly string[]): void {
  const mode = request.query.get("fieldValidation") || "Warn";
  if (!["Strict", "Warn", "Ignore"].includes(mode)) {
    const why = `Unsupported value: ${JSON.stringify(mode)}: supported values: "Ignore", "Strict", "Warn"`;
    throw invalid({ group: "meta.k8s.io", kind: optionsKind(request.method) }, [
      { reason: "FieldValueNotSupported", message: why, field: "fieldValidation" },
    ]);
  }
  if (unknown.length === 0 || mode === "Ignore") return;
  if (mode === "Warn") {
    request.warnings.push(...unknown);
    return;
  }
  throw badRequest(`${cannotHandle(resource, resource.kind)}: strict decoding error: ${unknown.join(", ")}`);
}

/** @throws ApiError 400 when the object names another namespace than the path */
function namespaceOf({ resource, path }: Call, { metadata }: KubeObject): string {
  const given = metadata.namespace ?? "";
  if (!resource.namespaced) {
    if (given !== "") throw badRequest("namespace is not allowed on this type");
    return "";
  }
  if (given !== "" && given !== path.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  return path.namespace;
}

/** Everything the kind's rules and its schema have against an object in its stored form. @throws ApiError 422 */
export function validateObject(
  resource: Resource,
  object: KubeObject,
  live: KubeObject | undefined,
  extra: StatusCause[],
): void {
  const rules = resource.rules.validate?.(object, live) ?? [];
  const told = new Set(rules.map(({ field }) => field));
  const schema = resource.schema.structural.validate(present(resource, object), "");
  const errors = [...extra, ...rules, ...schema.filter(({ field }) => !told.has(field))];
  const distinct = errors.filter((error, index) => errors.findIndex((one) => sameCause(one, error)) === index);
  if (distinct.length > 0) throw invalid(kindSubjectOf(resource, object.metadata.name ?? ""), distinct);
}

function sameCause(a: StatusCause, b: StatusCause): boolean {
  return a.field === b.field && a.reason === b.reason && a.message === b.message;
}
