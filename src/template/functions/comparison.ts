import { compareBytes } from "../byte-string.ts";
import { sprintf } from "../format/printf.ts";
import { GoNumber, isInteger, kindOf, toBigInt, toNumber, typeName, type Value } from "../values.ts";
import { FunctionError, type GoFunction } from "./function.ts";

/** `eq`, `ne`, `lt`, `le`, `gt` and `ge` with the rules of package text/template: no number type but integers among themselves mixes. */
export const comparisonFunctions: Record<string, GoFunction> = {
  eq: { parameters: ["value"], variadic: "value", call: ([first, ...others]) => equalsAny(first, others) },
  ne: { parameters: ["value", "value"], call: ([a, b]) => !equals(a, b) },
  lt: { parameters: ["value", "value"], call: ([a, b]) => less(a, b) },
  le: { parameters: ["value", "value"], call: ([a, b]) => lessOrEqual(a, b) },
  gt: { parameters: ["value", "value"], call: ([a, b]) => !lessOrEqual(a, b) },
  ge: { parameters: ["value", "value"], call: ([a, b]) => !less(a, b) },
};

type Basic = "bool" | "complex" | "float" | "int" | "string";

/** The kinds that can be compared; undefined for nil, lists and maps. */
function basicKind(value: Value): Basic | undefined {
  if (isInteger(value)) return "int";
  const kind = kindOf(value);
  if (kind === "float64") return "float";
  if (kind === "complex128") return "complex";
  if (kind === "html") return "string";
  return kind === "bool" || kind === "string" ? kind : undefined;
}

const isNil = (value: Value): boolean => value === null || kindOf(value) === "missing";

function incompatible(a: Value, b: Value): FunctionError {
  return new FunctionError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function equalsAny(first: Value, others: Value[]): boolean {
  if (others.length === 0) throw new FunctionError("missing argument for comparison");
  return others.some((other) => equals(first, other));
}

function equals(a: Value, b: Value): boolean {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  if (kindA !== kindB || kindA === undefined) return equalsUnlike(a, b);
  switch (kindA) {
    case "int":
      return toBigInt(a) === toBigInt(b);
    case "float":
      return toNumber(a) === toNumber(b);
    case "complex":
      return a instanceof GoNumber && b instanceof GoNumber && a.value === b.value && a.imag === b.imag;
    case "string":
      return String(a) === String(b);
    default:
      return a === b;
  }
}

/** Nil equals nil alone; other values without a common basic kind cannot be compared. */
function equalsUnlike(a: Value, b: Value): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (basicKind(a) !== basicKind(b)) throw incompatible(a, b);
  throw new FunctionError(`non-comparable type ${sprintf("%s", [b])}: ${typeName(b)}`);
}

function less(a: Value, b: Value): boolean {
  return order(a, b) < 0;
}

function lessOrEqual(a: Value, b: Value): boolean {
  return order(a, b) <= 0;
}

/** Negative, zero or positive; NaN when neither comes first. */
function order(a: Value, b: Value): number {
  const kindA = basicKind(a);
  const kindB = basicKind(b);
  if (kindA === undefined || kindB === undefined) throw unordered();
  if (kindA !== kindB) throw incompatible(a, b);
  if (kindA === "bool" || kindA === "complex") throw unordered();
  if (kindA === "string") return compareBytes(String(a), String(b));
  if (kindA === "float") return toNumber(a) - toNumber(b);
  const difference = toBigInt(a) - toBigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const unordered = (): FunctionError => new FunctionError("invalid type for comparison");
