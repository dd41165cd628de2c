import { binary, type Digits, fixed, shortestDigits, significantDigits } from "./decimal.ts";

export type FloatVerb = "b" | "e" | "E" | "f" | "F" | "g" | "G" | "x" | "X";

/**
 * strconv.FormatFloat(value, verb, precision, 64), without a plus sign. `precision` -1 means the fewest digits that read back.
 * `threshold` is the decimal exponent from which `g` with the fewest digits takes the exponent form.
 */
export function formatFloat(value: number, verb: FloatVerb, precision: number, threshold = 6): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "-Inf" : "+Inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return sign + formatMagnitude(Math.abs(value), verb, precision, threshold);
}

function formatMagnitude(value: number, verb: FloatVerb, precision: number, threshold: number): string {
  switch (verb) {
    case "b":
      return binaryForm(value);
    case "x":
      return hexForm(value, precision);
    case "X":
      return hexForm(value, precision).toUpperCase();
    case "e":
    case "E":
      return exponentForm(precision < 0 ? shortestDigits(value) : significantDigits(value, precision + 1), verb);
    case "f":
    case "F":
      return precision < 0 ? plainForm(shortestDigits(value)) : fixed(value, precision);
    case "g":
    case "G":
      return generalForm(value, verb === "g" ? "e" : "E", precision, threshold);
  }
}

function exponentForm({ digits, exponent }: Digits, letter: string): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  return `${digits[0]}${fraction}${letter}${signed(exponent)}`;
}

function plainForm({ digits, exponent }: Digits): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const fraction = digits.slice(exponent + 1);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

function generalForm(value: number, letter: string, precision: number, threshold: number): string {
  const shortest = precision < 0;
  const rounded = shortest ? shortestDigits(value) : significantDigits(value, precision || 1);
  const digits = rounded.digits.replace(/0+$/, "") || "0";
  const trimmed = { digits, exponent: rounded.exponent };
  let limit = shortest ? threshold : precision || 1;
  if (!shortest && limit > digits.length && digits.length >= trimmed.exponent + 1) limit = digits.length;
  const wide = trimmed.exponent < -4 || trimmed.exponent >= (shortest ? threshold : Math.max(limit, 1));
  return wide ? exponentForm(trimmed, letter) : plainForm(trimmed);
}

function binaryForm(value: number): string {
  const { mantissa, exponent } = binary(value);
  return `${mantissa}p${exponent < 0 ? "" : "+"}${exponent}`;
}

function hexForm(value: number, precision: number): string {
  let { mantissa, exponent } = binary(value);
  if (mantissa === 0n) return `0x0${precision > 0 ? `.${"0".repeat(precision)}` : ""}p+00`;
  while (mantissa < 1n << 52n) [mantissa, exponent] = [mantissa << 1n, exponent - 1];
  exponent += 52;
  if (precision >= 0 && precision < 13) {
    const dropped = BigInt(4 * (13 - precision));
    const rest = mantissa & ((1n << dropped) - 1n);
    const half = 1n << (dropped - 1n);
    mantissa >>= dropped;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
    mantissa <<= dropped;
    if (mantissa >= 1n << 53n) [mantissa, exponent] = [mantissa >> 1n, exponent + 1];
  }
  const digits = (mantissa & 0xfffffffffffffn).toString(16).padStart(13, "0");
  const fraction = precision < 0 ? digits.replace(/0+$/, "") : digits.slice(0, precision).padEnd(precision, "0");
  return `0x1${fraction === "" ? "" : `.${fraction}`}p${signed(exponent)}`;
}

const signed = (exponent: number): string =>
  `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
