/** Kinds of tokens. The keywords stand under their own names. */
export type TokenType =
  | "error"
  | "bool"
  | "char"
  | "charConstant"
  | "complex"
  | "assign"
  | "declare"
  | "eof"
  | "field"
  | "identifier"
  | "leftDelim"
  | "leftParen"
  | "number"
  | "pipe"
  | "rawString"
  | "rightDelim"
  | "rightParen"
  | "space"
  | "string"
  | "text"
  | "variable"
  | Keyword;

export type Keyword =
  | "dot"
  | "block"
  | "break"
  | "continue"
  | "define"
  | "else"
  | "end"
  | "if"
  | "range"
  | "nil"
  | "template"
  | "with";

export interface Token {
  type: TokenType;
  /** UTF-16 offset. */
  pos: number;
  /** Source text, or the complaint of an error token. */
  value: string;
  /** 1-based line on which the token begins. */
  line: number;
}

const KEYWORDS: ReadonlySet<string> = new Set<Keyword>([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "range",
  "nil",
  "template",
  "with",
]);

export const isKeyword = (type: TokenType): type is Keyword => type === "dot" || KEYWORDS.has(type);

const LEFT = "{{";
const RIGHT = "}}";
const TRIM_LENGTH = 2; // the minus and its blank
const LETTER = /[\p{L}\p{Nd}_]/u;
const PRINTABLE_ASCII = /[\x20-\x7e]/;

const isSpace = (char: string | undefined): boolean => char === " " || char === "\t" || char === "\r" || char === "\n";
const isLetter = (char: string): boolean => char !== "" && LETTER.test(char);

/** The tokens of a Go template. The list ends with `eof`, or with the `error` token of the first thing no token begins with. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly source: string;
  readonly tokens: Token[] = [];
  start = 0;
  pos = 0;
  /** Line of `start`; kept up to date by `emit` and `ignore`. */
  line = 1;
  parens = 0;

  constructor(source: string) {
    this.source = source;
  }

  run(): Token[] {
    while (this.text() && this.action());
    return this.tokens;
  }

  /** Text up to the next action; false at the end of the source. */
  text(): boolean {
    const found = this.source.indexOf(LEFT, this.pos);
    if (found < 0) {
      this.pos = this.source.length;
      if (this.pos > this.start) this.emit("text");
      this.emit("eof");
      return false;
    }
    const trimmed = this.source[found + 2] === "-" && isSpace(this.source[found + 3]);
    this.pos = trimmed ? trimEnd(this.source, this.start, found) : found;
    if (this.pos > this.start) this.emit("text");
    this.pos = found;
    this.ignore();
    return true;
  }

  /** One action or comment, delimiters included; false after an error. */
  action(): boolean {
    const trim = this.source[this.pos + 2] === "-" && isSpace(this.source[this.pos + 3]) ? TRIM_LENGTH : 0;
    if (this.source.startsWith("/*", this.pos + 2 + trim)) return this.comment(trim);
    this.pos += 2;
    this.emit("leftDelim");
    this.pos += trim;
    this.ignore();
    this.parens = 0;
    for (;;) {
      const next = this.inside();
      if (next !== "inside") return next === "closed";
    }
  }

  comment(trim: number): boolean {
    this.pos += 2 + trim;
    this.ignore();
    const end = this.source.indexOf("*/", this.pos + 2);
    if (end < 0) return this.fail("unclosed comment");
    this.pos = end + 2;
    if (this.rightDelim() === undefined) return this.fail("comment ends before closing delimiter");
    this.close();
    return true;
  }

  /** Whether `pos` is at `}}`, or at ` -}}` which also trims the text behind it. */
  rightDelim(at = this.pos): "plain" | "trim" | undefined {
    if (isSpace(this.source[at]) && this.source[at + 1] === "-" && this.source.startsWith(RIGHT, at + TRIM_LENGTH))
      return "trim";
    return this.source.startsWith(RIGHT, at) ? "plain" : undefined;
  }

  /** Steps over the closing delimiter without a token. */
  close(): void {
    const trims = this.rightDelim() === "trim";
    this.pos += (trims ? TRIM_LENGTH : 0) + 2;
    while (trims && isSpace(this.source[this.pos])) this.pos++;
    this.ignore();
  }

  closeWithToken(): "closed" {
    const trims = this.rightDelim() === "trim";
    if (trims) {
      this.pos += TRIM_LENGTH;
      this.ignore();
    }
    this.pos += 2;
    this.emit("rightDelim");
    while (trims && isSpace(this.source[this.pos])) this.pos++;
    this.ignore();
    return "closed";
  }

  inside(): "inside" | "closed" | "failed" {
    if (this.rightDelim() !== undefined) {
      return this.parens === 0 ? this.closeWithToken() : this.refuse("unclosed left paren");
    }
    const char = this.next();
    if (char === "") return this.refuse("unclosed action");
    if (isSpace(char)) return this.space();
    switch (char) {
      case "=":
        return this.token("assign");
      case ":":
        return this.next() === "=" ? this.token("declare") : this.refuse("expected :=");
      case "|":
        return this.token("pipe");
      case '"':
        return this.quoted('"', "string", "unterminated quoted string");
      case "'":
        return this.quoted("'", "charConstant", "unterminated character constant");
      case "`":
        return this.raw();
      case "$":
        return this.word("variable", "variable");
      case "(":
        this.parens++;
        return this.token("leftParen");
      case ")":
        return --this.parens < 0 ? this.refuse("unexpected right paren") : this.token("rightParen");
    }
    if (char === "." && this.pos < this.source.length && !/[0-9]/.test(this.peek())) return this.word("field", "dot");
    if (/[-+.0-9]/.test(char)) return this.number();
    if (isLetter(char)) return this.identifier();
    if (PRINTABLE_ASCII.test(char)) return this.token("char");
    return this.refuse(`unrecognized character in action: ${describeChar(char)}`);
  }

  space(): "inside" | "closed" {
    this.pos = this.start;
    let count = 0;
    while (isSpace(this.source[this.pos])) {
      if (this.rightDelim() === "trim") break;
      this.pos++;
      count++;
    }
    if (count === 0) return this.closeWithToken(); // the only blank belongs to the trim marker
    return this.token("space");
  }

  /** A field or variable; `bare` is the token of a lone `.` or `$`. */
  word(type: "field" | "variable", bare: TokenType): "inside" | "failed" {
    if (this.atTerminator()) return this.token(bare);
    return this.letters() ? this.token(type) : this.refuse(`bad character ${describeChar(this.peek())}`);
  }

  identifier(): "inside" | "failed" {
    if (!this.letters()) return this.refuse(`bad character ${describeChar(this.peek())}`);
    const word = this.source.slice(this.start, this.pos);
    if (KEYWORDS.has(word)) return this.token(word as Keyword);
    return this.token(word === "true" || word === "false" ? "bool" : "identifier");
  }

  /** Takes letters and digits; false when what follows cannot end a word. */
  letters(): boolean {
    while (isLetter(this.peek())) this.next();
    return this.atTerminator();
  }

  atTerminator(): boolean {
    const char = this.peek();
    return char === "" || isSpace(char) || ".,|:()".includes(char) || this.source.startsWith(RIGHT, this.pos);
  }

  quoted(mark: string, type: TokenType, complaint: string): "inside" | "failed" {
    for (;;) {
      let char = this.next();
      if (char === mark) return this.token(type);
      if (char === "\\") {
        char = this.next();
        if (char !== "" && char !== "\n") continue;
      }
      if (char === "" || char === "\n") return this.refuse(complaint);
    }
  }

  raw(): "inside" | "failed" {
    const end = this.source.indexOf("`", this.pos);
    if (end < 0) return this.refuse("unterminated raw quoted string");
    this.pos = end + 1;
    return this.token("rawString");
  }

  number(): "inside" | "failed" {
    this.pos = this.start;
    if (!this.scanNumber()) return this.badNumber();
    if (this.peek() !== "+" && this.peek() !== "-") return this.token("number");
    if (!this.scanNumber() || this.source[this.pos - 1] !== "i") return this.badNumber();
    return this.token("complex");
  }

  badNumber(): "failed" {
    return this.refuse(`bad number syntax: "${this.source.slice(this.start, this.pos)}"`);
  }

  /** The widest thing that looks like a number; what it means is the parser's business. */
  scanNumber(): boolean {
    const shape =
      /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y;
    shape.lastIndex = this.pos;
    this.pos += shape.exec(this.source)?.[0].length ?? 0;
    if (!isLetter(this.peek())) return true;
    this.next();
    return false;
  }

  peek(): string {
    const code = this.source.codePointAt(this.pos);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  next(): string {
    const char = this.peek();
    this.pos += char.length;
    return char;
  }

  token(type: TokenType): "inside" {
    this.emit(type);
    return "inside";
  }

  emit(type: TokenType): void {
    this.tokens.push({ type, pos: this.start, value: this.source.slice(this.start, this.pos), line: this.line });
    this.ignore();
  }

  ignore(): void {
    for (let at = this.start; at < this.pos; at++) if (this.source.charCodeAt(at) === 10) this.line++;
    this.start = this.pos;
  }

  refuse(complaint: string): "failed" {
    this.tokens.push({ type: "error", pos: this.start, value: complaint, line: this.line });
    return "failed";
  }

  fail(complaint: string): false {
    this.refuse(complaint);
    return false;
  }
}

function trimEnd(source: string, start: number, end: number): number {
  while (end > start && isSpace(source[end - 1])) end--;
  return end;
}

/** Go's `%#U`: `U+0023 '#'`, without the character when it cannot be seen. */
function describeChar(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char) ? `U+${code} '${char}'` : `U+${code}`;
}
