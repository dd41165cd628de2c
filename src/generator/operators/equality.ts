import type { Json } from "../../resources/object.ts";
import { matchGlob } from "../glob.ts";
import { deepEqual } from "../jmespath/values.ts";
import { parseQuantity } from "../quantity.ts";
import { bothDurations, parseNumber } from "./coerce.ts";

/** Equals: the key's JSON type decides how the value is read. */
export function equals(key: Json, value: Json): boolean {
  switch (typeof key) {
    case "boolean":
      return key === value;
    case "number":
      return typeof value === "string" ? parseNumber(value) === key : key === value;
    case "string":
      return equalsText(key, value);
    default:
      return key !== null && typeof value === "object" && value !== null && deepEqual(key, value);
  }
}

/** NotEquals: the opposite of Equals, except that an absent key is neither. */
export function notEquals(key: Json, value: Json): boolean {
  return key !== null && !equals(key, value);
}

function equalsText(key: string, value: Json): boolean {
  const durations = bothDurations(key, value);
  if (durations !== undefined) return durations[0] === durations[1];
  if (typeof value !== "string") return false;
  const quantity = parseQuantity(key);
  if (quantity !== undefined) return parseQuantity(value) === quantity;
  return matchGlob(value, key);
}
