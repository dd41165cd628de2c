import { randomInt } from "node:crypto";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

const MAX_LENGTH = 1_000;
const MAX_STEPS = 100_000;
const CLASSES: Record<string, string> = {
  d: "0123456789",
  w: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
  s: " ",
};
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");

/** Kyverno's random(). */
export const RANDOM = {
  random: define<[string]>(["string"], ([pattern]) => new Generator(pattern).generate()),
};

/**
 * Makes a text that a pattern of literals, classes, `.`, groups, alternatives and counts describes. `*` and `+` stop at 10
 * repeats; anchors are allowed at the ends; anything else is refused.
 */
class Generator {
  readonly #pattern: string;
  #at = 0;
  #steps = 0;

  constructor(pattern: string) {
    if (pattern === "" || pattern.length > MAX_LENGTH)
      throw new ExpressionError(`random() takes a pattern of 1 to ${MAX_LENGTH} characters`);
    this.#pattern = pattern.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  }

  generate(): string {
    const text = this.#alternatives(0)();
    if (this.#at < this.#pattern.length) throw this.#refusal();
    return text;
  }

  #alternatives(depth: number): () => string {
    if (depth > 20) throw this.#refusal();
    const choices = [this.#sequence(depth)];
    while (this.#take("|")) choices.push(this.#sequence(depth));
    return () => pick(choices)();
  }

  #sequence(depth: number): () => string {
    const parts: (() => string)[] = [];
    while (this.#at < this.#pattern.length && !"|)".includes(this.#peek())) {
      const atom = this.#atom(depth);
      const [least, most] = this.#count();
      parts.push(() => this.#repeat(atom, least + randomInt(most - least + 1)));
    }
    return () => bounded(parts.map((part) => part()).join(""));
  }

  #atom(depth: number): () => string {
    const char = this.#next();
    if (char === "(") {
      if (this.#take("?") && !this.#take(":")) throw this.#refusal();
      const group = this.#alternatives(depth + 1);
      if (!this.#take(")")) throw this.#refusal();
      return group;
    }
    if (char === "[") return this.#class();
    if (char === ".") return () => pick([...PRINTABLE]);
    if (char === "\\") return this.#escaped();
    if ("*+?{}^$".includes(char)) throw this.#refusal();
    return () => char;
  }

  #escaped(): () => string {
    const char = this.#next();
    const known = CLASSES[char];
    if (known !== undefined) return () => pick([...known]);
    if (/[A-Za-z0-9]/.test(char)) throw this.#refusal();
    return () => char;
  }

  #class(): () => string {
    const isNegated = this.#take("^");
    const chars = new Set<string>();
    do {
      const from = this.#next();
      if (from === "\\") {
        const escaped = this.#next();
        for (const char of CLASSES[escaped] ?? escaped) chars.add(char);
      } else if (this.#peek() === "-" && this.#pattern.charAt(this.#at + 1) !== "]") {
        this.#at += 1;
        const [first, last] = [from.charCodeAt(0), this.#next().charCodeAt(0)];
        if (last < first || last - first > 1_000) throw this.#refusal();
        for (let code = first; code <= last; code += 1) chars.add(String.fromCharCode(code));
      } else chars.add(from);
    } while (!this.#take("]"));
    const allowed = isNegated ? [...PRINTABLE].filter((char) => !chars.has(char)) : [...chars];
    if (allowed.length === 0) throw this.#refusal();
    return () => pick(allowed);
  }

  #count(): [number, number] {
    if (this.#take("*")) return [0, 10];
    if (this.#take("+")) return [1, 10];
    if (this.#take("?")) return [0, 1];
    const [whole, least, comma, most] = /^\{(\d{1,4})(,(\d{1,4})?)?\}/.exec(this.#pattern.slice(this.#at)) ?? [];
    if (whole === undefined) return [1, 1];
    this.#at += whole.length;
    const low = Number(least);
    const high = comma === undefined ? low : most === undefined ? low + 10 : Number(most);
    if (high < low || high > MAX_LENGTH) throw this.#refusal();
    return [low, high];
  }

  #repeat(make: () => string, times: number): string {
    let text = "";
    for (let made = 0; made < times; made += 1) {
      this.#steps += 1;
      if (this.#steps > MAX_STEPS) throw new ExpressionError(`random() takes more than ${MAX_STEPS} steps`);
      text = bounded(text + make());
    }
    return text;
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at);
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const char = this.#peek();
    if (char === "") throw this.#refusal();
    this.#at += 1;
    return char;
  }

  #refusal(): ExpressionError {
    return new ExpressionError(`random() cannot use the pattern "${this.#pattern}" at character ${this.#at + 1}`);
  }
}

function bounded(text: string): string {
  if (text.length > MAX_LENGTH) throw new ExpressionError(`random() makes at most ${MAX_LENGTH} characters`);
  return text;
}

function pick<T>(choices: readonly T[]): T {
  return choices[randomInt(choices.length)] as T;
}
