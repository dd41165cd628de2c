import { EventEmitter, on } from "node:events";

/** Lines kept for those who come later. */
const CAPACITY = 2000;

interface Line {
  at: number;
  text: string;
}

export interface TailQuery {
  /** Only lines of the last so many seconds. */
  sinceSeconds?: number;
  /** Only the last so many lines of what was written so far. */
  tailLines?: number;
  /** Go on with what is written from now. */
  follow: boolean;
}

/** The last log lines of one service, for `kubectl logs` on the sandbox. */
export class LogTail extends EventEmitter<{ line: [Line] }> {
  readonly #lines: Line[] = [];

  write(text: string): void {
    const line = { at: Date.now(), text };
    this.#lines.push(line);
    if (this.#lines.length > CAPACITY) this.#lines.shift();
    this.emit("line", line);
  }

  /** Lines with their line ends, oldest first; with `follow` until `signal` aborts. */
  async *read({ sinceSeconds, tailLines, follow }: TailQuery, signal?: AbortSignal): AsyncGenerator<string> {
    const oldest = sinceSeconds === undefined ? 0 : Date.now() - sinceSeconds * 1000;
    const lines = this.#lines.filter(({ at }) => at >= oldest);
    const news = follow ? on(this, "line", signal && { signal }) : undefined;
    for (const { text } of tailLines === undefined
      ? lines
      : lines.slice(lines.length - Math.min(tailLines, lines.length)))
      yield text;
    if (news) for await (const [{ text }] of news) yield text;
  }
}
