import { type DestinationStream, type Logger, type LoggerOptions, pino, stdSerializers, stdTimeFunctions } from "pino";
import { hideIn, hideSecrets } from "./hide-secrets.ts";
import type { FieldStyle } from "./text-format.ts";
import { TextStream } from "./text-stream.ts";

export type { Logger } from "pino";

type LogHook = NonNullable<NonNullable<LoggerOptions["hooks"]>["logMethod"]>;

export type LogFormat = "text" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogOptions {
  format: LogFormat;
  level: LogLevel;
  fieldStyle?: FieldStyle;
  /** Where the lines go; standard output when absent. */
  destination?: DestinationStream;
}

/** A pino logger: `json` prints pino's records, `text` the guide's lines (`Email begin {"from": ["…"], "to": ["…"]}`). */
export function createLogger({ format, level, fieldStyle = "object", destination }: LogOptions): Logger {
  const sink = destination ?? { write: (line: string) => void process.stdout.write(line) };
  const text = format === "text" ? new TextStream(sink, fieldStyle) : undefined;
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "msg",
      errorKey: "error",
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"ts"'),
      formatters: { level: (label) => ({ level: label }), log: hideSecrets },
      serializers: { error: (error) => hideIn(stdSerializers.err(error)) },
      ...(text !== undefined && { hooks: { logMethod: hookOf(text) } }),
    },
    text ?? sink,
  );
  logger.child = childHidingSecrets(logger.child);
  return logger;
}

function hookOf(text: TextStream): LogHook {
  return function (args, method, level) {
    text.log(this, args, method, level);
  };
}

/** Pino formats the bindings of the first logger alone; children inherit this. */
function childHidingSecrets(makeChild: Logger["child"]): Logger["child"] {
  return function (this: Logger, bindings: Record<string, unknown>, options) {
    return makeChild.call(this, hideSecrets(bindings), options);
  } as Logger["child"];
}
