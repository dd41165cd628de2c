import type { Scalar } from "yaml";

/** Translates offsets of a YAML scalar's value into offsets of the file it is written in. */
export type ScalarOffsets = (valueOffset: number) => number;

/**
 * Where each character of `scalar`'s value stands in `text`. Exact for block literals, for quoted and plain scalars and
 * their escapes; in folded scalars a blank that came of a line break stands at that line break.
 */
export function mapScalar(scalar: Scalar, text: string): ScalarOffsets {
  const value = typeof scalar.value === "string" ? scalar.value : "";
  const [start, end] = scalar.range ?? [0, 0];
  const raw = text.slice(start, end);
  const offsets = scalar.type?.startsWith("BLOCK") ? mapBlock(value, raw) : mapFlow(value, raw);
  return (valueOffset) => start + (offsets[Math.max(0, Math.min(valueOffset, offsets.length - 1))] ?? 0);
}

/** Lines of a block scalar: the value's lines are the file's, less their indentation. */
function mapBlock(value: string, raw: string): number[] {
  const headerEnd = raw.indexOf("\n") + 1;
  const lines = raw.slice(headerEnd).split("\n");
  const firstWritten = lines.find((line) => line.trim() !== "") ?? "";
  const firstValue = value.split("\n").find((line) => line.trim() !== "") ?? "";
  const indent = Math.max(0, blanksBefore(firstWritten) - blanksBefore(firstValue));
  const offsets: number[] = [];
  let at = headerEnd + Math.min(indent, blanksBefore(lines[0] ?? ""));
  for (const character of value.split("")) {
    if (raw[at] === "\r") at++;
    while (raw[at] === "\n" && character !== "\n" && character !== " ") at = nextLine(raw, at, indent); // folded blank lines
    offsets.push(at);
    at = raw[at] === "\n" ? nextLine(raw, at, indent) : at + 1;
  }
  return [...offsets, at];
}

/** The offset after the line break at `at` and the indentation of the line that follows. */
function nextLine(raw: string, at: number, indent: number): number {
  let next = at + 1;
  for (let blanks = 0; blanks < indent && raw[next] === " "; blanks++) next++;
  return next;
}

function blanksBefore(line: string): number {
  return line.length - line.trimStart().length;
}

/** An escape of a double-quoted scalar, with the number of digits that follow its letter. */
const ESCAPE_DIGITS: Record<string, number> = { x: 2, u: 4, U: 8 };

/** Quoted and plain scalars: escapes are one character, a line break with its blanks folds into one. */
function mapFlow(value: string, raw: string): number[] {
  const quote = raw[0] === '"' || raw[0] === "'" ? raw[0] : "";
  const offsets: number[] = [];
  let at = quote.length;
  for (const character of value) {
    while (quote === '"' && /^\\\r?\n/.test(raw.slice(at, at + 3))) at = skipBlanks(raw, at + 1);
    if (!/\s/.test(character)) at = skipBlanks(raw, at);
    for (let unit = 0; unit < character.length; unit++) offsets.push(at);
    at += sourceLength(raw, at, quote, character);
  }
  return [...offsets, at];
}

function skipBlanks(raw: string, at: number): number {
  let next = at;
  while (next < raw.length && /\s/.test(raw[next] ?? "")) next++;
  return next;
}

/** How many characters of the file make the character of the value that begins at `at`. */
function sourceLength(raw: string, at: number, quote: string, character: string): number {
  const first = raw[at];
  if (quote === '"' && first === "\\") return 2 + (ESCAPE_DIGITS[raw[at + 1] ?? ""] ?? 0);
  if (quote === "'" && first === "'") return 2;
  if (first === "\n" || first === "\r") return skipBlanks(raw, at) - at;
  return character.length;
}
