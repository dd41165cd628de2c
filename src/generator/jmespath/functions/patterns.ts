import { RE2JS } from "re2js";
import { messageOf } from "../../errors.ts";
import { ExpressionError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { define } from "./signature.ts";

const MAX_PATTERN_LENGTH = 1_000;
const MAX_PROGRAM_SIZE = 10_000;

/** Kyverno's functions on regular expressions: RE2 syntax, so the time they take is linear in the text. */
export const PATTERNS = {
  regex_match: define<[string, string | number]>(["string", "string|number"], ([pattern, text]) =>
    compilePattern("regex_match", pattern).test(String(text)),
  ),
  regex_replace_all: define<[string, string | number, string | number]>(
    ["string", "string|number", "string|number"],
    ([pattern, text, replacement]) =>
      replaceAll(compilePattern("regex_replace_all", pattern), String(text), (groups, names) =>
        expand(String(replacement), groups, names),
      ),
  ),
  regex_replace_all_literal: define<[string, string | number, string | number]>(
    ["string", "string|number", "string|number"],
    ([pattern, text, replacement]) =>
      replaceAll(compilePattern("regex_replace_all_literal", pattern), String(text), () => String(replacement)),
  ),
};

/** @throws ExpressionError when the pattern is no RE2 expression or compiles to too large a program */
function compilePattern(name: string, pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new ExpressionError(`${name}() takes a pattern of at most ${MAX_PATTERN_LENGTH} characters`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    throw new ExpressionError(`${name}() cannot use the pattern "${pattern}": ${messageOf(error)}`);
  }
  if (compiled.programSize() > MAX_PROGRAM_SIZE)
    throw new ExpressionError(`${name}() cannot use the pattern "${pattern}": it is too large when compiled`);
  return compiled;
}

type Groups = readonly (string | undefined)[];

function replaceAll(
  pattern: RE2JS,
  text: string,
  replacementOf: (groups: Groups, names: Record<string, number>) => string,
): string {
  const names = pattern.namedGroups();
  let result = "";
  let end = 0;
  for (const match of pattern.matchAll(text)) {
    result += text.slice(end, match.index) + replacementOf([...match], names);
    end = (match.index ?? 0) + match[0].length;
    if (result.length > LIMITS.stringLength)
      throw new ExpressionError(`The result is a string longer than ${LIMITS.stringLength} characters`);
  }
  return result + text.slice(end);
}

/** Go's Regexp.Expand: `$1`, `${1}`, `$name`, `${name}`, `$$`; an unknown group is empty text. */
function expand(template: string, groups: Groups, names: Record<string, number>): string {
  return template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar, braced, bare) => {
    if (dollar !== undefined) return "$";
    const name: string = braced ?? bare;
    const index = /^\d+$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? names[name] : undefined;
    return index === undefined ? "" : (groups[index] ?? "");
  });
}
