/** A point in time, as exact as Go's: whole seconds since 1970 and nanoseconds within one. */
export interface Instant {
  seconds: number;
  nanoseconds: number;
}

/** A time text that is not RFC 3339, with Go's words for it. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

const LAYOUT = "2006-01-02T15:04:05Z07:00";

/** time.Parse(time.RFC3339, text), which also takes fractional seconds. @throws TimeError */
export function parseRfc3339(text: string): Instant {
  return new TimeReader(text).read();
}

class TimeReader {
  readonly text: string;
  rest: string;

  constructor(text: string) {
    this.text = text;
    this.rest = text;
  }

  read(): Instant {
    const year = this.digits("2006", 4, 4);
    this.literal("-");
    const month = this.ranged(this.digits("01", 2, 2), 1, 12, "month");
    this.literal("-");
    const day = this.digits("02", 2, 2);
    this.literal("T");
    const hour = this.ranged(this.digits("15", 1, 2), 0, 23, "hour");
    this.literal(":");
    const minute = this.ranged(this.digits("04", 2, 2), 0, 59, "minute");
    this.literal(":");
    const second = this.ranged(this.digits("05", 2, 2), 0, 59, "second");
    const nanoseconds = this.fraction();
    const offset = this.zone();
    if (this.rest !== "") throw this.failure(`: extra text: ${quoteTime(this.rest)}`);
    const midnight = new Date(0);
    midnight.setUTCFullYear(year, month - 1, day);
    if (day < 1 || midnight.getUTCMonth() !== month - 1) throw this.failure(": day out of range");
    return { seconds: midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset, nanoseconds };
  }

  digits(element: string, least: number, most: number): number {
    const found = new RegExp(`^\\d{${least},${most}}`).exec(this.rest)?.[0];
    if (found === undefined) throw this.unreadable(element);
    this.rest = this.rest.slice(found.length);
    return Number(found);
  }

  ranged(value: number, least: number, most: number, name: string): number {
    if (value < least || value > most) throw this.failure(`: ${name} out of range`);
    return value;
  }

  literal(text: string): void {
    if (!this.rest.startsWith(text)) throw this.unreadable(text);
    this.rest = this.rest.slice(text.length);
  }

  fraction(): number {
    const found = /^[.,](\d+)/.exec(this.rest);
    if (found === null) return 0;
    this.rest = this.rest.slice(found[0].length);
    return Number((found[1] ?? "").slice(0, 9).padEnd(9, "0"));
  }

  zone(): number {
    if (this.rest.startsWith("Z")) {
      this.rest = this.rest.slice(1);
      return 0;
    }
    const found = /^([+-])(\d\d):(\d\d)/.exec(this.rest);
    if (found === null) throw this.unreadable("Z07:00");
    this.rest = this.rest.slice(6);
    const hours = this.ranged(Number(found[2]), 0, 24, "time zone offset hour");
    const minutes = this.ranged(Number(found[3]), 0, 60, "time zone offset minute");
    return (found[1] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
  }

  unreadable(element: string): TimeError {
    return this.failure(` as ${quoteTime(LAYOUT)}: cannot parse ${quoteTime(this.rest)} as ${quoteTime(element)}`);
  }

  failure(what: string): TimeError {
    return new TimeError(`parsing time ${quoteTime(this.text)}${what}`);
  }
}

/** Package time quotes in its own way: every byte beyond ASCII as hex. */
function quoteTime(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text)) {
    if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, "0")}`;
    else out += (byte === 0x22 || byte === 0x5c ? "\\" : "") + String.fromCharCode(byte);
  }
  return `"${out}"`;
}
