const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into its lines, as text without the newline; bytes of an unfinished line wait for the next chunk.
 * They are joined once, when their newline comes, so a line in a thousand chunks costs no more than in one.
 */
export class LineSplitter {
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  readonly #maxLineBytes: number;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that `chunk` completes. @throws RangeError when an unfinished line exceeds the limit */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#wait(chunk.subarray(start));
    return lines;
  }

  /** True while a line has begun and its newline has not come. */
  get hasPartialLine(): boolean {
    return this.#waitingBytes > 0;
  }

  #finish(tail: Buffer): string {
    if (this.#waiting.length === 0) return tail.toString("utf8");
    const line = Buffer.concat([...this.#waiting, tail]).toString("utf8");
    this.#waiting = [];
    this.#waitingBytes = 0;
    return line;
  }

  #wait(part: Buffer): void {
    this.#waiting.push(part);
    this.#waitingBytes += part.length;
    if (this.#waitingBytes > this.#maxLineBytes) {
      throw new RangeError(`a line is longer than ${this.#maxLineBytes} bytes`);
    }
  }
}
