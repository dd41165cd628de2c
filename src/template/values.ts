/**
 * Go's view of data and literals. `undefined` is a missing value (Go's zero reflect.Value), `null` a nil interface.
 * Integers of the data are int64: JavaScript numbers, or bigints beyond 2^53. A fractional number is a float64; a float64
 * that looks like an integer, and every other number type, is a {@link GoNumber}; a string marked as HTML is {@link SafeHtml}.
 */
export type Value = undefined | null | boolean | string | number | bigint | GoNumber | SafeHtml | List | GoMap;
export type List = Value[];
export interface GoMap {
  [key: string]: Value;
}

export type NumberKind = "int" | "int64" | "uint8" | "float64" | "complex128";
export type Kind = NumberKind | "missing" | "nil" | "bool" | "string" | "html" | "list" | "map";

/** A value that is an object to JavaScript alone: it has no fields. */
export abstract class Scalar {}

/** Go's template.HTML: a string that goes into HTML text as it is. Only `safeHtml` makes one; no data holds any. */
export class SafeHtml extends Scalar {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override toString(): string {
    return this.text;
  }
}

/** A number whose Go type cannot be told from its JavaScript type. */
export class GoNumber extends Scalar {
  readonly kind: NumberKind;
  readonly value: number | bigint;
  /** Imaginary part of a complex128. */
  readonly imag: number;

  constructor(kind: NumberKind, value: number | bigint, imag = 0) {
    super();
    this.kind = kind;
    this.value = value;
    this.imag = imag;
  }

  /** How the Handlebars dialect shows it. */
  override toString(): string {
    return String(this.value);
  }
}

export const int = (value: number | bigint): GoNumber => new GoNumber("int", value);
export const float = (value: number): GoNumber => new GoNumber("float64", value);

const MAX_INT64 = 2n ** 63n - 1n;

/** The Go kind of any value, also of things no JSON holds (functions, symbols), which count as missing. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? "int64" : "float64";
    case "bigint":
      return value <= MAX_INT64 && value >= -MAX_INT64 - 1n ? "int64" : "float64";
    case "object":
      if (value === null) return "nil";
      if (value instanceof GoNumber) return value.kind;
      if (value instanceof SafeHtml) return "html";
      return Array.isArray(value) ? "list" : "map";
    default:
      return "missing";
  }
}

const TYPE_NAMES: Record<string, string> = {
  html: "template.HTML",
  list: "[]interface {}",
  map: "map[string]interface {}",
  nil: "interface {}",
  missing: "<nil>",
};

/** The name Go prints for a value's type. */
export function typeName(value: Value): string {
  const kind = kindOf(value);
  return TYPE_NAMES[kind] ?? kind;
}

const INTEGERS: ReadonlySet<Kind> = new Set<Kind>(["int", "int64", "uint8"]);
export const isInteger = (value: Value): boolean => INTEGERS.has(kindOf(value));

/** The number of an integer value; exact. */
export function toBigInt(value: Value): bigint {
  const number = value instanceof GoNumber ? value.value : value;
  return typeof number === "bigint" ? number : BigInt(number as number);
}

/** The number of an integer or float value, as near as JavaScript's numbers go. */
export function toNumber(value: Value): number {
  return Number(value instanceof GoNumber ? value.value : value);
}

/** A list of the data or of a function. */
export const isList = (value: Value): value is List => Array.isArray(value);

/** The characters of a value of Go's kind string, marked as HTML or not; undefined for all others. */
export function charactersOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof SafeHtml ? value.text : undefined;
}

/** A map: any object that is neither list nor scalar. */
export const isMap = (value: Value): value is GoMap =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Scalar);

/** A map's entry, never one of a prototype; undefined when there is none. */
export const entry = (map: GoMap, key: string): Value => (Object.hasOwn(map, key) ? map[key] : undefined);

/** Whether `if` takes a value for true: everything but missing, nil, false, zero and empty. */
export function truth(value: Value): boolean {
  switch (typeof value) {
    case "string":
      return value.length > 0;
    case "boolean":
      return value;
    case "number":
      return value !== 0; // NaN is true, as in Go
    case "bigint":
      return value !== 0n;
    case "object":
      if (value === null) return false;
      if (value instanceof GoNumber) return Number(value.value) !== 0 || value.imag !== 0;
      if (value instanceof SafeHtml) return value.text.length > 0;
      if (Array.isArray(value)) return value.length > 0;
      for (const key in value) if (Object.hasOwn(value, key)) return true;
      return false;
    default:
      return false;
  }
}
