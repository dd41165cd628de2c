/** One field of a message as the wire has it: a number for varints, bytes for what has a length. */
export interface WireField {
  number: number;
  value: bigint | Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/** Reads protobuf's wire format, field by field. @throws SyntaxError where the bytes are no message */
export function readFields(bytes: Uint8Array): WireField[] {
  const reader = new WireReader(bytes);
  const fields: WireField[] = [];
  while (!reader.atEnd) fields.push(reader.field());
  return fields;
}

class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  field(): WireField {
    const tag = Number(this.#varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        return { number, value: this.#varint() };
      case BYTES:
        return { number, value: this.#take(Number(this.#varint())) };
      case FIXED64:
        return { number, value: this.#take(8) };
      case FIXED32:
        return { number, value: this.#take(4) };
      default:
        throw new SyntaxError(`proto: wiretype ${tag % 8} is not supported`);
    }
  }

  #varint(): bigint {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = this.#take(1)[0] ?? 0;
      value |= BigInt(byte & 127) << BigInt(7 * index);
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw new SyntaxError("proto: integer overflow");
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new SyntaxError("proto: unexpected EOF");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
