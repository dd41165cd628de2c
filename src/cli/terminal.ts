import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** `text` in a style where standard output is a terminal that wants colour, else as it is. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** One line on standard output. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}
