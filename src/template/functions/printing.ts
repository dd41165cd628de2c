import { isByte, toBytes } from "../byte-string.ts";
import { sprint, sprintf, sprintln } from "../format/printf.ts";
import { isPrint } from "../format/quote.ts";
import type { Value } from "../values.ts";
import type { GoFunction } from "./function.ts";

/** `print`, `printf`, `println` and the escapers `html`, `js` and `urlquery`. */
export const printingFunctions: Record<string, GoFunction> = {
  print: { parameters: [], variadic: "any", call: (args) => sprint(args) },
  printf: { parameters: ["string"], variadic: "any", call: ([format, ...args]) => sprintf(String(format), args) },
  println: { parameters: [], variadic: "any", call: (args) => sprintln(args) },
  html: { parameters: [], variadic: "any", call: (args) => escapeHtml(evaluated(args)) },
  js: { parameters: [], variadic: "any", call: (args) => escapeJs(evaluated(args)) },
  _eval_args_: { parameters: [], variadic: "any", call: (args) => sprint(args) },
  urlquery: { parameters: [], variadic: "any", call: (args) => escapeUrlQuery(evaluated(args)) },
};

/** The operands of an escaper as one text; a lone nil reads `<no value>`, as when printed. */
function evaluated(args: Value[]): string {
  const [only] = args;
  if (args.length === 1 && typeof only === "string") return only;
  return sprint(args.map((arg) => (arg === null || arg === undefined ? "<no value>" : arg)));
}

const HTML: Record<string, string> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

/** template.HTMLEscapeString. */
export const escapeHtml = (text: string): string => text.replace(/["'&<>\0]/g, (char) => HTML[char] ?? char);

const JS: Record<string, string> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

/** template.JSEscapeString. */
export function escapeJs(text: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (isByte(char)) out += "\ufffd";
    else if (JS[char] !== undefined) out += JS[char];
    else if (isPrint(char)) out += char;
    else out += `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return out;
}

/** url.QueryEscape. */
export function escapeUrlQuery(text: string): string {
  let out = "";
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(char)) out += char;
    else out += char === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
