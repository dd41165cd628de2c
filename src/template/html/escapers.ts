import { formatValue } from "../format/printer.ts";
import { escapeHtml } from "../functions/printing.ts";
import type { Value } from "../values.ts";

/** Applies one contextual escaper, by name. */
export function escapeWith(_name: string, value: Value): string {
  return value === undefined || value === null ? "" : escapeHtml(formatValue(value)).replaceAll("+", "&#43;");
}
