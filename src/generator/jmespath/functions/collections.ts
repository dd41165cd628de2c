import type { Json } from "../../../resources/object.ts";
import { matchGlob } from "../../glob.ts";
import { ExpressionError } from "../errors.ts";
import { type JsonObject, sortedEntries, typeName } from "../values.ts";
import { define } from "./signature.ts";
import { stringsOf } from "./standard.ts";

/** Kyverno's functions on objects and lists. */
export const COLLECTIONS = {
  items: define<[JsonObject | Json[], string, string]>(
    ["object|array", "string", "string"],
    ([value, keyName, valueName]) => {
      const entries: [Json, Json][] = Array.isArray(value)
        ? value.map((item, index) => [index, item])
        : sortedEntries(value);
      return entries.map(([key, item]) =>
        Object.fromEntries([
          [keyName, key],
          [valueName, item],
        ]),
      );
    },
  ),
  label_match: define<[JsonObject, JsonObject]>(["object", "object"], ([wanted, given]) =>
    Object.entries(wanted).every(([key, value]) => Object.hasOwn(given, key) && given[key] === value),
  ),
  lookup: define<[JsonObject | Json[], string | number]>(["object|array", "string|number"], ([value, key]) => {
    if (Array.isArray(value)) {
      if (typeof key !== "number" || !Number.isInteger(key))
        throw new ExpressionError(`lookup() takes an integer to look into a list and was given ${typeName(key)}`);
      return value[key] ?? null;
    }
    if (typeof key !== "string")
      throw new ExpressionError(`lookup() takes a string to look into an object and was given ${typeName(key)}`);
    return Object.hasOwn(value, key) ? (value[key] as Json) : null;
  }),
  object_from_lists: define<[Json[], Json[]]>(["array", "array"], ([keys, values]) =>
    Object.fromEntries(stringsOf("object_from_lists", keys).map((key, index) => [key, values[index] ?? null])),
  ),
  pattern_match: define<[string, string | number]>(["string", "string|number"], ([pattern, text]) =>
    matchGlob(pattern, String(text)),
  ),
};
