const BINARY: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const DECIMAL: Record<string, bigint> = { n: -9n, u: -6n, m: -3n, "": 0n, k: 3n, M: 6n, G: 9n, T: 12n, P: 15n, E: 18n };
const QUANTITY = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d{1,2})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?$/;

/** A Kubernetes quantity (`100m`, `1Gi`, `1.5`, `12e6`) in billionths, rounded up as Kubernetes does; undefined where the text is none. */
export function parseQuantity(text: string): bigint | undefined {
  const match = text.length > 40 ? null : QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign = "", digits = "", exponentMark, exponent, suffix = ""] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  const mantissa = BigInt(`${whole}${fraction}` || "0");
  const power = exponentMark === undefined ? (DECIMAL[suffix] ?? 0n) : BigInt(Number(exponent));
  const scale = power - BigInt(fraction.length) + 9n;
  const scaled = mantissa << (BINARY[suffix] ?? 0n);
  const billionths = scale >= 0n ? scaled * 10n ** scale : divideUp(scaled, 10n ** -scale);
  return sign === "-" ? -billionths : billionths;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
