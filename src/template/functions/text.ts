import { byteLength, fromBytes, toBytes } from "../byte-string.ts";
import { formatValue } from "../format/printer.ts";
import { quote } from "../format/quote.ts";
import { isList, toNumber, truth, type Value } from "../values.ts";
import type { GoFunction } from "./function.ts";

/** Sprig's functions on text, with Sprig's order of arguments: what is worked on comes last, so that it can be piped. */
export const textFunctions: Record<string, GoFunction> = {
  default: { parameters: ["any"], variadic: "any", call: ([fallback, given]) => (truth(given) ? given : fallback) },
  upper: { parameters: ["string"], call: ([text]) => mapChars(text, (char) => char.toUpperCase()) },
  lower: { parameters: ["string"], call: ([text]) => mapChars(text, (char) => char.toLowerCase()) },
  title: { parameters: ["string"], call: ([text]) => title(String(text)) },
  trim: { parameters: ["string"], call: ([text]) => trimSpace(String(text)) },
  trunc: { parameters: ["int", "string"], call: ([length, text]) => truncate(toNumber(length), String(text)) },
  join: { parameters: ["string", "any"], call: ([separator, list]) => texts(list).join(String(separator)) },
  split: { parameters: ["string", "string"], call: ([separator, text]) => split(String(separator), String(text)) },
  replace: {
    parameters: ["string", "string", "string"],
    call: ([old, by, text]) => pieces(String(old), String(text)).join(String(by)),
  },
  contains: { parameters: ["string", "string"], call: ([part, text]) => String(text).includes(String(part)) },
  hasPrefix: { parameters: ["string", "string"], call: ([part, text]) => String(text).startsWith(String(part)) },
  hasSuffix: { parameters: ["string", "string"], call: ([part, text]) => String(text).endsWith(String(part)) },
  quote: {
    parameters: [],
    variadic: "any",
    call: (values) =>
      texts(values)
        .map((text) => quote(text))
        .join(" "),
  },
  indent: { parameters: ["int", "string"], call: ([width, text]) => indent(toNumber(width), String(text)) },
  nindent: { parameters: ["int", "string"], call: ([width, text]) => `\n${indent(toNumber(width), String(text))}` },
};

/** Case mappings of single characters, as Go's: `ß` has no upper case of one character and stays. */
function mapChars(text: Value, map: (char: string) => string): string {
  return Array.from(String(text), (char) => ([...map(char)].length === 1 ? map(char) : char)).join("");
}

/** strings.Title: the first letter of every word, and a word ends at anything but a letter, a digit or an underscore. */
function title(text: string): string {
  return text.replace(
    /(^|[\p{ASCII}--[a-zA-Z0-9_]]|\p{White_Space})(\p{L})/gv,
    (_, before: string, letter: string) => before + mapChars(letter, (char) => char.toUpperCase()),
  );
}

const SPACE = /\p{White_Space}/u;

/** strings.TrimSpace, from both ends: a regular expression would look at every blank inside for the end. */
function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start] ?? "")) start++;
  while (end > start && SPACE.test(text[end - 1] ?? "")) end--;
  return text.slice(start, end);
}

/** Counts bytes, from the end where the length is negative. */
function truncate(length: number, text: string): string {
  const size = byteLength(text);
  if (length < 0) return size + length > 0 ? fromBytes(toBytes(text).subarray(size + length)) : text;
  return size > length ? fromBytes(toBytes(text).subarray(0, length)) : text;
}

/** A list's elements as texts, nil left out; anything else is a list of one. */
function texts(value: Value): string[] {
  const list = isList(value) ? value : [value];
  return list.filter((element) => element !== null && element !== undefined).map(formatValue);
}

function pieces(separator: string, text: string): string[] {
  return separator === "" ? ["", ...text, ""] : text.split(separator);
}

/** Sprig's split gives a map: `_0`, `_1` and so on. */
function split(separator: string, text: string): Value {
  const parts = separator === "" ? [...text] : text.split(separator);
  return Object.fromEntries(parts.map((part, index) => [`_${index}`, part]));
}

/** No line is ever indented further than this. */
const MAX_INDENT = 1000;

function indent(width: number, text: string): string {
  const pad = " ".repeat(Math.min(Math.max(width, 0), MAX_INDENT));
  return pad + text.replaceAll("\n", `\n${pad}`);
}
