import { isByte } from "../byte-string.ts";

const ESCAPES: Record<string, string> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};
const GRAPHIC = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

/** A Go string literal in double quotes, as strconv.Quote; `ascii` writes everything beyond ASCII as escapes. */
export function quote(text: string, { ascii = false } = {}): string {
  return `"${quotedBody(text, '"', ascii)}"`;
}

/** A Go character literal, as strconv.QuoteRune. */
export function quoteRune(codePoint: number, { ascii = false } = {}): string {
  const valid = codePoint >= 0 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return `'${quotedBody(valid ? String.fromCodePoint(codePoint) : "\ufffd", "'", ascii)}'`;
}

/** Whether a character is seen when printed: Go's unicode.IsPrint (of blanks only U+0020). */
export const isPrint = (char: string): boolean => char === " " || GRAPHIC.test(char);

/** A raw literal in back quotes where the text allows one, else undefined; strconv.CanBackquote. */
export function backquote(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a raw literal cannot hold
  return /[\u0000-\u0008\u000a-\u001f`\u007f\ufeff\udc80-\udcff]/.test(
    text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ""),
  )
    ? undefined
    : `\`${text}\``;
}

function quotedBody(text: string, mark: string, ascii: boolean): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (isByte(char)) out += `\\x${(code & 0xff).toString(16)}`;
    else if (char === mark) out += `\\${mark}`;
    else if (ESCAPES[char] !== undefined) out += ESCAPES[char];
    else if (ascii ? code >= 0x20 && code < 0x7f : isPrint(char)) out += char;
    else if (code < 0x20 || code === 0x7f) out += `\\x${hex(code, 2)}`;
    else out += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  }
  return out;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");
