/** A template's HTML as it is written: tags and blocks in the order of the source, whatever the dialect. */
import type { Severity } from "./finding.ts";

export type Piece =
  | { type: "open"; name: string; attributes: Attribute[]; offset: number }
  | { type: "close"; name: string; offset: number }
  /** A tag of which the `>` is missing. */
  | { type: "torn"; name: string; offset: number }
  | { type: "block" | "define" | "else" | "end"; offset: number };

/** Says of a place in a template's source what is wrong there. */
export type Report = (offset: number, severity: Severity, message: string) => void;

export interface Attribute {
  name: string;
  /** With {@link HOLE} where an action stands; undefined for an attribute without value. */
  value: string | undefined;
  offset: number;
}

/** Stands for every character of an action. */
export const HOLE = "\ue000";

const TAG = /<!--|<(\/?)([a-z][a-z0-9-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)(>?)/gi;
const ATTRIBUTE = /([^\s"'<>/=\ue000]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?/g;
/** Elements whose inside is no markup. */
const RAW = new Set(["style", "script"]);

/** Splits a template's source into tags and blocks. */
export function splitHtml(source: string): Piece[] {
  const { masked, blocks } = maskActions(source);
  return [...splitTags(masked), ...blocks].sort((a, b) => a.offset - b.offset);
}

function splitTags(masked: string): Piece[] {
  const pieces: Piece[] = [];
  const lower = masked.toLowerCase();
  TAG.lastIndex = 0;
  for (let match = TAG.exec(masked); match !== null; match = TAG.exec(masked)) {
    const [, slash, tag, attributes = "", end] = match;
    const offset = match.index;
    const name = (tag ?? "").toLowerCase();
    if (tag === undefined) TAG.lastIndex = endOf(lower, "-->", TAG.lastIndex);
    else if (end === "") pieces.push({ type: "torn", name, offset });
    else if (slash === "/") pieces.push({ type: "close", name, offset });
    else {
      const start = offset + 1 + name.length;
      pieces.push({ type: "open", name, attributes: splitAttributes(attributes, start), offset });
      if (RAW.has(name)) TAG.lastIndex = startOf(lower, `</${name}`, TAG.lastIndex);
    }
  }
  return pieces;
}

function startOf(text: string, word: string, from: number): number {
  const at = text.indexOf(word, from);
  return at === -1 ? text.length : at;
}

function endOf(text: string, word: string, from: number): number {
  return Math.min(text.length, startOf(text, word, from) + word.length);
}

/** The source with {@link HOLE}s for its actions, and those of them that are blocks. */
function maskActions(source: string): { masked: string; blocks: Piece[] } {
  const blocks: Piece[] = [];
  let masked = "";
  for (let at = 0; at < source.length; ) {
    const start = startOf(source, "{{", at);
    const end = endOfAction(source, start);
    const type = blockType(source.slice(start, Math.min(end, start + 40)));
    if (type !== undefined) blocks.push({ type, offset: start });
    masked += source.slice(at, start) + HOLE.repeat(end - start);
    at = end;
  }
  return { masked, blocks };
}

/** Behind the `}}` of the action at `start`: strings and comments may hold braces. */
function endOfAction(source: string, start: number): number {
  if (/^\{\{(?:- )?\s*\/\*/.test(source.slice(start, start + 20)))
    return endOf(source, "}}", startOf(source, "*/", start));
  let at = start + 2;
  while (at < source.length && !source.startsWith("}}", at)) {
    const character = source[at] ?? "";
    at = QUOTES.includes(character) ? endOfText(source, at, character) : at + 1;
  }
  return Math.min(source.length, at + 2);
}

const QUOTES = "\"'`";

/** Behind the closing quote of the text at `start`. */
function endOfText(source: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < source.length && source[at] !== quote) at += source[at] === "\\" && quote !== "`" ? 2 : 1;
  return at + 1;
}

function splitAttributes(text: string, start: number): Attribute[] {
  return [...text.matchAll(ATTRIBUTE)].map((match) => ({
    name: (match[1] ?? "").toLowerCase(),
    value: match[2] ?? match[3] ?? match[4],
    offset: start + match.index,
  }));
}

/** What an action is to the structure: Go's words, and Handlebars' `#each`, `else`, `/each`. */
function blockType(action: string): "block" | "define" | "else" | "end" | undefined {
  const word = /^\{\{[-~]?\s*([#^/]?)(\w*)/.exec(action);
  if (word?.[1] === "#" || word?.[1] === "^") return word[2] === "" ? "else" : "block";
  if (word?.[1] === "/") return word[2] === "" ? undefined : "end";
  switch (word?.[2]) {
    case "if":
    case "with":
    case "range":
      return "block";
    case "define":
    case "block":
      return "define";
    case "else":
    case "end":
      return word[2];
    default:
      return undefined;
  }
}
