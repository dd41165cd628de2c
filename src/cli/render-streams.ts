import { styleText } from "node:util";
import type { Look } from "../author/report.ts";

/** How findings look on standard error: with the line and a caret, in colour where it is a terminal that wants it. */
export const STDERR: Look = {
  excerpts: true,
  paint: (style, text) => styleText(style, text, { stream: process.stderr }),
};

/** `text` for standard error, as something beside the point. */
export function faint(text: string): string {
  return STDERR.paint("dim", text);
}

/** Ends the process without a word when its reader has gone: `courier render … | head`. */
export function endOnClosedPipe(): void {
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
