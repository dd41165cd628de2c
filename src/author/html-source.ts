/** A template's HTML as it is written: tags and blocks in the order of the source, whatever the dialect. */

export type Piece =
  | { type: "open"; name: string; attributes: Attribute[]; offset: number }
  | { type: "close"; name: string; offset: number }
  /** A tag of which the `>` is missing. */
  | { type: "torn"; name: string; offset: number }
  | { type: "block" | "define" | "else" | "end"; offset: number };

export interface Attribute {
  name: string;
  /** With {@link HOLE} where an action stands; undefined for an attribute without value. */
  value: string | undefined;
  offset: number;
}

/** Stands for every character of an action. */
export const HOLE = "\ue000";

/** One action, strings, raw strings and comments in it skipped over. */
const ACTION =
  /\{\{(?:-?\s*\/\*[\s\S]*?\*\/\s*-?|(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|[^"'`}]|\}(?!\}))*)\}\}/g;
const TAG =
  /<!--[\s\S]*?(?:-->|$)|<(style|script)\b[^>]*>[\s\S]*?<\/\1\s*>|<(\/?)([a-z][a-z0-9-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)(>?)/gi;
const ATTRIBUTE = /([^\s"'<>/=\ue000]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?/g;

/** Splits a template's source into tags and blocks. */
export function splitHtml(source: string): Piece[] {
  const pieces: Piece[] = [];
  const masked = source.replace(ACTION, (action, offset: number) => {
    const type = blockType(action);
    if (type !== undefined) pieces.push({ type, offset });
    return HOLE.repeat(action.length);
  });
  for (const match of masked.matchAll(TAG)) {
    const [, raw, slash, tag, attributes = "", end] = match;
    const name = (raw ?? tag ?? "").toLowerCase();
    const offset = match.index;
    if (name === "") continue;
    if (raw !== undefined) pieces.push({ type: "open", name, attributes: [], offset }, { type: "close", name, offset });
    else if (end === "") pieces.push({ type: "torn", name, offset });
    else if (slash === "/") pieces.push({ type: "close", name, offset });
    else pieces.push({ type: "open", name, attributes: splitAttributes(attributes, offset + 1 + name.length), offset });
  }
  return pieces.sort((a, b) => a.offset - b.offset);
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
