import type { NumberConstant } from "./ast.ts";
import { byteChar, fromBytes, toBytes } from "./byte-string.ts";

const SIMPLE: Record<string, string> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** The value of a Go string literal, quoted or raw, or undefined where strconv.Unquote says "invalid syntax". */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (literal[0] === "`") return body.replaceAll("\r", "");
  if (!body.includes("\\")) return body;
  let out = "";
  for (let at = 0; at < body.length; ) {
    const unit = unquoteUnit(body, at, '"');
    if (unit === undefined) return undefined;
    out += unit.text;
    at = unit.end;
  }
  return out.isWellFormed() ? out : fromBytes(toBytes(out)); // stray bytes side by side may form a character
}

/** One character or escape of a literal in `mark` quotes: its text, its number, and where the next begins. */
function unquoteUnit(body: string, at: number, mark: string): { text: string; code: number; end: number } | undefined {
  const char = String.fromCodePoint(body.codePointAt(at) ?? 0);
  if (char === mark) return undefined;
  if (char !== "\\") return { text: char, code: char.codePointAt(0) ?? 0, end: at + char.length };
  const kind = body[at + 1] ?? "";
  const simple = kind === mark ? mark : Object.hasOwn(SIMPLE, kind) ? SIMPLE[kind] : undefined;
  if (simple !== undefined) return { text: simple, code: simple.charCodeAt(0), end: at + 2 };
  const shape = /[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}/y;
  shape.lastIndex = at + 1;
  const digits = shape.exec(body)?.[0];
  if (digits === undefined) return undefined;
  const end = at + 1 + digits.length;
  const octal = /^[0-7]/.test(digits);
  const code = Number.parseInt(octal ? digits : digits.slice(1), octal ? 8 : 16);
  if (octal || kind === "x") return code > 255 ? undefined : { text: byteChar(code), code, end };
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { text: String.fromCodePoint(code), code, end };
}

/** No number needs more characters; reading one takes longer than its length. */
const MAX_LITERAL = 1000;

/** What a number or character literal stands for. @throws Error whose message is Go's complaint */
export function parseNumber(text: string, type: "number" | "complex" | "charConstant"): NumberConstant {
  if (text.length > MAX_LITERAL) throw new Error(`illegal number syntax: a literal of ${text.length} characters`);
  if (type === "charConstant") return { kind: "int", value: parseChar(text) };
  if (type === "complex" || text.endsWith("i")) {
    const complex = parseComplex(text);
    if (complex !== undefined) return complex;
    throw new Error(type === "complex" ? complexProblem(text) : `illegal number syntax: "${text}"`);
  }
  const integer = parseInteger(text);
  if (integer !== undefined) return integer;
  const float = parseFloat64(text);
  if (float === undefined) throw new Error(`illegal number syntax: "${text}"`);
  if (!/[.eEpP]/.test(text)) throw new Error(`integer overflow: "${text}"`);
  // Go takes a hexadecimal float for a float only where the text says so in decimal's letters or with a `p`.
  return { kind: "float64", value: float };
}

function parseChar(text: string): bigint {
  const body = text.slice(1);
  const unit = body === "'" ? undefined : unquoteUnit(body, 0, "'");
  if (unit === undefined) throw new Error("invalid syntax");
  if (body.slice(unit.end) !== "'") throw new Error(`malformed character constant: ${text}`);
  return BigInt(unit.code);
}

const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

function parseInteger(text: string): NumberConstant | undefined {
  const match =
    /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?\d)*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ""] = match;
  const plain = digits.replaceAll("_", "");
  const magnitude = BigInt(/^0\d/.test(plain) ? `0o${plain.slice(1)}` : plain);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value <= MAX_INT && value >= -MAX_INT - 1n) return { kind: "int", value };
  return value > 0n && value <= MAX_UINT && sign === "" ? { kind: "overflow" } : undefined;
}

/** strconv.ParseFloat for what the lexer can deliver; undefined when the text is no float, or one beyond float64. */
export function parseFloat64(text: string): number | undefined {
  const value = /^[+-]?0[xX]/.test(text) ? parseHexFloat(text) : parseDecimalFloat(text);
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

/** Digits, with single underscores between them. */
const DECIMAL = /^[+-]?(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/;

function parseDecimalFloat(text: string): number | undefined {
  return DECIMAL.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}

function parseHexFloat(text: string): number | undefined {
  const match = /^([+-]?)0[xX]_?([\da-fA-F_]*)\.?([\da-fA-F_]*)[pP]([+-]?\d+)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replaceAll("_", "");
  if (digits === "") return undefined;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** (Number(exponent) - 4 * fraction.replaceAll("_", "").length);
  return sign === "-" ? -value : value;
}

const COMPLEX = /^([+-]?(?:[^+\-eEpP]|[eEpP][+-]?)+(?=[+-]))?([+-]?(?:[^+\-eEpP]|[eEpP][+-]?)+)i$/;

function complexProblem(text: string): string {
  const part = COMPLEX.exec(text)
    ?.slice(1)
    .find((piece) => piece !== undefined && parseFloat64(piece) === undefined);
  return part === undefined
    ? "syntax error scanning complex number"
    : `strconv.ParseFloat: parsing "${part}": invalid syntax`;
}

function parseComplex(text: string): NumberConstant | undefined {
  const match = COMPLEX.exec(text);
  if (match === null) return undefined;
  const real = match[1] === undefined ? 0 : parseFloat64(match[1]);
  const imag = parseFloat64(match[2] ?? "");
  if (real === undefined || imag === undefined) return undefined;
  return { kind: "complex128", real, imag };
}
