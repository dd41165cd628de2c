import { charactersOf, isInteger, toBigInt, typeName, type Value } from "../values.ts";
import { type Flags, formatArgument, formatValue, noFlags } from "./printer.ts";

/** Widths and precisions beyond this are refused, as in Go. */
const MAX_NUMBER = 1_000_000;

/** fmt.Sprintf. Never fails: what is wrong with the format shows in the text, as `%!d(string=x)`. */
export function sprintf(format: string, args: Value[]): string {
  return new Directives(format, args).run();
}

/** fmt.Sprint: a blank only between two operands of which neither is a string. */
export function sprint(args: Value[]): string {
  let out = "";
  for (const [index, arg] of args.entries()) {
    if (index > 0 && charactersOf(arg) === undefined && charactersOf(args[index - 1]) === undefined) out += " ";
    out += formatValue(arg);
  }
  return out;
}

/** fmt.Sprintln: blanks between all operands. */
export const sprintln = (args: Value[]): string => `${args.map(formatValue).join(" ")}\n`;

const FLAG_NAMES: Record<string, "sharp" | "zero" | "plus" | "minus" | "space"> = {
  "#": "sharp",
  "0": "zero",
  "+": "plus",
  "-": "minus",
  " ": "space",
};

class Directives {
  readonly format: string;
  readonly args: Value[];
  out = "";
  at = 0;
  /** Index of the operand that the next verb takes. */
  argument = 0;
  /** Whether the format named operands by number, which ends the check for superfluous ones. */
  reordered = false;
  goodIndex = true;
  afterIndex = false;

  constructor(format: string, args: Value[]) {
    this.format = format;
    this.args = args;
  }

  run(): string {
    for (;;) {
      const percent = this.format.indexOf("%", this.at);
      this.out += this.format.slice(this.at, percent < 0 ? undefined : percent);
      if (percent < 0) break;
      this.at = percent + 1;
      if (!this.directive()) break;
    }
    if (!this.reordered && this.argument < this.args.length) this.out += extra(this.args.slice(this.argument));
    return this.out;
  }

  /** One directive; false when the format ended within it. */
  directive(): boolean {
    const flags = this.flags();
    this.goodIndex = true;
    this.afterIndex = false;
    const simple = this.format[this.at] ?? "";
    if (simple >= "a" && simple <= "z" && this.argument < this.args.length) {
      this.at++;
      this.print(simple, flags);
      return true;
    }
    this.index();
    this.width(flags);
    this.precision(flags);
    if (!this.afterIndex) this.index();
    const verb = this.format.codePointAt(this.at);
    if (verb === undefined) {
      this.out += "%!(NOVERB)";
      return false;
    }
    this.verb(String.fromCodePoint(verb), flags);
    return true;
  }

  flags(): Flags {
    const flags = noFlags();
    for (;;) {
      const name = FLAG_NAMES[this.format[this.at] ?? ""];
      if (name === undefined) return flags;
      flags[name] = true;
      this.at++;
    }
  }

  verb(verb: string, flags: Flags): void {
    this.at += verb.length;
    if (verb === "%") this.out += "%";
    else if (!this.goodIndex) this.out += `%!${verb}(BADINDEX)`;
    else if (this.argument >= this.args.length) this.out += `%!${verb}(MISSING)`;
    else this.print(verb, flags);
  }

  print(verb: string, flags: Flags): void {
    if (verb === "v") {
      flags.sharpV = flags.sharp;
      flags.plusV = flags.plus;
      flags.sharp = flags.plus = false;
    }
    this.out += formatArgument(this.args[this.argument++], verb, flags);
  }

  /** An explicit operand index, `[2]`. */
  index(): void {
    this.afterIndex = false;
    if (this.format[this.at] !== "[") return;
    this.reordered = true;
    const close = this.format.indexOf("]", this.at);
    if (close < 0 || this.format.length - this.at < 3) {
      this.goodIndex = false;
      this.at++;
      return;
    }
    const inside = this.format.slice(this.at + 1, close);
    this.at = close + 1;
    const number = /^\d+$/.test(inside) ? parseWidth(inside) : undefined;
    this.afterIndex = number !== undefined;
    if (number !== undefined && number >= 1 && number <= this.args.length) this.argument = number - 1;
    else this.goodIndex = false;
  }

  width(flags: Flags): void {
    if (this.format[this.at] !== "*") {
      flags.width = this.number();
      if (this.afterIndex && flags.width !== undefined) this.goodIndex = false;
      return;
    }
    this.at++;
    flags.width = this.numberFromOperand();
    if (flags.width === undefined) this.out += "%!(BADWIDTH)";
    else if (flags.width < 0) {
      flags.width = -flags.width;
      flags.minus = true;
      flags.zero = false;
    }
    this.afterIndex = false;
  }

  precision(flags: Flags): void {
    if (this.format[this.at] !== "." || this.at + 1 >= this.format.length) return;
    this.at++;
    if (this.afterIndex) this.goodIndex = false;
    this.index();
    if (this.format[this.at] !== "*") {
      flags.precision = this.number() ?? 0;
      return;
    }
    this.at++;
    flags.precision = this.numberFromOperand();
    if (flags.precision !== undefined && flags.precision < 0) flags.precision = undefined;
    if (flags.precision === undefined) this.out += "%!(BADPREC)";
    this.afterIndex = false;
  }

  number(): number | undefined {
    const digits = /\d*/y;
    digits.lastIndex = this.at;
    const text = digits.exec(this.format)?.[0] ?? "";
    if (text === "") return undefined;
    const value = parseWidth(text);
    this.at = value === undefined ? this.format.length : this.at + text.length; // too large: Go gives the format up
    return value;
  }

  numberFromOperand(): number | undefined {
    if (this.argument >= this.args.length) return undefined;
    const operand = this.args[this.argument++];
    if (!isInteger(operand)) return undefined;
    const value = Number(toBigInt(operand));
    return Math.abs(value) > MAX_NUMBER ? undefined : value;
  }
}

/** Digits to a number; undefined once it passed the maximum before its last digit. */
function parseWidth(digits: string): number | undefined {
  return Number(digits.slice(0, -1)) > MAX_NUMBER ? undefined : Number(digits);
}

function extra(args: Value[]): string {
  const shown = args.map((arg) =>
    arg === null || arg === undefined ? "<nil>" : `${typeName(arg)}=${formatValue(arg)}`,
  );
  return `%!(EXTRA ${shown.join(", ")})`;
}
