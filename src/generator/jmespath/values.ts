import type { Json } from "../../resources/object.ts";
import { ExpressionError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** What `||`, `&&`, `!` and filters take for false: null, false, "", [] and {}; 0 is true. */
export function isFalse(value: Json): boolean {
  if (value === null || value === false || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

export type JsonObject = { [key: string]: Json };

export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deep equality of JSON values; the order of a list counts, the order of keys does not. */
export function deepEqual(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => deepEqual(item, right[index] as Json));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && deepEqual(left[key] as Json, right[key] as Json));
}

/** The JSON type name that `type()` gives. */
export function typeName(value: Json): "null" | "boolean" | "number" | "string" | "array" | "object" {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as "boolean" | "number" | "string" | "object";
}

/** Compact JSON as Go prints it: object keys sorted. Strings stay as they are. */
export function toText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(sortKeys(value));
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(sortedEntries(value).map(([key, item]) => [key, sortKeys(item)]));
}

/** Entries in the order of their keys' code points. */
export function sortedEntries(object: JsonObject): [string, Json][] {
  return Object.entries(object).sort(([left], [right]) => compareText(left, right));
}

export function compareText(left: string, right: string): -1 | 0 | 1 {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * Counts a value's nodes and characters, so that an evaluation can be charged for what it makes.
 * @throws ExpressionError when the value is larger or deeper than an expression may make
 */
export function measure(value: unknown, depth = 0): number {
  if (depth > LIMITS.depth) throw new ExpressionError(`The result is nested deeper than ${LIMITS.depth} levels`);
  if (typeof value === "string") {
    if (value.length > LIMITS.stringLength)
      throw new ExpressionError(`The result is a string longer than ${LIMITS.stringLength} characters`);
    return 1 + (value.length >> 4);
  }
  if (typeof value !== "object" || value === null) return 1;
  let size = 1;
  for (const item of Object.values(value)) {
    size += measure(item, depth + 1);
    if (size > LIMITS.steps) throw new ExpressionError("The result of the expression is too large");
  }
  return size;
}
