import { compareBytes, toBytes } from "../byte-string.ts";
import {
  GoNumber,
  isInteger,
  isList,
  isMap,
  kindOf,
  SafeHtml,
  toBigInt,
  toNumber,
  typeName,
  type Value,
} from "../values.ts";
import { type FloatVerb, formatFloat } from "./float.ts";
import { backquote, isPrint, quote, quoteRune } from "./quote.ts";

/** Flags, width and precision of one verb; undefined where not given. */
export interface Flags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
  /** `%+v` and `%#v`: the flag belongs to the verb and not to the numbers inside. */
  plusV: boolean;
  sharpV: boolean;
}

export const noFlags = (): Flags => ({
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
  plusV: false,
  sharpV: false,
});

const NO_FLAGS = noFlags();

/** A value as `%v` prints it; `undefined` prints as nil. */
export function formatValue(value: Value): string {
  if (typeof value === "string") return value;
  return formatArgument(value, "v", NO_FLAGS);
}

/** One operand under one verb: package fmt's rules. */
export function formatArgument(value: Value, verb: string, flags: Flags): string {
  if (value === null || kindOf(value) === "missing")
    return verb === "T" || verb === "v" ? pad("<nil>", flags) : badVerb(value, verb, flags);
  if (verb === "T") return formatString(typeName(value), "s", flags);
  return formatKnown(value, verb, flags);
}

function formatKnown(value: Value, verb: string, flags: Flags): string {
  if (typeof value === "string") return formatString(value, verb, flags);
  if (value instanceof SafeHtml && /^[vsqxX]$/.test(verb)) return formatString(value.text, verb, flags);
  if (value instanceof SafeHtml) return badVerb(value, verb, flags);
  if (typeof value === "boolean")
    return verb === "t" || verb === "v" ? pad(String(value), flags) : badVerb(value, verb, flags);
  if (isList(value)) return formatList(value, verb, flags);
  if (isMap(value)) return formatMap(value, verb, flags);
  if (isInteger(value)) return formatInteger(value, verb, flags);
  if (value instanceof GoNumber && value.kind === "complex128") return formatComplex(value, verb, flags);
  return formatFloatVerb(value, toNumber(value), verb, flags);
}

/** An element of a list or map: its nil takes no verb and no padding. */
function formatElement(value: Value, verb: string, flags: Flags): string {
  if (value === null || kindOf(value) === "missing") return flags.sharpV ? "interface {}(nil)" : "<nil>";
  return formatKnown(value, verb, flags);
}

function formatList(list: Value[], verb: string, flags: Flags): string {
  if (verb === "p") return badVerb(list, verb, flags);
  const elements = list.map((element) => formatElement(element, verb, flags));
  return flags.sharpV ? `${typeName(list)}{${elements.join(", ")}}` : `[${elements.join(" ")}]`;
}

function formatMap(map: Record<string, Value>, verb: string, flags: Flags): string {
  if (verb === "p") return badVerb(map, verb, flags);
  const entries = sortedKeys(map).map(
    (key) => `${formatString(key, verb, flags)}:${formatElement(map[key], verb, flags)}`,
  );
  return flags.sharpV ? `${typeName(map)}{${entries.join(", ")}}` : `map[${entries.join(" ")}]`;
}

/** A map's keys in the order of their bytes, in which Go walks and prints maps. */
export const sortedKeys = (map: object): string[] => Object.keys(map).sort(compareBytes);

function badVerb(value: Value, verb: string, flags: Flags): string {
  if (value === null || value === undefined) return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeName(value)}=${formatKnown(value, "v", flags)})`;
}

function formatString(text: string, verb: string, flags: Flags): string {
  switch (verb) {
    case "v":
      return flags.sharpV ? quoted(text, flags) : pad(truncate(text, flags), flags);
    case "s":
      return pad(truncate(text, flags), flags);
    case "q":
      return quoted(text, flags);
    case "x":
    case "X":
      return hexBytes(text, verb, flags);
    default:
      return badVerb(text, verb, flags);
  }
}

function quoted(text: string, flags: Flags): string {
  const short = truncate(text, flags);
  const raw = flags.sharp ? backquote(short) : undefined;
  return pad(raw ?? quote(short, { ascii: flags.plus }), flags);
}

function truncate(text: string, { precision }: Flags): string {
  return precision === undefined || text.length <= precision ? text : [...text].slice(0, precision).join("");
}

function hexBytes(text: string, verb: "x" | "X", flags: Flags): string {
  const bytes = [...toBytes(text)].slice(0, flags.precision);
  const prefix = flags.sharp ? `0${verb}` : "";
  let out = bytes
    .map((byte) => (flags.space ? prefix : "") + byte.toString(16).padStart(2, "0"))
    .join(flags.space ? " " : "");
  if (!flags.space && out !== "") out = prefix + out;
  return pad(verb === "X" ? out.toUpperCase() : out, flags);
}

const BASES: Record<string, number> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const MAX_RUNE = 0x10ffff;

function formatInteger(value: Value, verb: string, flags: Flags): string {
  const number = toBigInt(value);
  const base = BASES[verb];
  if (verb === "v" && flags.sharpV && kindOf(value) === "uint8")
    return digitsOf(number, 16, "x", { ...flags, sharp: true });
  if (base !== undefined) return digitsOf(number, base, verb, flags);
  const rune = number < 0n || number > MAX_RUNE ? 0xfffd : Number(number);
  switch (verb) {
    case "c":
      return pad(String.fromCodePoint(rune).toWellFormed(), flags);
    case "q":
      return pad(quoteRune(rune, { ascii: flags.plus }), flags);
    case "U":
      return unicode(number, flags);
    default:
      return badVerb(value, verb, flags);
  }
}

function digitsOf(number: bigint, base: number, verb: string, flags: Flags): string {
  const negative = number < 0n;
  const magnitude = negative ? -number : number;
  const signed = negative || flags.plus || flags.space;
  let places = 0;
  if (flags.precision !== undefined) {
    places = flags.precision;
    if (places === 0 && magnitude === 0n) return " ".repeat(flags.width ?? 0);
  } else if (flags.zero && !flags.minus && flags.width !== undefined) {
    places = flags.width - (signed ? 1 : 0);
  }
  let digits = magnitude.toString(base).padStart(places, "0");
  if (verb === "X") digits = digits.toUpperCase();
  if (flags.sharp) digits = prefixed(digits, base, verb);
  if (verb === "O") digits = `0o${digits}`;
  const sign = negative ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  return pad(sign + digits, { ...flags, zero: false });
}

function prefixed(digits: string, base: number, verb: string): string {
  if (base === 2) return `0b${digits}`;
  if (base === 8) return digits.startsWith("0") ? digits : `0${digits}`;
  return base === 16 ? `0${verb === "X" ? "X" : "x"}${digits}` : digits;
}

function unicode(number: bigint, flags: Flags): string {
  const code = (number < 0n ? number + (1n << 64n) : number).toString(16).toUpperCase();
  const char = number >= 0n && number <= MAX_RUNE ? String.fromCodePoint(Number(number)) : "";
  const shown = flags.sharp && char !== "" && isPrint(char) ? ` '${char}'` : "";
  return pad(`U+${code.padStart(Math.max(flags.precision ?? 4, 4), "0")}${shown}`, { ...flags, zero: false });
}

const DEFAULT_PRECISION: Record<string, number> = { v: -1, b: -1, g: -1, G: -1, x: -1, X: -1, e: 6, E: 6, f: 6, F: 6 };

function formatFloatVerb(value: Value, number: number, verb: string, flags: Flags): string {
  const precision = DEFAULT_PRECISION[verb];
  if (precision === undefined) return badVerb(value, verb, flags);
  return floatDigits(number, verb === "v" ? "g" : (verb as FloatVerb), flags.precision ?? precision, flags);
}

function floatDigits(number: number, verb: FloatVerb, precision: number, flags: Flags): string {
  const plain = formatFloat(number, verb, precision);
  const negative = plain.startsWith("-");
  let digits = plain.replace(/^[-+]/, "");
  const sign = negative ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  if (!Number.isFinite(number)) {
    const explicit = plain.startsWith("+") && flags.plus ? "+" : sign;
    return pad(explicit + digits, { ...flags, zero: false });
  }
  if (flags.sharp && verb !== "b") digits = withPoint(digits, verb, precision);
  const width = flags.width ?? 0;
  if (flags.zero && !flags.minus && sign !== "" && width > digits.length + 1)
    return sign + digits.padStart(width - 1, "0");
  return pad(sign + digits, flags);
}

/** The `#` flag of floats: always a point, and for %g the trailing zeros too. */
function withPoint(digits: string, verb: FloatVerb, precision: number): string {
  const [, number = "", tail = ""] = (/[xX]/.test(verb) ? /^(.*?)([pP].*)?$/ : /^(.*?)([eE].*)?$/).exec(digits) ?? [];
  const significant = number.replace(".", "").replace(/^0+/, "").length; // the x of 0x counts too, as in Go
  const wanted = /[gGx]/.test(verb) ? (precision < 0 ? 6 : precision) : 0;
  const zeros = Math.max(0, wanted - significant - (number === "0" ? 1 : 0));
  return `${number}${number.includes(".") ? "" : "."}${"0".repeat(zeros)}${tail}`;
}

function formatComplex(value: GoNumber, verb: string, flags: Flags): string {
  if (DEFAULT_PRECISION[verb] === undefined) return badVerb(value, verb, flags);
  const real = formatFloatVerb(value, Number(value.value), verb, flags);
  return `(${real}${formatFloatVerb(value, value.imag, verb, { ...flags, plus: true })}i)`;
}

/** Pads to the width, counted in characters. */
function pad(text: string, { width, minus, zero }: Flags): string {
  if (width === undefined || width === 0) return text;
  const missing = width - (text.length < width && /^[ -~]*$/.test(text) ? text.length : [...text].length);
  if (missing <= 0) return text;
  return minus ? text + " ".repeat(missing) : (zero ? "0" : " ").repeat(missing) + text;
}
