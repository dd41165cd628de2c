import type { Json } from "../../../resources/object.ts";
import { ExpressionError } from "../errors.ts";
import { compareText, deepEqual, type JsonObject, toText, typeName } from "../values.ts";
import { define, type ExpressionReference } from "./signature.ts";

/** The functions of JMESPath itself (jmespath.org/specification.html), except `sum`, which Kyverno replaces. */
export const STANDARD = {
  abs: define<[number]>(["number"], ([value]) => Math.abs(value)),
  avg: define<[Json[]]>(["array"], ([items]) => {
    const numbers = numbersOf("avg", items);
    return numbers.length === 0 ? 0 : numbers.reduce((left, right) => left + right) / numbers.length;
  }),
  ceil: define<[number]>(["number"], ([value]) => Math.ceil(value)),
  contains: define<[string | Json[], Json]>(["array|string", "any"], ([whole, part]) => {
    if (Array.isArray(whole)) return whole.some((item) => deepEqual(item, part));
    return typeof part === "string" && whole.includes(part);
  }),
  ends_with: define<[string, string]>(["string", "string"], ([text, suffix]) => text.endsWith(suffix)),
  floor: define<[number]>(["number"], ([value]) => Math.floor(value)),
  join: define<[string, Json[]]>(["string", "array"], ([glue, items]) => stringsOf("join", items).join(glue)),
  keys: define<[JsonObject]>(["object"], ([object]) => Object.keys(object)),
  length: define<[string | Json[] | JsonObject]>(["string|array|object"], ([value]) => {
    if (typeof value === "string") return [...value].length;
    return Object.keys(value).length;
  }),
  map: define<[ExpressionReference, Json[]]>(["expression", "array"], ([{ apply }, items]) => items.map(apply)),
  max: define<[Json[]]>(["array"], ([items]) => best("max", items, items, 1)),
  max_by: define<[Json[], ExpressionReference]>(["array", "expression"], ([items, { apply }]) =>
    best("max_by", items, items.map(apply), 1),
  ),
  merge: define<JsonObject[]>(["object…"], (objects) => Object.fromEntries(objects.flatMap(Object.entries))),
  min: define<[Json[]]>(["array"], ([items]) => best("min", items, items, -1)),
  min_by: define<[Json[], ExpressionReference]>(["array", "expression"], ([items, { apply }]) =>
    best("min_by", items, items.map(apply), -1),
  ),
  not_null: define<Json[]>(["any…"], (values) => values.find((value) => value !== null) ?? null),
  reverse: define<[string | Json[]]>(["string|array"], ([value]) =>
    typeof value === "string" ? [...value].reverse().join("") : value.toReversed(),
  ),
  sort: define<[Json[]]>(["array"], ([items]) => sortBy("sort", items, items)),
  sort_by: define<[Json[], ExpressionReference]>(["array", "expression"], ([items, { apply }]) =>
    sortBy("sort_by", items, items.map(apply)),
  ),
  starts_with: define<[string, string]>(["string", "string"], ([text, prefix]) => text.startsWith(prefix)),
  to_array: define<[Json]>(["any"], ([value]) => (Array.isArray(value) ? value : [value])),
  to_number: define<[Json]>(["any"], ([value]) => {
    if (typeof value === "number") return value;
    const number = typeof value === "string" && value.trim() === value && value !== "" ? Number(value) : Number.NaN;
    return Number.isFinite(number) ? number : null;
  }),
  to_string: define<[Json]>(["any"], ([value]) => toText(value)),
  type: define<[Json]>(["any"], ([value]) => typeName(value)),
  values: define<[JsonObject]>(["object"], ([object]) => Object.values(object)),
};

/** @throws ExpressionError unless every item is a string */
export function stringsOf(name: string, items: Json[]): string[] {
  if (items.every((item) => typeof item === "string")) return items;
  throw new ExpressionError(`${name}() takes a list of strings and was given ${describeItems(items)}`);
}

function numbersOf(name: string, items: Json[]): number[] {
  if (items.every((item) => typeof item === "number")) return items;
  throw new ExpressionError(`${name}() takes a list of numbers and was given ${describeItems(items)}`);
}

function describeItems(items: Json[]): string {
  return `a list of ${[...new Set(items.map(typeName))].join(" and ")}`;
}

function best(name: string, items: Json[], keys: Json[], sign: 1 | -1): Json {
  if (items.length === 0) return null;
  requireSortable(name, keys);
  const index = keys.reduce<number>((found, key, at) => (compare(key, keys[found] as Json) === sign ? at : found), 0);
  return items[index] as Json;
}

function sortBy(name: string, items: Json[], keys: Json[]): Json[] {
  requireSortable(name, keys);
  const order = keys.map((_, index) => index).sort((left, right) => compare(keys[left] as Json, keys[right] as Json));
  return order.map((index) => items[index] as Json);
}

function requireSortable(name: string, keys: Json[]): void {
  const types = new Set(keys.map(typeName));
  if (types.size > 1 || keys.some((key) => typeof key !== "string" && typeof key !== "number"))
    throw new ExpressionError(`${name}() compares strings or numbers and was given ${describeItems(keys)}`);
}

function compare(left: Json, right: Json): -1 | 0 | 1 {
  if (typeof left === "number" && typeof right === "number") return Math.sign(left - right) as -1 | 0 | 1;
  return compareText(String(left), String(right));
}
