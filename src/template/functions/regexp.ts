import { createRequire } from "node:module";
import type { RE2JS } from "re2js";
import { FunctionError, type GoFunction } from "./function.ts";

/** Regular expressions of RE2, Go's own kind: time grows with expression and text, never beyond their product. */
export const regexpFunctions: Record<string, GoFunction> = {
  reReplaceAll: {
    parameters: ["string", "string", "string"],
    call: ([pattern, replacement, text]) => replaceAll(compile(String(pattern)), String(replacement), String(text)),
  },
};

/** States of the expression times characters of the text: about a quarter of a second. */
const MAX_WORK = 20_000_000;
const MAX_PATTERN = 1000;

const require = createRequire(import.meta.url);

/** Loaded with the first expression: few templates have one, and its tables of Unicode are large. */
const re2 = () => require("re2js") as typeof import("re2js");

function compile(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN)
    throw new FunctionError(`regular expression of more than ${MAX_PATTERN} characters`);
  const library = re2();
  try {
    return library.RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof library.RE2JSException) throw new FunctionError(error.message);
    throw error;
  }
}

/** Regexp.ReplaceAllString: an empty match right behind another one does not count. */
function replaceAll(expression: RE2JS, replacement: string, text: string): string {
  if (expression.programSize() * text.length > MAX_WORK) {
    throw new FunctionError(`regular expression too large for a text of ${text.length} characters`);
  }
  const matcher = expression.matcher(text);
  const names = expression.namedGroups();
  const group = (name: string): string => {
    const index = /^\d+$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? names[name] : undefined;
    return index === undefined || index > expression.groupCount() ? "" : (matcher.group(index) ?? "");
  };
  let out = "";
  let last = 0;
  while (matcher.find()) {
    if (matcher.end() === last && matcher.start() === last && last > 0) continue;
    out += text.slice(last, matcher.start()) + expand(replacement, group);
    last = matcher.end();
  }
  return out + text.slice(last);
}

/** Regexp.Expand: `$1`, `${name}` with the longest name possible, `$$`; any other `$` is one. */
function expand(replacement: string, group: (name: string) => string): string {
  return replacement.replace(
    /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (_, dollar?: string, braced?: string, bare?: string) => dollar ?? group(braced ?? bare ?? ""),
  );
}
