/** Writes protobuf's wire format: the three of its types that an OpenAPI document needs. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = [];

  /** A length-delimited field: text, bytes or a nested message. */
  field(number: number, content: string | Uint8Array | ProtobufWriter): this {
    const bytes =
      typeof content === "string"
        ? Buffer.from(content)
        : content instanceof ProtobufWriter
          ? content.finish()
          : content;
    this.#chunks.push(varint((number << 3) | 2), varint(bytes.length), bytes);
    return this;
  }

  /** A bool or a whole number that is not negative. */
  number(number: number, value: number | boolean): this {
    this.#chunks.push(varint(number << 3), varint(Number(value)));
    return this;
  }

  double(number: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#chunks.push(varint((number << 3) | 1), bytes);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
