import type { Definition } from "./ast.ts";
import { quote } from "./format/quote.ts";
import { isKeyword, type Token, type TokenType } from "./lexer.ts";
import { placeOf, TemplateError, type TemplateStage } from "./template-error.ts";

export interface ParseOptions {
  /** Names the source in messages: "subject", "content". */
  name: string;
  /** Names that may be called. */
  functions: ReadonlySet<string>;
  /** Blocks inside one another, beyond which a source is refused. */
  nesting: number;
  /** Tokens, beyond which a source is refused. */
  maxTokens: number;
}

/** What the parsers of one source's templates have in common. */
export interface SharedSource {
  source: string;
  options: ParseOptions;
  tokens: Token[];
  /** Index of the next token. */
  at: number;
  definitions: Map<string, Definition>;
  /** Blocks open. */
  depth: number;
}

/** Reads tokens with any look-ahead, and complains in Go's words. */
export class TokenReader {
  readonly shared: SharedSource;
  /** Line on which the action being read began; 0 between actions. */
  actionLine = 0;
  /** The furthest token read: where Go places an error. */
  latest: Token = { type: "eof", pos: 0, value: "", line: 1 };

  constructor(shared: SharedSource) {
    this.shared = shared;
  }

  peek(): Token {
    const last = this.shared.tokens.length - 1;
    const token = this.shared.tokens[Math.min(this.shared.at, last)] as Token;
    if (token.pos >= this.latest.pos) this.latest = token;
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.shared.at++;
    return token;
  }

  peekNonSpace(): Token {
    while (this.peek().type === "space") this.shared.at++;
    return this.peek();
  }

  nextNonSpace(): Token {
    this.peekNonSpace();
    return this.next();
  }

  expect(type: TokenType, context: string): Token {
    const token = this.nextNonSpace();
    return token.type === type ? token : this.unexpected(token, context);
  }

  unexpected(token: Token, context: string): never {
    if (token.type !== "error") return this.fail(`unexpected ${tokenText(token)} in ${context}`, token);
    let started = "";
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      started = `${token.value.endsWith(" action") ? "" : " in action"} started at ${this.shared.options.name}:${this.actionLine}`;
    }
    return this.fail(token.value + started, token);
  }

  /** `problem` is Go's text; `advice` replaces it for people. Go places errors at the furthest token read, by line alone. */
  fail(problem: string, token = this.latest, stage: TemplateStage = "parse", advice = problem): never {
    const { name } = this.shared.options;
    throw new TemplateError(name, {
      stage,
      problem: advice,
      ...placeOf(this.shared.source, token.pos),
      goMessage: `template: ${name}:${this.latest.line}: ${problem}`,
    });
  }
}

/** A token as Go shows it in "unexpected … in …". */
function tokenText({ type, value }: Token): string {
  if (type === "eof") return "EOF";
  if (isKeyword(type)) return `<${value}>`;
  return [...value].length > 10 ? `${quote([...value].slice(0, 10).join(""))}...` : quote(value);
}
