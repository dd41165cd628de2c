import { formatDuration, parseDuration } from "../../duration.ts";
import { calendarOf, formatRfc3339, type GoTime, parseRfc3339, parseWithLayout, timeOfDate } from "../../go-time.ts";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

const BILLION = 1_000_000_000n;
/** Nanoseconds from Go's zero time, January 1 of year 1, to 1970: truncation counts from there. */
const ZERO_TIME = 62_135_596_800n * BILLION;

/** Kyverno's functions on times, which are texts of RFC 3339. */
export const TIME = {
  time_add: define<[string, string]>(["string", "string"], ([text, duration]) => {
    const time = read("time_add", text);
    return show({ ...time, at: time.at + readDuration("time_add", duration) });
  }),
  time_after: define<[string, string]>(
    ["string", "string"],
    ([left, right]) => read("time_after", left).at > read("time_after", right).at,
  ),
  time_before: define<[string, string]>(
    ["string", "string"],
    ([left, right]) => read("time_before", left).at < read("time_before", right).at,
  ),
  time_between: define<[string, string, string]>(["string", "string", "string"], ([text, start, end]) => {
    const { at } = read("time_between", text);
    return read("time_between", start).at < at && at < read("time_between", end).at;
  }),
  time_diff: define<[string, string]>(["string", "string"], ([from, to]) =>
    formatDuration(read("time_diff", to).at - read("time_diff", from).at),
  ),
  time_now: define<[]>([], (_, { now }) => show(timeOfDate(now()))),
  time_now_utc: define<[]>([], (_, { now }) => show(timeOfDate(now()))),
  time_parse: define<[string, string]>(["string", "string"], ([layout, text]) => {
    if (/^\d+$/.test(layout)) return show(epochSeconds(text));
    return show(readWith("time_parse", layout, text));
  }),
  time_since: define<[string, string, string]>(["string", "string", "string"], ([layout, from, to], { now }) => {
    const start = readWith("time_since", layout, from);
    const end = to === "" ? timeOfDate(now()) : readWith("time_since", layout, to);
    return formatDuration(end.at - start.at);
  }),
  time_to_cron: define<[string]>(["string"], ([text]) => {
    const date = calendarOf(read("time_to_cron", text));
    return [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()].join(
      " ",
    );
  }),
  time_truncate: define<[string, string]>(["string", "string"], ([text, duration]) => {
    const time = read("time_truncate", text);
    const step = readDuration("time_truncate", duration);
    return show(step <= 0n ? time : { ...time, at: time.at - ((time.at + ZERO_TIME) % step) });
  }),
  time_utc: define<[string]>(["string"], ([text]) => show({ ...read("time_utc", text), offsetMinutes: 0 })),
};

function read(name: string, text: string): GoTime {
  const time = parseRfc3339(text);
  if (time !== undefined) return time;
  throw new ExpressionError(`${name}() takes a time such as 2006-01-02T15:04:05Z and was given "${text.slice(0, 60)}"`);
}

function readWith(name: string, layout: string, text: string): GoTime {
  if (layout === "") return read(name, text);
  const time = parseWithLayout(layout, text);
  if (time !== undefined) return time;
  throw new ExpressionError(`${name}() cannot read "${text.slice(0, 60)}" with the layout "${layout.slice(0, 60)}"`);
}

function readDuration(name: string, text: string): bigint {
  const duration = parseDuration(text);
  if (duration !== undefined) return duration;
  throw new ExpressionError(`${name}() takes a duration such as 1h30m and was given "${text.slice(0, 60)}"`);
}

function epochSeconds(text: string): GoTime {
  if (/^-?\d{1,11}$/.test(text)) return { at: BigInt(text) * BILLION, offsetMinutes: 0 };
  throw new ExpressionError(`time_parse() takes seconds since 1970 and was given "${text.slice(0, 60)}"`);
}

function show(time: GoTime): string {
  const year = calendarOf(time).getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new ExpressionError("The result is outside the years 0 to 9999");
  return formatRfc3339(time);
}
