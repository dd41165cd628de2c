import type { Instant } from "./instant.ts";
import { clockIn, type ZoneClock } from "./zones.ts";

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Everything in a layout that stands for a part of the time; all else is copied. */
const PARTS =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|[345]|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

/** Go's Time.In(zone).Format(layout): the layout shows how 2 January 2006, 15:04:05 -0700 would be written. */
export function formatInstant(instant: Instant, layout: string, zone: string): string {
  const clock = clockIn(zone, instant.seconds);
  const local = new Date((instant.seconds + clock.offset) * 1000);
  return layout.replace(PARTS, (part) => formatPart(part, local, instant.nanoseconds, clock));
}

const two = (value: number): string => String(value).padStart(2, "0");

function formatPart(part: string, local: Date, nanoseconds: number, clock: ZoneClock): string {
  const month = MONTHS[local.getUTCMonth()] ?? "";
  const weekday = DAYS[local.getUTCDay()] ?? "";
  const hour = local.getUTCHours();
  switch (part) {
    case "January":
      return month;
    case "Jan":
      return month.slice(0, 3);
    case "Monday":
      return weekday;
    case "Mon":
      return weekday.slice(0, 3);
    case "MST":
      return clock.abbreviation;
    case "PM":
      return hour >= 12 ? "PM" : "AM";
    case "pm":
      return hour >= 12 ? "pm" : "am";
    case "2006":
      return year(local.getUTCFullYear());
    case "06":
      return two(Math.abs(local.getUTCFullYear()) % 100);
    case "002":
      return String(yearDay(local)).padStart(3, "0");
    case "__2":
      return String(yearDay(local)).padStart(3, " ");
    case "_2":
      return String(local.getUTCDate()).padStart(2, " ");
  }
  if (/^[-Z]/.test(part)) return formatOffset(part, clock.offset);
  if (/^[.,]/.test(part)) return formatFraction(part, nanoseconds);
  return formatNumber(part, local, hour);
}

/** `1`, `01`, `2`, `02`, `3`, `03`, `15`, `4`, `04`, `5` and `05`. */
function formatNumber(part: string, local: Date, hour: number): string {
  const value = numberOf(part, local, hour);
  return part.length === 2 ? two(value) : String(value);
}

function numberOf(part: string, local: Date, hour: number): number {
  if (part === "15") return hour;
  switch (part.at(-1)) {
    case "1":
      return local.getUTCMonth() + 1;
    case "2":
      return local.getUTCDate();
    case "3":
      return hour % 12 || 12;
    case "4":
      return local.getUTCMinutes();
    default:
      return local.getUTCSeconds();
  }
}

const year = (value: number): string =>
  value < 0 ? `-${String(-value).padStart(4, "0")}` : String(value).padStart(4, "0");

function yearDay(local: Date): number {
  const start = new Date(local);
  start.setUTCMonth(0, 1);
  return Math.round((local.getTime() - start.getTime()) / 86_400_000) + 1;
}

function formatOffset(part: string, offset: number): string {
  if (part.startsWith("Z") && offset === 0) return "Z";
  const size = Math.abs(offset);
  const separator = part.includes(":") ? ":" : "";
  const fields = [Math.trunc(size / 3600), Math.trunc(size / 60) % 60, size % 60];
  const count = (part.replaceAll(":", "").length - 1) / 2;
  return (offset < 0 ? "-" : "+") + fields.slice(0, count).map(two).join(separator);
}

/** `.000` keeps trailing zeros, `.999` drops them and a lonely point. */
function formatFraction(part: string, nanoseconds: number): string {
  const digits = String(nanoseconds)
    .padStart(9, "0")
    .slice(0, part.length - 1);
  const kept = part[1] === "9" ? digits.replace(/0+$/, "") : digits.padEnd(part.length - 1, "0");
  return kept === "" ? "" : (part[0] ?? "") + kept;
}
