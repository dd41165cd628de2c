const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OBJECT_END = 0x7d;
/** Without this bit a brace is a bracket, and no other character of JSON outside texts is one. */
const BRACE_BIT = 0x20;
const OPENING = 0x5b;
const CLOSING = 0x5d;

const HEAD = /^\{"type":"[A-Z]+","object":\{/;

/**
 * The `metadata` of the object in one line of a watch, as JSON, with an empty list in the place of its managedFields: what says
 * whether the rest is worth reading, for a third of what reading it all costs. Undefined where the line is not written as
 * Kubernetes' API servers write it, without spaces and with the type first; what it says then is for a JSON parser to tell.
 */
export function metadataText(line: string): string | undefined {
  const head = HEAD.exec(line);
  if (head === null) return undefined;
  const metadata = fieldOf(line, head[0].length, "metadata");
  if (metadata === undefined || line[metadata.start] !== "{") return undefined;
  const managed = fieldOf(line, metadata.start + 1, "managedFields");
  if (managed === undefined) return line.slice(metadata.start, metadata.end);
  return `${line.slice(metadata.start, managed.start)}[]${line.slice(managed.end, metadata.end)}`;
}

/** Where the value of a field stands, of the object whose first field begins at `at`; undefined where it has none of that name. */
function fieldOf(json: string, at: number, name: string): { start: number; end: number } | undefined {
  for (let index = at; json.charCodeAt(index) === QUOTE; index += 1) {
    const colon = endOfText(json, index);
    if (json.charCodeAt(colon) !== COLON) return undefined;
    const isIt = colon - index === name.length + 2 && json.startsWith(name, index + 1);
    const end = endOfValue(json, colon + 1);
    if (isIt) return end > json.length ? undefined : { start: colon + 1, end };
    if (json.charCodeAt(end) !== COMMA) return undefined;
    index = end;
  }
  return undefined;
}

/** The index after the value that begins at `at`; beyond the text where it does not end there. */
function endOfValue(json: string, at: number): number {
  let index = at;
  for (let depth = 0; index < json.length; ) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) index = endOfText(json, index);
    else if (depth === 0 && (code === COMMA || code === OBJECT_END)) return index;
    else {
      const bracket = code & ~BRACE_BIT;
      if (bracket === OPENING) depth += 1;
      else if (bracket === CLOSING) depth -= 1;
      index += 1;
    }
  }
  return json.length + 1;
}

/** The index after the closing quote of the text whose opening one is at `at`; beyond the text where it has none. */
function endOfText(json: string, at: number): number {
  for (let quote = json.indexOf('"', at + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let before = quote;
    while (json.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return json.length + 1;
}
