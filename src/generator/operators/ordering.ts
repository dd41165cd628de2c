import type { Json } from "../../resources/object.ts";
import { parseDuration } from "../duration.ts";
import { parseQuantity } from "../quantity.ts";
import { bothDurations, parseNumber, secondsOf } from "./coerce.ts";

/** -1, 0 or 1 as key stands to value; undefined where they cannot be compared, which is false for every operator. */
export type Order = -1 | 0 | 1 | undefined;

/** GreaterThan and its like: numbers, durations, quantities, then strict semantic versions. */
export function order(key: Json, value: Json): Order {
  if (typeof key === "number") return orderNumber(key, value);
  if (typeof key !== "string") return undefined;
  const durations = bothDurations(key, value);
  if (durations !== undefined) return compare(...durations);
  if (typeof value === "string") {
    const [left, right] = [parseQuantity(key), parseQuantity(value)];
    if (left !== undefined && right !== undefined) return compare(left, right);
  }
  const number = parseNumber(key);
  if (number !== undefined) return orderNumber(number, value);
  return typeof value === "string" ? orderVersions(key, value) : undefined;
}

function orderNumber(key: number, value: Json): Order {
  if (typeof value === "number") return compare(key, value);
  if (typeof value !== "string") return undefined;
  const durations = bothDurations(key, value);
  if (durations !== undefined) return compare(...durations);
  const number = parseNumber(value);
  return number === undefined ? undefined : compare(key, number);
}

/** The deprecated Duration… operators: texts are durations, numbers are seconds. */
export function orderDurations(key: Json, value: Json): Order {
  const [left, right] = [durationOf(key), durationOf(value)];
  return left === undefined || right === undefined ? undefined : compare(left, right);
}

function durationOf(value: Json): bigint | undefined {
  return typeof value === "string" ? parseDuration(value) : secondsOf(value);
}

const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

function orderVersions(left: string, right: string): Order {
  const [first, second] = [VERSION.exec(left), VERSION.exec(right)];
  if (first === null || second === null) return undefined;
  for (const part of [1, 2, 3]) {
    const result = compare(BigInt(first[part] ?? "0"), BigInt(second[part] ?? "0"));
    if (result !== 0) return result;
  }
  return orderPrereleases(first[4], second[4]);
}

/** Semantic Versioning 2.0.0, §11: a pre-release comes before its release; numbers before words. */
function orderPrereleases(left: string | undefined, right: string | undefined): -1 | 0 | 1 {
  if (left === undefined || right === undefined)
    return compare(left === undefined ? 1 : 0, right === undefined ? 1 : 0);
  const [first, second] = [left.split("."), right.split(".")];
  for (let index = 0; index < Math.min(first.length, second.length); index += 1) {
    const result = orderIdentifiers(first[index] ?? "", second[index] ?? "");
    if (result !== 0) return result;
  }
  return compare(first.length, second.length);
}

function orderIdentifiers(left: string, right: string): -1 | 0 | 1 {
  const [isLeftNumber, isRightNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (isLeftNumber && isRightNumber) return compare(BigInt(left), BigInt(right));
  if (isLeftNumber !== isRightNumber) return isLeftNumber ? -1 : 1;
  return compare(left, right);
}

function compare<T extends number | bigint | string>(left: T, right: T): -1 | 0 | 1 {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
