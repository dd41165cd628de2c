import { RE2JS } from "re2js";
import { type FieldError, forbidden, formatGoValue, invalid, notSupported, required } from "./field-error.ts";
import { readSchema } from "./node.ts";
import { pruneValue } from "./prune.ts";
import { validateValue } from "./validate.ts";
import { isRecord } from "./values.ts";

type Schema = Record<string, unknown>;

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const UNSUPPORTED = ["id", "$ref", "$schema", "patternProperties", "definitions", "dependencies", "additionalItems"];
/** What a schema inside allOf, anyOf, oneOf or not may not say, because the schema around it must. */
const NOT_IN_COMBINATIONS = ["type", "description", "title", "nullable", "x-kubernetes-preserve-unknown-fields"];
const MAX_PATTERN_CHARS = 4096;

/**
 * Why a CRD's `openAPIV3Schema` cannot be served, as its creation reports it; empty when it can.
 * `path` is where the API server says a schema lies that is the same in all versions.
 */
export function checkStructural(schema: unknown, path = "spec.validation.openAPIV3Schema"): FieldError[] {
  if (!isRecord(schema)) return [required(path, "schemas are required")];
  return [...checkRoot(schema, path), ...checkNode(schema, path, "object fields", true)];
}

function checkRoot(schema: Schema, path: string): FieldError[] {
  const type = schema.type ?? "";
  if (type === "") return [required(`${path}.type`, "must not be empty at the root")];
  return type === "object" ? [] : [invalid(`${path}.type`, type, "must be object at the root")];
}

function checkNode(schema: Schema, path: string, place: string, isRoot = false): FieldError[] {
  return [
    ...checkTypeKeyword(schema, path, place, isRoot),
    ...checkUnsupported(schema, path),
    ...checkPattern(schema, path),
    ...checkListKeywords(schema, path),
    ...checkObjectKeywords(schema, path),
    ...(isRoot || schema["x-kubernetes-embedded-resource"] === true ? checkResourceFields(schema, path) : []),
    ...checkDefault(schema, path),
    ...checkCombinations(schema, path),
    ...checkChildren(schema, path),
  ];
}

function checkTypeKeyword(schema: Schema, path: string, place: string, isRoot: boolean): FieldError[] {
  const type = schema.type ?? "";
  if (type !== "") return TYPES.some((known) => known === type) ? [] : [notSupported(`${path}.type`, type, TYPES)];
  const mayBeAbsent =
    isRoot ||
    schema["x-kubernetes-int-or-string"] === true ||
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema.$ref !== undefined;
  return mayBeAbsent ? [] : [required(`${path}.type`, `must not be empty for specified ${place}`)];
}

function checkUnsupported(schema: Schema, path: string): FieldError[] {
  const errors = UNSUPPORTED.filter((keyword) => schema[keyword] !== undefined).map((keyword) =>
    forbidden(`${path}.${keyword}`, `${keyword} is not supported`),
  );
  if (schema.uniqueItems === true) {
    const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(`${path}.uniqueItems`, detail));
  }
  return errors;
}

function checkPattern({ pattern }: Schema, path: string): FieldError[] {
  if (typeof pattern !== "string") return [];
  if (pattern.length > MAX_PATTERN_CHARS) {
    return [invalid(`${path}.pattern`, "", `the sandbox takes patterns of at most ${MAX_PATTERN_CHARS} chars`)];
  }
  try {
    RE2JS.compile(pattern);
    return [];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return [invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${why}`)];
  }
}

function checkListKeywords(schema: Schema, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  const errors: FieldError[] = [];
  if (schema.type === "array" && schema.items === undefined)
    errors.push(required(`${path}.items`, "must be specified"));
  if (listType !== undefined && schema.type !== "array") {
    errors.push(invalid(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"));
  } else if (listType !== undefined && !["atomic", "set", "map"].some((known) => known === listType)) {
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ["atomic", "set", "map"]));
  }
  if (listType !== "map" && Array.isArray(keys) && keys.length > 0) {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(required(`${path}.x-kubernetes-list-type`, detail));
  }
  if (listType === "map") errors.push(...checkMapKeys(schema, path));
  if (listType === "set") errors.push(...checkSetItems(schema, path));
  return errors;
}

function checkMapKeys(schema: Schema, path: string): FieldError[] {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (!Array.isArray(keys) || keys.length === 0) {
    const detail = "must not be empty if x-kubernetes-list-type is map";
    return [required(`${path}.x-kubernetes-list-map-keys`, detail)];
  }
  const items = readSchema(schema.items);
  if (!keys.every((key) => items.properties.has(key))) {
    const field = `${path}.x-kubernetes-list-map-keys`;
    const printed = `[]string{${keys.map(formatGoValue).join(", ")}}`;
    const message = `Invalid value: ${printed}: entries must all be names of item properties`;
    return [{ reason: "FieldValueInvalid", message, field }];
  }
  return keys
    .filter((key) => !items.required.includes(key) && !items.properties.get(key)?.hasDefault)
    .map((key) =>
      required(
        `${path}.items.properties[${key}].default`,
        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
      ),
    );
}

function checkSetItems({ items }: Schema, path: string): FieldError[] {
  if (!isRecord(items) || items.type !== "object" || items["x-kubernetes-map-type"] === "atomic") return [];
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  return [invalid(`${path}.items.x-kubernetes-map-type`, items["x-kubernetes-map-type"], detail)];
}

function checkObjectKeywords(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const mapType = schema["x-kubernetes-map-type"];
  const preserve = schema["x-kubernetes-preserve-unknown-fields"];
  if (schema.additionalProperties !== undefined && schema.properties !== undefined) {
    const detail = "additionalProperties and properties are mutual exclusive";
    errors.push(forbidden(`${path}.additionalProperties`, detail));
  }
  if (mapType !== undefined && mapType !== "atomic" && mapType !== "granular") {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  }
  if (preserve === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  return schema["x-kubernetes-embedded-resource"] === true ? [...errors, ...checkEmbedded(schema, path)] : errors;
}

function checkEmbedded(schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.properties === undefined && schema["x-kubernetes-preserve-unknown-fields"] !== true) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(`${path}.properties`, detail));
  }
  if (schema.type !== "object") {
    errors.push(invalid(`${path}.type`, schema.type ?? "", "must be object if x-kubernetes-embedded-resource is true"));
  }
  return errors;
}

/** A resource's apiVersion, kind and metadata are the API server's; of metadata only the names may be narrowed. */
function checkResourceFields({ properties }: Schema, path: string): FieldError[] {
  if (!isRecord(properties)) return [];
  return Object.entries({ metadata: "object", apiVersion: "string", kind: "string" }).flatMap(([name, type]) => {
    const property = properties[name];
    if (!isRecord(property)) return [];
    const at = `${path}.properties[${name}]`;
    if (property.type !== type) return [invalid(`${at}.type`, property.type ?? "", `must be ${type}`)];
    const extra = Object.keys(isRecord(property.properties) ? property.properties : {});
    if (name !== "metadata" || extra.every((field) => field === "name" || field === "generateName")) return [];
    return [
      forbidden(at, "must not specify anything other than name and generateName, but metadata is implicitly specified"),
    ];
  });
}

function checkDefault(schema: Schema, path: string): FieldError[] {
  if (schema.default === undefined) return [];
  const node = readSchema(schema);
  const errors = validateValue(schema.default, node, "").map((error) => ({ ...error, field: `${path}.default` }));
  if (errors.length > 0 || pruneValue(schema.default, node).pruned.length === 0) return errors;
  return [invalid(`${path}.default`, schema.default, "must not have unknown fields")];
}

function checkCombinations(schema: Schema, path: string): FieldError[] {
  const inLists = ["allOf", "anyOf", "oneOf"].flatMap((keyword) => {
    const list = schema[keyword];
    if (!Array.isArray(list)) return [];
    return list.flatMap((entry, i) => checkCombined(entry, `${path}.${keyword}[${i}]`, isIntOrString(schema)));
  });
  return schema.not === undefined ? inLists : [...inLists, ...checkCombined(schema.not, `${path}.not`, false)];
}

const isIntOrString = (schema: Schema): boolean => schema["x-kubernetes-int-or-string"] === true;

/** The schemas of x-kubernetes-int-or-string's usual `anyOf: [{type: integer}, {type: string}]` may name their type. */
function checkCombined(schema: unknown, path: string, mayHaveType: boolean): FieldError[] {
  if (!isRecord(schema)) return [];
  const errors: FieldError[] = [];
  if (schema.default !== undefined) errors.push(forbidden(`${path}.default`, "must be undefined to be structural"));
  for (const keyword of NOT_IN_COMBINATIONS) {
    if (schema[keyword] === undefined || (keyword === "type" && mayHaveType)) continue;
    errors.push(forbidden(`${path}.${keyword}`, "must be empty to be structural"));
  }
  for (const [name, property] of Object.entries(isRecord(schema.properties) ? schema.properties : {})) {
    errors.push(...checkCombined(property, `${path}.properties[${name}]`, false));
  }
  return [...errors, ...checkPattern(schema, path), ...checkCombinations(schema, path)];
}

function checkChildren(schema: Schema, path: string): FieldError[] {
  const errors = Object.entries(isRecord(schema.properties) ? schema.properties : {}).flatMap(([name, property]) =>
    checkNode(isRecord(property) ? property : {}, `${path}.properties[${name}]`, "object fields"),
  );
  if (isRecord(schema.items)) errors.push(...checkNode(schema.items, `${path}.items`, "array items"));
  if (isRecord(schema.additionalProperties)) {
    errors.push(...checkNode(schema.additionalProperties, `${path}.additionalProperties`, "object fields"));
  }
  return errors;
}
