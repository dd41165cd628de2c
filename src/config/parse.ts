import { InvalidArgumentError } from "commander";
import { parseDomainPattern } from "../resources/domain-pattern.ts";
import { parseResourceFilters, type ResourceFilterEntry } from "../resources/resource-filter.ts";

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `90s`, `15m`, `24h`, `7d`. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const [, count, unit = ""] = /^(\d+)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  if (count === undefined) throw new InvalidArgumentError(`"${text}" is no duration: write it as 90s, 15m, 24h or 7d`);
  return Number(count) * (UNIT_MS[unit] ?? 1);
}

/** As {@link parseDuration}, of at least `least`. */
export function parseDurationOf(least: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms < parseDuration(least)) throw new InvalidArgumentError(`"${text}" is too short: ${least} at least`);
    return ms;
  };
}

/** A duration of at least one second, in milliseconds. @throws InvalidArgumentError */
export function parseLongDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms < 1000) throw new InvalidArgumentError(`"${text}" is too short: give 1s or more`);
  return ms;
}

/** A whole number from `min` to `max`. @throws InvalidArgumentError */
export function parseCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || value < min || value > max) {
      throw new InvalidArgumentError(`"${text}" is no whole number from ${min} to ${max}`);
    }
    return value;
  };
}

export interface Address {
  host: string;
  port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080`, `:8080` (all interfaces). @throws InvalidArgumentError */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, port = ""] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text.trim()) ?? [];
  if (port === "" || Number(port) > 65_535) {
    throw new InvalidArgumentError(`"${text}" is no address: write it as 127.0.0.1:8080`);
  }
  return { host: bracketed ?? (plain === "" || plain === undefined ? "0.0.0.0" : plain), port: Number(port) };
}

/** A list from one comma-separated value or from the flag given several times. */
export function parseList(text: string, previous: string[] | undefined): string[] {
  const items = text.split(",").map((item) => item.trim());
  return [...(previous ?? []), ...items.filter((item) => item !== "")];
}

/** A name that may stand in a URL path: RFC 1123 labels and dots. @throws InvalidArgumentError */
export function parseName(text: string): string {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)) {
    throw new InvalidArgumentError(`"${text}" is no Kubernetes name: lower-case letters, digits, "-" and "."`);
  }
  return text;
}

export interface Rate {
  count: number;
  periodMs: number;
}

/** `100/1h`: that many, and again within each such time. @throws InvalidArgumentError */
export function parseRate(text: string): Rate {
  const [, count = "", period = ""] = /^([1-9]\d{0,8})\/(\w+)$/.exec(text.trim()) ?? [];
  const periodMs = count === "" ? 0 : parseDuration(period);
  if (periodMs < 1) throw new InvalidArgumentError(`"${text}" is no rate: write it as 100/1h`);
  return { count: Number(count), periodMs };
}

/** Domain patterns as {@link parseDomainPattern} reads them, from a comma-separated list. @throws InvalidArgumentError */
export function parseDomains(text: string, previous: string[] | undefined): string[] {
  const patterns = parseList(text, undefined).map((item) => {
    const pattern = parseDomainPattern(item);
    if (pattern !== undefined) return pattern;
    throw new InvalidArgumentError(
      `"${item}" is no domain: write it as example.com, or *.example.com for all below it`,
    );
  });
  return [...(previous ?? []), ...patterns];
}

/** Entries as {@link parseResourceFilters} reads them. @throws InvalidArgumentError that names the entry and its column */
export function parseFilters(text: string): ResourceFilterEntry[] {
  try {
    return parseResourceFilters(text);
  } catch (error) {
    throw new InvalidArgumentError((error as SyntaxError).message);
  }
}
