import { formatFloat } from "../format/float.ts";
import { sortedKeys } from "../format/printer.ts";
import { charactersOf, isInteger, isList, isMap, kindOf, toBigInt, toNumber, type Value } from "../values.ts";
import { FunctionError, type GoFunction } from "./function.ts";

/** JSON as encoding/json writes it: keys sorted, `<`, `>` and `&` escaped. */
export const jsonFunctions: Record<string, GoFunction> = {
  toJson: { parameters: ["any"], call: ([value]) => toJson(value, "", "") },
  toPrettyJson: { parameters: ["any"], call: ([value]) => toJson(value, "  ", "\n") },
};

/** `step` is one level's indentation; `line` begins a line at the present level, or is empty for compact text. */
function toJson(value: Value, step: string, line: string): string {
  const kind = kindOf(value);
  if (kind === "nil" || kind === "missing") return "null";
  if (kind === "bool") return String(value);
  const text = charactersOf(value);
  if (text !== undefined) return jsonString(text);
  if (isInteger(value)) return toBigInt(value).toString();
  if (kind === "float64") return jsonNumber(toNumber(value));
  const inner = line === "" ? "" : line + step;
  if (isList(value))
    return nested(
      "[",
      value.map((element) => toJson(element, step, inner)),
      "]",
      inner,
      line,
    );
  if (!isMap(value)) throw new FunctionError(`json: unsupported type: ${kind}`);
  const colon = line === "" ? ":" : ": ";
  const entries = sortedKeys(value).map((key) => jsonString(key) + colon + toJson(value[key], step, inner));
  return nested("{", entries, "}", inner, line);
}

function nested(open: string, items: string[], close: string, inner: string, line: string): string {
  return items.length === 0 ? open + close : open + inner + items.join(`,${inner}`) + line + close;
}

function jsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new FunctionError(`json: unsupported value: ${formatFloat(value, "g", -1)}`);
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return formatFloat(value, "f", -1);
  return formatFloat(value, "e", -1).replace(/e-0(\d)$/, "e-$1");
}
