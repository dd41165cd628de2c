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

const BILLION = 1_000_000_000n;
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL_SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/** How a quantity is written: by powers of 1024, of 1000, or with an exponent. */
export type QuantityFormat = "binary" | "decimal" | "exponent";

/** The way `text`, a quantity, is written. */
export function quantityFormat(text: string): QuantityFormat {
  if (text.endsWith("i")) return "binary";
  return /[eE][+-]?\d+$/.test(text) ? "exponent" : "decimal";
}

/** Billionths as Kubernetes writes them: the largest suffix that leaves a whole number; below 1024 never a binary one. */
export function formatQuantity(billionths: bigint, format: QuantityFormat): string {
  if (billionths === 0n) return "0";
  const isSmall = billionths > -1024n * BILLION && billionths < 1024n * BILLION;
  if (format === "binary" && !isSmall) {
    const [value, power] = strip(divideUp(billionths, BILLION), 1024n, BINARY_SUFFIXES.length - 1);
    return `${value}${BINARY_SUFFIXES[power]}`;
  }
  const [value, power] = strip(billionths, 1000n, DECIMAL_SUFFIXES.length - 1);
  const exponent = (power - 3) * 3;
  if (format === "exponent") return exponent === 0 ? `${value}` : `${value}e${exponent}`;
  return `${value}${DECIMAL_SUFFIXES[power]}`;
}

function strip(value: bigint, factor: bigint, most: number): [bigint, number] {
  let rest = value;
  let power = 0;
  while (power < most && rest % factor === 0n) {
    rest /= factor;
    power += 1;
  }
  return [rest, power];
}
