import type { Json } from "../../resources/object.ts";
import { parseDuration } from "../duration.ts";
import { matchGlob } from "../glob.ts";
import { toText } from "../jmespath/values.ts";
import { parseQuantity } from "../quantity.ts";

/** What a list of keys must be to the values: the four operators AnyIn, AllIn, AnyNotIn, AllNotIn. */
export type Membership = "AnyIn" | "AllIn" | "AnyNotIn" | "AllNotIn";

/**
 * AnyIn, AllIn, AnyNotIn, AllNotIn. A scalar key is read as text. A value that is neither list nor readable text makes all
 * four false, as it does in Kyverno.
 */
export function isMember(operator: Membership, key: Json, value: Json): boolean {
  if (Array.isArray(key)) return listIsMember(operator, key.map(toText), value);
  if (key === null || typeof key === "object") return false;
  const found = scalarIsIn(toText(key), value);
  if (found === undefined) return false;
  return operator.endsWith("NotIn") ? !found : found;
}

/** Whether one text is in the value; undefined where the value is of no use. */
function scalarIsIn(key: string, value: Json): boolean | undefined {
  if (Array.isArray(value)) return value.some((item) => globsEitherWay(key, toText(item)));
  if (typeof value !== "string") return undefined;
  if (matchGlob(value, key)) return true;
  const range = parseRange(value);
  if (range !== undefined) return isInRange(key, range);
  const list = parseJsonList(value);
  return list === "invalid" ? undefined : list.includes(key);
}

function listIsMember(operator: Membership, keys: string[], value: Json): boolean {
  const isIn = membershipTest(operator, keys, value);
  if (isIn === undefined) return false;
  switch (operator) {
    case "AnyIn":
      return keys.some(isIn);
    case "AllIn":
      return keys.every(isIn);
    case "AnyNotIn":
      return keys.some((key) => !isIn(key));
    case "AllNotIn":
      return !keys.some(isIn);
  }
}

function membershipTest(operator: Membership, keys: string[], value: Json): ((key: string) => boolean) | undefined {
  if (Array.isArray(value)) {
    const items = value.map(toText);
    return (key) => items.some((item) => globsEitherWay(key, item));
  }
  if (typeof value === "string") return textTest(keys, value);
  const isScalar = typeof value === "number" || typeof value === "boolean";
  return isScalar && operator.startsWith("Any") ? (key) => key === toText(value) : undefined;
}

function textTest(keys: string[], value: string): ((key: string) => boolean) | undefined {
  if (keys.length === 1 && keys[0] === value) return () => true;
  const range = parseRange(value);
  if (range !== undefined) return (key) => isInRange(key, range);
  const list = parseJsonList(value);
  return list === "invalid" ? undefined : (key) => list.includes(key);
}

/** The deprecated In and NotIn: as above for a text key, exact set logic for a list. */
export function isInExactly(operator: "In" | "NotIn", key: Json, value: Json): boolean {
  if (!Array.isArray(key)) {
    if (key === null || typeof key === "object") return false;
    const found = exactScalar(toText(key), value);
    return found !== undefined && (operator === "In") === found;
  }
  const keys = key.map(toText);
  if (typeof value === "string" && keys.length === 1 && keys[0] === value) return true; // both, as in Kyverno
  const list = Array.isArray(value) ? value.map(toText) : typeof value === "string" ? parseJsonList(value) : "invalid";
  if (list === "invalid") return false;
  const all = keys.every((item) => list.includes(item));
  return operator === "In" ? all : !all;
}

function exactScalar(key: string, value: Json): boolean | undefined {
  if (Array.isArray(value)) return value.some((item) => globsEitherWay(key, toText(item)));
  if (typeof value !== "string") return undefined;
  if (matchGlob(value, key)) return true;
  try {
    const list: unknown = JSON.parse(value);
    return isTextList(list) ? list.includes(key) : undefined;
  } catch {
    return undefined;
  }
}

function globsEitherWay(left: string, right: string): boolean {
  return matchGlob(left, right) || matchGlob(right, left);
}

/** A JSON list of texts; any other JSON is invalid; what is no JSON is the one text itself. */
function parseJsonList(text: string): string[] | "invalid" {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [text];
  }
  return isTextList(parsed) ? parsed : "invalid";
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

interface Range {
  low: string;
  high: string;
}

const RANGE = /^([-+]?\d+(?:\.\d+)?[A-Za-zµμ]*)-([-+]?\d+(?:\.\d+)?[A-Za-zµμ]*)$/;

function parseRange(text: string): Range | undefined {
  const [, low, high] = RANGE.exec(text) ?? [];
  return low === undefined || high === undefined ? undefined : { low, high };
}

/** Inclusive; durations where all three are, else quantities; anything else is outside. */
function isInRange(key: string, { low, high }: Range): boolean {
  for (const parse of [parseDuration, parseQuantity]) {
    const [from, at, to] = [parse(low), parse(key), parse(high)];
    if (from !== undefined && at !== undefined && to !== undefined) return from <= at && at <= to;
  }
  return false;
}
