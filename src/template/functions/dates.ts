import { type Instant, parseRfc3339, TimeError } from "../dates/instant.ts";
import { formatInstant } from "../dates/layout.ts";
import { isZone } from "../dates/zones.ts";
import { isInteger, toNumber, typeName, type Value } from "../values.ts";
import { FunctionError, type GoFunction } from "./function.ts";
import { formatDuration } from "./humanize.ts";

/** Dates: layouts are Go's, zones the tz database's, times RFC 3339 texts (or Unix seconds, as Sprig takes them). */
export const dateFunctions: Record<string, GoFunction> = {
  dateFormatWithZone: {
    parameters: ["any", "string", "string"],
    call: ([value, layout, zone]) => {
      if (typeof value !== "string")
        throw new FunctionError(`dateFormatWithZone: unsupported value type ${goType(value)}`);
      return format(parse(value), String(layout), String(zone));
    },
  },
  date: {
    parameters: ["string", "any"],
    call: ([layout, value]) => format(instantOf("date", value), String(layout), "UTC"),
  },
  dateInZone: {
    parameters: ["string", "any", "string"],
    call: ([layout, value, zone]) => format(instantOf("dateInZone", value), String(layout), String(zone)),
  },
  ago: {
    parameters: ["any"],
    call: ([value], { now }) => formatDuration(Math.round(now / 1000 - instantOf("ago", value).seconds)),
  },
};

const goType = (value: Value): string => (value === null ? "<nil>" : typeName(value));

function instantOf(name: string, value: Value): Instant {
  if (typeof value === "string") return parse(value);
  if (isInteger(value)) return { seconds: toNumber(value), nanoseconds: 0 };
  throw new FunctionError(`${name}: unsupported value type ${goType(value)}`);
}

function parse(text: string): Instant {
  try {
    return parseRfc3339(text);
  } catch (error) {
    if (error instanceof TimeError) throw new FunctionError(error.message);
    throw error;
  }
}

/** The furthest second a JavaScript date can show. */
const MAX_SECONDS = 8.64e12;

function format(instant: Instant, layout: string, zone: string): string {
  if (!isZone(zone)) throw new FunctionError(`unknown time zone ${zone}`);
  if (Math.abs(instant.seconds) > MAX_SECONDS) throw new FunctionError(`time out of range: ${instant.seconds} seconds`);
  return formatInstant(instant, layout, zone);
}
