/** What the chunks of a body are read as. */
export interface ChunkReader<Item> {
  read(chunk: Buffer): Item;
  /** The server has ended the body. @throws where it must not end like this */
  end(): void;
}

/** A body as its reader reads it. Not a generator: that would take three turns more for each chunk, which is often one event. */
export class ReadChunks<Item> implements AsyncIterableIterator<Item> {
  readonly #body: AsyncIterableIterator<Buffer>;
  readonly #reader: ChunkReader<Item>;
  readonly #explain: (error: unknown) => unknown;

  constructor(body: AsyncIterableIterator<Buffer>, reader: ChunkReader<Item>, explain: (error: unknown) => unknown) {
    this.#body = body;
    this.#reader = reader;
    this.#explain = explain;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    let chunk: IteratorResult<Buffer>;
    try {
      chunk = await this.#body.next();
    } catch (error) {
      throw this.#explain(error);
    }
    if (!chunk.done) return { done: false, value: this.#reader.read(chunk.value) };
    this.#reader.end();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    await this.#body.return?.();
    return { done: true, value: undefined };
  }
}
