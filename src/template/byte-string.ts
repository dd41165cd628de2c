/**
 * Go's strings are bytes, JavaScript's are UTF-16. A template can cut a character in two (`slice`) or write a stray byte
 * (`"\xff"`); such a byte is kept in a JavaScript string as the lone surrogate U+DC80…U+DCFF, which no well-formed data
 * contains, and becomes U+FFFD when the text is handed out.
 */
const BYTE_BASE = 0xdc00;

/** The length in bytes, as Go's `len` gives it. */
export function byteLength(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text) : toBytes(text).length;
}

/** The bytes of a string. */
export function toBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat(
    [...text].map((char) => (isByte(char) ? Buffer.of(char.charCodeAt(0) - BYTE_BASE) : Buffer.from(char))),
  );
}

/** The string of some bytes; what is not UTF-8 is kept byte by byte. */
export function fromBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("utf8");
  if (!text.includes("\ufffd")) return text;
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    out += length === 0 ? byteChar(bytes[at] ?? 0) : Buffer.from(bytes.subarray(at, at + length)).toString("utf8");
    at += length || 1;
  }
  return out;
}

/** The character that stands for one byte which is not part of valid UTF-8. */
export const byteChar = (byte: number): string =>
  byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(BYTE_BASE + byte);

/** Whether a character stands for a stray byte. */
export function isByte(char: string): boolean {
  const code = char.charCodeAt(0);
  return char.length === 1 && code >= 0xdc80 && code <= 0xdcff;
}

/** The text with every stray byte replaced by U+FFFD. */
export const wellFormed = (text: string): string => text.toWellFormed();

/** Order of UTF-8 bytes, which is that of code points and differs from UTF-16's for emoji. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  for (let at = 0; at < a.length && at < b.length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Lifts surrogates above all other UTF-16 units, where their code points are. */
const codePointRank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** Bytes of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const text = Buffer.from(bytes.subarray(at, at + length)).toString("utf8");
  if (text !== "\ufffd") return text.includes("\ufffd") || [...text].length !== 1 ? 0 : length;
  return length === 3 && lead === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd ? 3 : 0;
}
