import { duplicate, type FieldError, invalid, notSupported, required } from "./field-error.ts";
import { hasFormat } from "./formats.ts";
import type { SchemaNode } from "./node.ts";
import { childPath, isEqual, isRecord, ownField } from "./values.ts";

/** States of an expression times characters of the value: about a quarter of a second. */
const MAX_PATTERN_WORK = 20_000_000;

/** What is wrong with the value, in kube-apiserver's words. List entries are named by index (`spec.list[0]`). */
export function validateValue(value: unknown, schema: SchemaNode, path: string): FieldError[] {
  const typeErrors = checkType(value, schema, path);
  if (typeErrors.length > 0 || value === null || value === undefined) {
    return [...typeErrors, ...checkEnum(value, schema, path)];
  }
  return [
    ...checkCombinations(value, schema, path),
    ...checkScalar(value, schema, path),
    ...(Array.isArray(value) ? checkList(value, schema, path) : []),
    ...checkEnum(value, schema, path),
    ...(isRecord(value) ? checkObject(value, schema, path) : []),
  ];
}

function checkType(value: unknown, schema: SchemaNode, path: string): FieldError[] {
  const actual = typeOf(value);
  if (actual === "null" && schema.nullable) return [];
  const wanted = schema.intOrString ? ["integer", "string"] : schema.type === "" ? [] : [schema.type];
  const fits = wanted.length === 0 || wanted.includes(actual) || (actual === "integer" && wanted.includes("number"));
  return fits ? [] : [invalid(path, actual, `${path} in body must be of type ${wanted.join(",")}: "${actual}"`)];
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? "integer" : "number";
  return typeof value;
}

function checkEnum(value: unknown, schema: SchemaNode, path: string): FieldError[] {
  const allowed = schema.enum;
  if (allowed === undefined || (value === null && schema.nullable) || allowed.some((entry) => isEqual(entry, value))) {
    return [];
  }
  return [notSupported(path, value, allowed)];
}

function checkScalar(value: unknown, schema: SchemaNode, path: string): FieldError[] {
  if (typeof value === "string") return checkString(value, schema, path);
  if (typeof value === "number") return checkNumber(value, schema, path);
  return [];
}

function checkString(value: string, { limits, pattern, format }: SchemaNode, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const fail = (detail: string) => errors.push(invalid(path, value, `${path} in body ${detail}`));
  const chars = limits.minLength === undefined && limits.maxLength === undefined ? 0 : [...value].length;
  if (limits.maxLength !== undefined && chars > limits.maxLength)
    fail(`should be at most ${limits.maxLength} chars long`);
  if (limits.minLength !== undefined && chars < limits.minLength) {
    fail(`should be at least ${limits.minLength} chars long`);
  }
  if (pattern && pattern.regex.programSize() * value.length > MAX_PATTERN_WORK) {
    errors.push(invalid(path, "", `${path} in body is too long for its pattern: ${value.length} chars`));
  } else if (pattern && !pattern.regex.matcher(value).find()) fail(`should match '${pattern.source}'`);
  if (!hasFormat(value, format)) fail(`must be of type ${format}: ${JSON.stringify(value)}`);
  return errors;
}

function checkNumber(value: number, { limits }: SchemaNode, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const fail = (detail: string) => errors.push(invalid(path, value, `${path} in body should be ${detail}`));
  const { minimum, maximum, multipleOf } = limits;
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) fail(`a multiple of ${multipleOf}`);
  if (maximum !== undefined && limits.exclusiveMaximum && value >= maximum) fail(`less than ${maximum}`);
  if (maximum !== undefined && !limits.exclusiveMaximum && value > maximum) fail(`less than or equal to ${maximum}`);
  if (minimum !== undefined && limits.exclusiveMinimum && value <= minimum) fail(`greater than ${minimum}`);
  if (minimum !== undefined && !limits.exclusiveMinimum && value < minimum) fail(`greater than or equal to ${minimum}`);
  return errors;
}

function checkList(value: unknown[], schema: SchemaNode, path: string): FieldError[] {
  const { items, limits } = schema;
  const errors = items ? value.flatMap((entry, i) => validateValue(entry, items, `${path}[${i}]`)) : [];
  if (limits.minItems !== undefined && value.length < limits.minItems) {
    errors.push(invalid(path, value.length, `${path} in body should have at least ${limits.minItems} items`));
  }
  if (limits.maxItems !== undefined && value.length > limits.maxItems) {
    errors.push(invalid(path, value.length, `${path} in body should have at most ${limits.maxItems} items`));
  }
  return [...errors, ...checkUnique(value, schema, path)];
}

/** Sets hold an entry once, maps a key once. */
function checkUnique(value: unknown[], { listType, listMapKeys }: SchemaNode, path: string): FieldError[] {
  if (listType === "atomic") return [];
  const seen = new Set<string>();
  return value.flatMap((entry, i) => {
    const identity = listType === "set" ? entry : listKey(entry, listMapKeys);
    const text = canonicalJson(identity);
    if (!seen.has(text)) {
      seen.add(text);
      return [];
    }
    return [duplicate(`${path}[${i}]`, identity)];
  });
}

function listKey(entry: unknown, keys: string[]): unknown {
  if (!isRecord(entry)) return entry;
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(entry, key)).map((key) => [key, entry[key]]));
}

/** JSON with sorted fields, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, entry) =>
    isRecord(entry) ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1))) : entry,
  );
}

function checkObject(value: Record<string, unknown>, schema: SchemaNode, path: string): FieldError[] {
  const { limits, additionalProperties } = schema;
  const names = Object.keys(value);
  const errors: FieldError[] = [];
  if (limits.minProperties !== undefined && names.length < limits.minProperties) {
    const detail = `${path} in body should have at least ${limits.minProperties} properties`;
    errors.push(invalid(path, limits.minProperties, detail));
  }
  if (limits.maxProperties !== undefined && names.length > limits.maxProperties) {
    const detail = `${path} in body should have at most ${limits.maxProperties} properties`;
    errors.push(invalid(path, limits.maxProperties, detail));
  }
  for (const name of schema.required) {
    if (ownField(value, name) === undefined) errors.push(required(childPath(path, name)));
  }
  for (const name of names) {
    const child = schema.properties.get(name) ?? additionalProperties;
    if (typeof child === "object") errors.push(...validateValue(value[name], child, childPath(path, name)));
  }
  return schema.embedded ? [...errors, ...checkEmbedded(value, path)] : errors;
}

function checkEmbedded(value: Record<string, unknown>, path: string): FieldError[] {
  return ["apiVersion", "kind"].flatMap((name) => {
    const field = ownField(value, name);
    if (field === undefined) return [required(childPath(path, name), "must not be empty")];
    return field === "" ? [invalid(childPath(path, name), "", "must not be empty")] : [];
  });
}

function checkCombinations(value: unknown, schema: SchemaNode, path: string): FieldError[] {
  const tryAll = (nodes: SchemaNode[]) => nodes.map((node) => validateValue(value, node, path));
  return [
    ...anyOfErrors(tryAll(schema.anyOf), path),
    ...oneOfErrors(tryAll(schema.oneOf), path),
    ...allOfErrors(tryAll(schema.allOf), path),
    ...(schema.not && validateValue(value, schema.not, path).length === 0
      ? [invalid(path, "", `"${path}" must not validate the schema (not)`)]
      : []),
  ];
}

const countValid = (results: FieldError[][]): number => results.filter((errors) => errors.length === 0).length;

function anyOfErrors(results: FieldError[][], path: string): FieldError[] {
  if (results.length === 0 || countValid(results) > 0) return [];
  return [invalid(path, "", `"${path}" must validate at least one schema (anyOf)`), ...(results[0] ?? [])];
}

function oneOfErrors(results: FieldError[][], path: string): FieldError[] {
  const valid = countValid(results);
  if (results.length === 0 || valid === 1) return [];
  const text = `"${path}" must validate one and only one schema (oneOf).`;
  if (valid > 1) return [invalid(path, "", `${text} Found ${valid} valid alternatives`)];
  return [invalid(path, "", `${text} Found none valid`), ...(results[0] ?? [])];
}

function allOfErrors(results: FieldError[][], path: string): FieldError[] {
  const valid = countValid(results);
  if (valid === results.length) return [];
  const tail = valid === 0 ? ". None validated" : "";
  return [...results.flat(), invalid(path, "", `"${path}" must validate all the schemas (allOf)${tail}`)];
}
