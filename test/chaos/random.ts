import { createHash } from "node:crypto";

/** A number in [0, 1) that depends on `parts` alone: the same question has the same answer in every run and process. */
export function draw(...parts: (string | number)[]): number {
  return createHash("sha256").update(parts.join("\u0000")).digest().readUInt32BE() / 2 ** 32;
}

/** A sequence of draws. Two of them with the same name are the same sequence. */
export class Random {
  readonly #name: string;
  #count = 0;

  constructor(...name: (string | number)[]) {
    this.#name = name.join("/");
  }

  next(): number {
    this.#count += 1;
    return draw(this.#name, this.#count);
  }

  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError("Cannot pick one of nothing");
    return items[Math.floor(this.next() * items.length)] as Item;
  }

  /** `count` different numbers between `from` and `to`, ascending. */
  points(count: number, from: number, to: number): number[] {
    return Array.from({ length: count }, () => from + this.next() * (to - from)).sort((a, b) => a - b);
  }
}
