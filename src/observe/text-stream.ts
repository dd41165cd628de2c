import type { DestinationStream, LogFn, Logger } from "pino";
import { hideSecrets } from "./hide-secrets.ts";
import { type FieldStyle, formatTextLine } from "./text-format.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Prints records as text. Nearly all are plain values: their text is made from these at once, before pino makes JSON of them. Any
 * other is read from pino's line, where errors are plain and secrets hidden.
 */
export class TextStream implements DestinationStream {
  readonly #sink: DestinationStream;
  readonly #fieldStyle: FieldStyle;
  readonly #bindings = new WeakMap<Logger, Fields>();

  constructor(sink: DestinationStream, fieldStyle: FieldStyle) {
    this.#sink = sink;
    this.#fieldStyle = fieldStyle;
  }

  /** A line of pino's. */
  write(line: string): void {
    this.#print(JSON.parse(line));
  }

  /**
   * Pino's `hooks.logMethod`: `args` is what `logger` was called with, `method` what writes it by way of JSON. Pino wants `method`
   * called; it is what would write the line, and nothing else hangs on it.
   */
  log(logger: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    const [fields, msg, ...values] = args as unknown[];
    if (!isPlainObject(fields) || typeof msg !== "string" || values.length > 0 || !isPlain(fields)) {
      method.apply(logger, args);
      return;
    }
    const shown = hideSecrets(fields as Record<string, unknown>);
    const ts = new Date().toISOString();
    this.#print({ level: logger.levels.labels[level], ts, ...this.#bindingsOf(logger), ...shown, msg });
  }

  #print(record: Fields): void {
    this.#sink.write(formatTextLine(record, this.#fieldStyle));
  }

  #bindingsOf(logger: Logger): Fields {
    const known = this.#bindings.get(logger);
    if (known !== undefined) return known;
    const bindings = logger.bindings();
    this.#bindings.set(logger, bindings);
    return bindings;
  }
}

/** Deeper records, and those that hold themselves, are left to pino. */
const MAX_DEPTH = 5;

/** Whether JSON.parse would make the same of what JSON.stringify makes of it. */
function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  return isPlainObject(value) && Object.values(value).every((item) => isPlain(item, depth + 1));
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
