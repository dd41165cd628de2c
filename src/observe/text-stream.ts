import { type DestinationStream, type Logger, symbols } from "pino";
import { isSecretKey } from "./hide-secrets.ts";
import { type FieldStyle, formatTextLine } from "./text-format.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Prints records as text. Pino tells a stream that asks for it what a line is made of (`pino.metadata`): of a record of plain values,
 * as nearly all are, the text is made from these, and any other is read from pino's line, where errors are plain and secrets hidden.
 */
export class TextStream implements DestinationStream {
  readonly [symbols.needsMetadataGsym] = true;
  lastLevel = 0;
  lastObj: Fields = {};
  lastMsg: unknown;
  /** With its quotes. */
  lastTime = "";
  lastLogger: Logger | undefined;
  readonly #sink: DestinationStream;
  readonly #fieldStyle: FieldStyle;
  readonly #bindings = new WeakMap<Logger, Fields>();

  constructor(sink: DestinationStream, fieldStyle: FieldStyle) {
    this.#sink = sink;
    this.#fieldStyle = fieldStyle;
  }

  write(line: string): void {
    const record = this.#plainRecord() ?? (JSON.parse(line) as Fields);
    this.#sink.write(formatTextLine(record, this.#fieldStyle));
  }

  /** What JSON.parse would make of pino's line; undefined where that takes more than putting it together. */
  #plainRecord(): Fields | undefined {
    const { lastObj, lastMsg, lastLogger } = this;
    if (lastLogger === undefined || typeof lastMsg !== "string" || !isPlain(lastObj)) return undefined;
    const level = lastLogger.levels.labels[this.lastLevel];
    return { level, ts: this.lastTime.slice(1, -1), ...this.#bindingsOf(lastLogger), ...lastObj, msg: lastMsg };
  }

  #bindingsOf(logger: Logger): Fields {
    const known = this.#bindings.get(logger);
    if (known !== undefined) return known;
    const bindings = logger.bindings();
    this.#bindings.set(logger, bindings);
    return bindings;
  }
}

/** Whether all values are text, numbers, truth values or lists of text, and none is secret. */
function isPlain(fields: Fields): boolean {
  return Object.entries(fields).every(([key, value]) => {
    if (isSecretKey(key)) return false;
    if (Array.isArray(value)) return value.every((item) => typeof item === "string");
    return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  });
}
