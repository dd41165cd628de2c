/** A place in a file, as editors count: both from 1, columns in characters. */
export interface Place {
  line: number;
  column: number;
}

/** The text of one file, and where in it an offset is. */
export class SourceFile {
  /** As it was given, for people. */
  readonly path: string;
  readonly text: string;
  readonly #lineStarts: number[];

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text.replace(/^\ufeff/, "");
    this.#lineStarts = [0];
    for (let at = this.text.indexOf("\n"); at !== -1; at = this.text.indexOf("\n", at + 1))
      this.#lineStarts.push(at + 1);
  }

  /** The place of a UTF-16 offset; one beyond the end is the end. */
  placeAt(offset: number): Place {
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: [...this.text.slice(this.#lineStarts[low], at)].length + 1 };
  }

  /** The text of a line without its line break; "" where there is no such line. */
  lineText(line: number): string {
    const start = this.#lineStarts[line - 1];
    if (start === undefined) return "";
    return this.text.slice(start, this.#lineStarts[line] ?? this.text.length).replace(/\r?\n$/, "");
  }
}
