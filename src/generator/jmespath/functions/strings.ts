import { ExpressionError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { compareText } from "../values.ts";
import { define } from "./signature.ts";

/** Kyverno's string functions. */
export const STRINGS = {
  compare: define<[string, string]>(["string", "string"], ([left, right]) => compareText(left, right)),
  equal_fold: define<[string, string]>(
    ["string", "string"],
    ([left, right]) => left.toLowerCase() === right.toLowerCase(),
  ),
  replace: define<[string, string, string, number]>(
    ["string", "string", "string", "number"],
    ([text, from, to, count]) => replaceTimes(text, from, to, count),
  ),
  replace_all: define<[string, string, string]>(["string", "string", "string"], ([text, from, to]) =>
    replaceTimes(text, from, to, -1),
  ),
  to_upper: define<[string]>(["string"], ([text]) => text.toUpperCase()),
  to_lower: define<[string]>(["string"], ([text]) => text.toLowerCase()),
  trim: define<[string, string]>(["string", "string"], ([text, set]) => trimSet(text, set)),
  trim_prefix: define<[string, string]>(["string", "string"], ([text, prefix]) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  split: define<[string, string]>(["string", "string"], ([text, separator]) =>
    separator === "" ? [...text] : text.split(separator),
  ),
  truncate: define<[string, number]>(["string", "number"], ([text, length]) =>
    [...text].slice(0, Math.max(0, Math.trunc(length))).join(""),
  ),
};

/** Go's strings.Replace: `count` < 0 replaces all; an empty `from` stands before each character and at the end. */
function replaceTimes(text: string, from: string, to: string, count: number): string {
  const pieces = from === "" ? ["", ...text] : text.split(from);
  const joints = from === "" ? [...text].length + 1 : pieces.length - 1;
  const replaced = count < 0 ? joints : Math.min(joints, Math.trunc(count));
  if (text.length + replaced * to.length > LIMITS.stringLength)
    throw new ExpressionError(`The result is a string longer than ${LIMITS.stringLength} characters`);
  if (from === "") {
    const chars = [...text];
    return chars.map((char, index) => (index < replaced ? to : "") + char).join("") + (replaced === joints ? to : "");
  }
  return (
    pieces.slice(0, replaced + 1).join(to) +
    pieces
      .slice(replaced + 1)
      .map((piece) => from + piece)
      .join("")
  );
}

/** Go's strings.Trim: every leading and trailing character that is in `set`. */
function trimSet(text: string, set: string): string {
  const chars = [...text];
  const cut = new Set(set);
  const start = chars.findIndex((char) => !cut.has(char));
  const end = chars.findLastIndex((char) => !cut.has(char));
  return start === -1 ? "" : chars.slice(start, end + 1).join("");
}
