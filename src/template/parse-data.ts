import { float, type Value } from "./values.ts";

/**
 * Texts in which JSON.parse would lose something: floats, `-0`, 16 digits and more, surrogate escapes. A number follows `:`,
 * `[` or `,`: what is in quotes alone (each UID has a `3e` somewhere) must not cost the slow way, which is ten times slower.
 */
const NEEDS_CARE = /(?:^|[:[,])\s*-?(?:\d+[.eE]|\d{16})|(?:^|[:[,])\s*-0|\\u[dD][89a-fA-F]/;
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Parses JSON as Kubernetes does: a number without `.`, `e` and `E` that fits stays an int64, beyond 2^53 too (as bigint),
 * every other is a float64 and stays one where it looks like an integer. @throws SyntaxError
 */
export function parseData(json: string): unknown {
  if (!NEEDS_CARE.test(json)) return JSON.parse(json);
  return JSON.parse(json, revive as (this: unknown, key: string, value: unknown) => unknown);
}

/** ES2025's source text access, which Node has and TypeScript's library does not yet describe. */
function revive(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value === "number") return parseNumber(value, context?.source ?? String(value));
  return typeof value === "string" ? value.toWellFormed() : value;
}

function parseNumber(value: number, source: string): Value {
  if (/[.eE]/.test(source)) return Number.isInteger(value) ? float(value) : value;
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const exact = BigInt(source);
  return exact <= MAX_INT64 && exact >= -MAX_INT64 - 1n ? exact : float(value);
}
