/** Exact decimal digits of float64 values, rounded half to even, as strconv gives them. */
export interface Digits {
  /** Significant digits without leading zeros; "0" for zero. */
  digits: string;
  /** Exponent of ten of the first digit: 1.5 is {digits: "15", exponent: 0}. */
  exponent: number;
}

/** The fewest digits that read back as the same number. `value` is finite and not negative. */
export function shortestDigits(value: number): Digits {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

/** `count` ≥ 1 significant digits. */
export function significantDigits(value: number, count: number): Digits {
  if (value === 0) return { digits: "0".repeat(count), exponent: 0 };
  let { exponent } = shortestDigits(value);
  const exact = Math.min(count, MAX_DIGITS);
  let digits = scaled(value, exact - 1 - exponent).toString();
  if (digits.length > exact) {
    exponent++; // rounding carried: 9.99 became 10.0
    digits = scaled(value, exact - 1 - exponent).toString();
  }
  return { digits: digits.padEnd(count, "0"), exponent };
}

/** `value` with `places` digits behind the point. */
export function fixed(value: number, places: number): string {
  const exact = Math.min(places, MAX_DIGITS);
  const digits = scaled(value, exact)
    .toString()
    .padStart(exact + 1, "0");
  const whole = digits.slice(0, digits.length - exact);
  const fraction = digits.slice(digits.length - exact).padEnd(places, "0");
  return places === 0 ? whole : `${whole}.${fraction}`;
}

/** No float64 has more digits than this behind its point. */
const MAX_DIGITS = 1100;

/** value × 10^power, rounded half to even. */
function scaled(value: number, power: number): bigint {
  const { mantissa, exponent } = binary(value);
  let numerator = mantissa;
  let denominator = 1n;
  if (exponent >= 0) numerator <<= BigInt(exponent);
  else denominator <<= BigInt(-exponent);
  if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  const quotient = numerator / denominator;
  const rest = (numerator % denominator) * 2n;
  const up = rest > denominator || (rest === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** value = mantissa × 2^exponent, exactly; mantissa has 53 bits but for denormals. */
export function binary(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0) & 0x7fffffffffffffffn;
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}
