import { RE2JS } from "re2js";

/** An instant to the second or finer, and the offset from UTC in which it is written. */
export interface GoTime {
  /** Nanoseconds since 1970. */
  at: bigint;
  offsetMinutes: number;
}

const BILLION = 1_000_000_000n;
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** A time as RFC 3339 writes it; undefined where the text is none. */
export function parseRfc3339(text: string): GoTime | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours, offsetMinutes] = match;
  const offset = sign === undefined ? 0 : Number(`${sign}1`) * (Number(offsetHours) * 60 + Number(offsetMinutes));
  return timeOf(
    {
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: Number(hour),
      minute: Number(minute),
      second: Number(second),
      nanosecond: Number(fraction.padEnd(9, "0")),
    },
    offset,
  );
}

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
}

/** Undefined for a date that does not exist. */
function timeOf(
  { year, month, day, hour, minute, second, nanosecond }: Fields,
  offsetMinutes: number,
): GoTime | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isReal || hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = BigInt(date.getTime() / 1000 - offsetMinutes * 60);
  return { at: seconds * BILLION + BigInt(nanosecond), offsetMinutes };
}

export function timeOfDate(date: Date): GoTime {
  return { at: BigInt(date.getTime()) * 1_000_000n, offsetMinutes: 0 };
}

/** `2006-01-02T15:04:05Z07:00`: RFC 3339 to the second. */
export function formatRfc3339({ at, offsetMinutes }: GoTime): string {
  const local = new Date(Number(at / 1_000_000n) + offsetMinutes * 60_000 - (at % 1_000_000n < 0n ? 1 : 0));
  const text = local.toISOString().replace(/\.\d+Z$/, "");
  if (offsetMinutes === 0) return `${text}Z`;
  const size = Math.abs(offsetMinutes);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${text}${offsetMinutes < 0 ? "-" : "+"}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
}

/** The clock and calendar of a time where it is written. */
export function calendarOf({ at, offsetMinutes }: GoTime): Date {
  return new Date(Number(at / 1_000_000n) + offsetMinutes * 60_000);
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const short = (names: string[]) => names.map((name) => name.slice(0, 3));

type Element = [pattern: string, read: (fields: ParsedFields, text: string) => void];
type ParsedFields = Fields & { pm: boolean | undefined; offsetMinutes: number };

const index = (names: string[], text: string) =>
  names.findIndex((name) => name.toLowerCase() === text.toLowerCase()) + 1;
const numeric =
  (name: keyof Fields): Element[1] =>
  (fields, text) => {
    fields[name] = Number(text.trim());
  };
const offset: Element[1] = (fields, text) => {
  const [, sign = "+", hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(text) ?? [];
  fields.offsetMinutes = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
};
const year2: Element[1] = (fields, text) => {
  fields.year = Number(text) + (Number(text) >= 69 ? 1900 : 2000);
};

/** Go's reference layout (time.Layout): each element with what stands for it in a text. Longer ones come first. */
const ELEMENTS: Record<string, Element> = {
  January: [
    `(${MONTHS.join("|")})`,
    (fields, text) => {
      fields.month = index(MONTHS, text);
    },
  ],
  Monday: [`(${DAYS.join("|")})`, () => {}],
  "Z07:00": ["(Z|[+-]\\d\\d:\\d\\d)", offset],
  "-07:00": ["([+-]\\d\\d:\\d\\d)", offset],
  Z0700: ["(Z|[+-]\\d{4})", offset],
  "-0700": ["([+-]\\d{4})", offset],
  "2006": ["(\\d{4})", numeric("year")],
  Jan: [
    `(${short(MONTHS).join("|")})`,
    (fields, text) => {
      fields.month = index(short(MONTHS), text);
    },
  ],
  Mon: [`(${short(DAYS).join("|")})`, () => {}],
  MST: ["([A-Z]{3,4})", () => {}],
  "-07": ["([+-]\\d\\d)", offset],
  "01": ["(\\d\\d)", numeric("month")],
  "02": ["(\\d\\d)", numeric("day")],
  "03": ["(\\d\\d)", numeric("hour")],
  "04": ["(\\d\\d)", numeric("minute")],
  "05": ["(\\d\\d)", numeric("second")],
  "06": ["(\\d\\d)", year2],
  "15": ["(\\d\\d)", numeric("hour")],
  _2: ["( ?\\d{1,2})", numeric("day")],
  PM: [
    "(AM|PM)",
    (fields, text) => {
      fields.pm = text === "PM";
    },
  ],
  pm: [
    "(am|pm)",
    (fields, text) => {
      fields.pm = text === "pm";
    },
  ],
  "1": ["(\\d{1,2})", numeric("month")],
  "2": ["(\\d{1,2})", numeric("day")],
  "3": ["(\\d{1,2})", numeric("hour")],
  "4": ["(\\d{1,2})", numeric("minute")],
  "5": ["(\\d{1,2})", numeric("second")],
};
const ELEMENT =
  /January|Monday|Z07:00|-07:00|Z0700|-0700|2006|Jan|Mon|MST|-07|0[1-6]|15|_2|PM|pm|[.,](?:0+|9+)(?!\d)|[1-5]/g;

/** Reads `text` as Go's time.Parse does with `layout`; undefined where it does not fit. */
export function parseWithLayout(layout: string, text: string): GoTime | undefined {
  if (layout.length > 100 || text.length > 100) return undefined;
  const readers: Element[1][] = [];
  let pattern = "";
  let end = 0;
  const matches = [...layout.matchAll(ELEMENT)];
  for (const [position, match] of matches.entries()) {
    pattern += escapeText(layout.slice(end, match.index));
    end = match.index + match[0].length;
    const element = ELEMENTS[match[0]];
    if (element === undefined) {
      pattern += "(?:[.,](\\d{1,9}))?";
      readers.push((fields, digits) => {
        fields.nanosecond = Number(digits.padEnd(9, "0"));
      });
      continue;
    }
    const hasFraction = /^[.,]/.test(matches[position + 1]?.[0] ?? "");
    const isSecond = (match[0] === "05" || match[0] === "5") && !hasFraction;
    pattern += isSecond ? `${element[0]}(?:[.,]\\d{1,9})?` : element[0]; // Go takes a fraction that the layout does not name
    readers.push(element[1]);
  }
  const expression = RE2JS.compile(`^${pattern}${escapeText(layout.slice(end))}$`, RE2JS.CASE_INSENSITIVE);
  const found = expression.exec(text) as (string | undefined)[] | null;
  if (found === null) return undefined;
  const fields: ParsedFields = {
    year: 0,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    pm: undefined,
    offsetMinutes: 0,
  };
  for (const [at, read] of readers.entries()) read(fields, found[at + 1] ?? "");
  if (fields.pm === true && fields.hour < 12) fields.hour += 12;
  if (fields.pm === false && fields.hour === 12) fields.hour = 0;
  return timeOf(fields, fields.offsetMinutes);
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
