import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";

export type { Logger } from "pino";

export type LogFormat = "text" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

/** How the text format prints a record's fields: as the guide's courier-api does, or as Kyverno's controllers do. */
export type FieldStyle = "object" | "pairs";

export interface LogOptions {
  format: LogFormat;
  level: LogLevel;
  fieldStyle?: FieldStyle;
  /** Where the lines go; standard output when absent. */
  destination?: DestinationStream;
}

/** Keys whose values never reach a line, at the top of a record or one level down. */
const SECRET_KEYS = ["password", "pass", "token", "clientSecret", "authorization", "auth"];

/** A pino logger: `json` prints pino's records, `text` the guide's lines (`Email begin {"from": ["…"], "to": ["…"]}`). */
export function createLogger({ format, level, fieldStyle = "object", destination }: LogOptions): Logger {
  const sink = destination ?? { write: (line: string) => void process.stdout.write(line) };
  const stream = format === "json" ? sink : { write: (line: string) => sink.write(formatTextLine(line, fieldStyle)) };
  return pino(
    {
      level,
      base: null,
      messageKey: "msg",
      errorKey: "error",
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"ts"'),
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: "[hidden]" },
    },
    stream,
  );
}

/**
 * One pino record as a line for people: time, level, the NotificationMessage it is about, what happened, fields. The lines
 * of a `trace` follow, indented, so that none of them can pass for a record.
 */
export function formatTextLine(record: string, fieldStyle: FieldStyle): string {
  const { level, ts, msg, message, trace, ...fields } = JSON.parse(record) as Record<string, unknown>;
  const printed = fieldStyle === "object" ? printObject(fields) : printPairs(fields);
  const about = message === undefined ? "" : `[${oneLine(String(message))}] `;
  const text = `${about}${oneLine(String(msg ?? ""))}`;
  const line = `${ts} ${String(level).toUpperCase().padEnd(5)} ${text}${printed === "" ? "" : ` ${printed}`}`;
  const below = Array.isArray(trace) ? trace.map((item) => `    ${oneLine(String(item))}`) : [];
  return [line, ...below].map((each) => `${escapeHidden(each)}\n`).join("");
}

/** What JSON leaves as it is though a terminal obeys it, or shows the line otherwise for it: C1 controls, bidi, line ends. */
function escapeHidden(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (hidden) => `\\u${hidden.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `{"from": ["a"], "status":{…}}`: scalars and lists spaced as zap prints them, objects compact as the guide shows them. */
function printObject(fields: Record<string, unknown>): string {
  const entries = Object.entries(fields).map(([key, value]) => {
    if (Array.isArray(value))
      return `${JSON.stringify(key)}: [${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    const gap = typeof value === "object" && value !== null ? "" : " ";
    return `${JSON.stringify(key)}:${gap}${JSON.stringify(value)}`;
  });
  return entries.length === 0 ? "" : `{${entries.join(", ")}}`;
}

/** `target=v1/ConfigMap/a/b rule=r`: words as they are, anything with a blank or a quote in quotes. */
function printPairs(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([key, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `${key}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
    })
    .join(" ");
}

/** A message that came from outside must not forge a second line. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ");
}
