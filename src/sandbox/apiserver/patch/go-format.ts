import { isRecord } from "../schema/values.ts";

/** A JSON value as Go's `%v` prints it: `map[a:1 b:[x y]]`. */
export function formatGoMap(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(formatGoMap).join(" ")}]`;
  if (!isRecord(value)) return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([name, entry]) => `${name}:${formatGoMap(entry)}`).join(" ")}]`;
}

/** What encoding/json calls the kind of a JSON value in its errors. */
export function goKind(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
