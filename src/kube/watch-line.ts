import type { KubeObject, ObjectMeta } from "../resources/object.ts";
import type { RawWatchEvent } from "./client.ts";
import { metadataText } from "./metadata-text.ts";

type WholeEvent = Pick<RawWatchEvent, "type" | "object">;

/** How the lines of one watch are read. */
export interface LineReader {
  /** @throws KubeError when the line is no watch event */
  whole(line: string): WholeEvent;
  /** @throws SyntaxError */
  json(text: string): unknown;
}

const TYPE = /^\{"type":"([A-Z]+)",/;

/** An event of which no more is read than is asked for. Most events of a busy watch are worth no more than their metadata. */
export class WatchLine implements RawWatchEvent {
  readonly type: string;
  readonly #line: string;
  readonly #reader: LineReader;
  #whole: WholeEvent | undefined;
  #metadata: ObjectMeta | undefined;

  /** @throws KubeError when the line says by its beginning that it is no watch event */
  constructor(line: string, reader: LineReader) {
    this.#line = line;
    this.#reader = reader;
    this.type = TYPE.exec(line)?.[1] ?? this.#read().type;
  }

  get object(): KubeObject {
    return this.#read().object;
  }

  get metadata(): ObjectMeta {
    this.#metadata ??= this.#whole === undefined ? this.#glance() : this.object.metadata;
    return this.#metadata;
  }

  #read(): WholeEvent {
    this.#whole ??= this.#reader.whole(this.#line);
    return this.#whole;
  }

  #glance(): ObjectMeta {
    const text = metadataText(this.#line);
    if (text === undefined) return this.object.metadata;
    try {
      return this.#reader.json(text) as ObjectMeta;
    } catch {
      return this.object.metadata; // which says what is wrong with the line
    }
  }
}
