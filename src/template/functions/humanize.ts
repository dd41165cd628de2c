import { sprintf } from "../format/printf.ts";
import { parseFloat64 } from "../literals.ts";
import { GoNumber, kindOf, toNumber, type Value } from "../values.ts";
import { FunctionError, type GoFunction } from "./function.ts";

/** Prometheus' functions that make numbers readable. */
export const humanizeFunctions: Record<string, GoFunction> = {
  humanizeDuration: { parameters: ["any"], call: ([value]) => humanizeDuration(numberOf("humanizeDuration", value)) },
  humanize1024: { parameters: ["any"], call: ([value]) => humanize1024(numberOf("humanize1024", value)) },
};

function numberOf(name: string, value: Value): number {
  if (typeof value === "string") {
    const parsed = parseFloat64(value);
    if (parsed === undefined) throw new FunctionError(`strconv.ParseFloat: parsing "${value}": invalid syntax`);
    return parsed;
  }
  const kind = kindOf(value);
  if (kind === "int64" || kind === "int" || kind === "float64" || kind === "uint8") return toNumber(value);
  throw new FunctionError(`${name}: can't convert ${kind === "nil" ? "<nil>" : kind} to float`);
}

const significant = (value: number): string => sprintf("%.4g", [new GoNumber("float64", value)]);

function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return significant(seconds);
  if (seconds === 0 || Math.abs(seconds) < 1) return subSecond(seconds);
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.trunc(Math.abs(seconds));
  const [days, hours, minutes] = [
    Math.trunc(whole / 86_400),
    Math.trunc(whole / 3600) % 24,
    Math.trunc(whole / 60) % 60,
  ];
  const fields = [`${days}d`, `${hours}h`, `${minutes}m`, `${whole % 60}s`];
  const first = [days, hours, minutes].findIndex((count) => count !== 0);
  return sign + (first < 0 ? `${significant(Math.abs(seconds))}s` : fields.slice(first).join(" "));
}

function subSecond(seconds: number): string {
  let value = seconds;
  let prefix = "";
  for (const next of value === 0 ? [] : ["m", "u", "n", "p", "f", "a", "z", "y"]) {
    if (Math.abs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return `${significant(value)}${prefix}s`;
}

function humanize1024(number: number): string {
  if (!Number.isFinite(number) || Math.abs(number) <= 1) return significant(number);
  let value = number;
  let prefix = "";
  for (const next of ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"]) {
    if (Math.abs(value) < 1024) break;
    prefix = next;
    value /= 1024;
  }
  return significant(value) + prefix;
}

/** Whole seconds as time.Duration prints them: `1h2m3s`. */
export function formatDuration(seconds: number): string {
  const size = Math.abs(seconds);
  const [hours, minutes] = [Math.trunc(size / 3600), Math.trunc(size / 60) % 60];
  const shown = `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${size % 60}s`;
  return (seconds < 0 ? "-" : "") + shown;
}
