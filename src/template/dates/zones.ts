import { ZONE_NAMES } from "./zone-names.ts";

/** A zone's clock at one instant. */
export interface ZoneClock {
  /** Seconds east of UTC. */
  offset: number;
  /** The tz database's abbreviation: "CEST", or "-03" where there is none. */
  abbreviation: string;
}

/** Abbreviations of one offset, oldest first, with the Unix second from which each holds. */
type Names = Map<number, { from: number; name: string }[]>;

const names = readNames();
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the tz database has a zone of this name; upper and lower case matter, as in Go. */
export function isZone(zone: string): boolean {
  return zone === "" || zone === "Local" || names.has(zone);
}

/** The clock of a zone at a Unix second. "" and "Local" are UTC: where courier runs means nothing to a template. */
export function clockIn(zone: string, seconds: number): ZoneClock {
  if (zone === "" || zone === "Local" || zone === "UTC") return { offset: 0, abbreviation: "UTC" };
  const offset = offsetIn(zone, seconds);
  const name = names
    .get(zone)
    ?.get(offset)
    ?.findLast(({ from }) => from <= seconds)?.name;
  return { offset, abbreviation: name ?? numeric(offset) };
}

function offsetIn(zone: string, seconds: number): number {
  const shown =
    formatFor(zone)
      .formatToParts(seconds * 1000)
      .find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /GMT([+-])(\d+):(\d+)(?::(\d+))?/.exec(shown);
  if (match === null) return 0;
  const size = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return match[1] === "-" ? -size : size;
}

/** Making a formatter is slow; there are no more of them than zones. */
function formatFor(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    formats.set(zone, format);
  }
  return format;
}

function numeric(offset: number): string {
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const digits =
    String(Math.trunc(minutes / 60)).padStart(2, "0") +
    (minutes % 60 === 0 ? "" : String(minutes % 60).padStart(2, "0"));
  return (offset < 0 ? "-" : "+") + digits;
}

function readNames(): Map<string, Names> {
  const zones = new Map<string, Names>();
  for (const line of ZONE_NAMES.trim().split("\n")) {
    const [list = "", zoneList = ""] = line.split("=");
    const read: Names = new Map();
    for (const item of list.split(",")) {
      const [offset = "", rest = ""] = item.split(" ");
      const [name = "", from] = rest.split("@");
      const entries = read.get(Number(offset)) ?? [];
      entries.push({ from: from === undefined ? Number.NEGATIVE_INFINITY : Number(from), name });
      read.set(Number(offset), entries);
    }
    for (const zone of zoneList.split(" ")) zones.set(zone, read);
  }
  return zones;
}
