import type {
  BranchNode,
  CommandNode,
  Definition,
  Operand,
  PipeNode,
  Statement,
  TemplateNode,
  VariableNode,
} from "./ast.ts";
import { quote } from "./format/quote.ts";
import { isKeyword, type Token, type TokenType, tokenize } from "./lexer.ts";
import { parseNumber, unquote } from "./literals.ts";
import { suggest } from "./suggest.ts";
import { placeOf, TemplateError, type TemplateStage } from "./template-error.ts";

export interface ParseOptions {
  /** Names the source in messages: "subject", "content". */
  name: string;
  /** Names that may be called. */
  functions: ReadonlySet<string>;
  /** Blocks inside one another, beyond which a source is refused. */
  nesting: number;
}

/** Parentheses inside one another. Go allows 10,000; beyond this a JavaScript stack would not do. */
const MAX_PARENS = 1200;

/**
 * Parses one source into its named templates, the source itself under `options.name` and first.
 * Follows text/template/parse: same grammar, same messages. @throws TemplateError stage "parse" or "limit"
 */
export function parseTemplate(source: string, options: ParseOptions): Map<string, Definition> {
  const shared: Shared = { source, options, tokens: tokenize(source), at: 0, definitions: new Map(), depth: 0 };
  shared.definitions.set(options.name, { name: options.name, body: [] });
  const parser = new Parser(shared);
  parser.add(options.name, parser.top());
  return shared.definitions;
}

interface Shared {
  source: string;
  options: ParseOptions;
  tokens: Token[];
  at: number;
  definitions: Map<string, Definition>;
  depth: number;
}

/** How a list of statements ended. */
interface Terminator {
  type: "end" | "else";
  pos: number;
}

/** Parses one template; `define` and `block` start another one on the same tokens, with variables and loops of its own. */
class Parser {
  readonly shared: Shared;
  variables: string[] = ["$"];
  loops = 0;
  parens = 0;
  /** Line on which the action being read began; 0 between actions. */
  actionLine = 0;
  /** The furthest token read: where Go places an error. */
  latest: Token = { type: "eof", pos: 0, value: "", line: 1 };

  constructor(shared: Shared) {
    this.shared = shared;
  }

  top(): Statement[] {
    const body: Statement[] = [];
    while (this.peek().type !== "eof") {
      if (this.peek().type === "leftDelim" && this.definition()) continue;
      const node = this.statement();
      if (node === undefined) continue;
      if (isTerminator(node)) this.fail(`unexpected {{${node.type}}}`);
      body.push(node);
    }
    return body;
  }

  /** Reads a `define`, if one is next. */
  definition(): boolean {
    const back = this.shared.at;
    this.next();
    if (this.nextNonSpace().type !== "define") {
      this.shared.at = back;
      return false;
    }
    const inner = new Parser(this.shared);
    const context = "define clause";
    const name = inner.templateName(inner.nextNonSpace(), context);
    inner.expect("rightDelim", context);
    inner.add(name, inner.bodyOf(context, inner));
    return true;
  }

  /** Reads the body of a `define` or `block` up to its `end`; `complaining` says where Go places an `else` instead. */
  bodyOf(context: string, complaining: Parser): Statement[] {
    const { body, end } = this.list();
    return end.type === "end" ? body : complaining.fail(`unexpected {{${end.type}}} in ${context}`);
  }

  /** A name may be defined once; blank definitions do not count. */
  add(name: string, body: Statement[]): void {
    const known = this.shared.definitions.get(name);
    if (known === undefined || isBlank(known.body)) this.shared.definitions.set(name, { name, body });
    else if (!isBlank(body)) this.fail(`template: multiple definition of template ${quote(name)}`);
  }

  list(): { body: Statement[]; end: Terminator } {
    if (++this.shared.depth > this.shared.options.nesting) {
      this.fail(`blocks are nested deeper than ${this.shared.options.nesting}`, this.latest, "limit");
    }
    const body: Statement[] = [];
    while (this.peekNonSpace().type !== "eof") {
      const node = this.statement();
      if (node === undefined) continue;
      if (isTerminator(node)) {
        this.shared.depth--;
        return { body, end: node };
      }
      body.push(node);
    }
    return this.fail("unexpected EOF");
  }

  statement(): Statement | Terminator | undefined {
    const token = this.nextNonSpace();
    if (token.type === "text") return { type: "text", pos: token.pos, text: token.value };
    if (token.type !== "leftDelim") return this.unexpected(token, "input");
    this.actionLine = token.line;
    const node = this.action();
    this.actionLine = 0;
    return node;
  }

  action(): Statement | Terminator | undefined {
    const token = this.peekNonSpace();
    switch (token.type) {
      case "if":
      case "with":
      case "range":
        this.next();
        return this.control(token.type);
      case "else":
        this.next();
        return this.elseClause();
      case "end":
        this.next();
        return { type: "end", pos: this.expect("rightDelim", "end").pos };
      case "block":
        this.next();
        return this.block();
      case "template":
        this.next();
        return this.template();
      case "break":
      case "continue":
        this.next();
        return this.jump(token.type, token.pos);
      default:
        return { type: "action", pos: token.pos, pipe: this.pipeline("command", "rightDelim") };
    }
  }

  jump(type: "break" | "continue", pos: number): Statement {
    const token = this.nextNonSpace();
    if (token.type !== "rightDelim") this.unexpected(token, `{{${type}}}`);
    if (this.loops === 0) this.fail(`{{${type}}} outside {{range}}`);
    return { type, pos };
  }

  control(type: "if" | "with" | "range"): BranchNode {
    const outer = this.variables.length;
    const pipe = this.pipeline(type, "rightDelim");
    if (type === "range") this.loops++;
    const { body, end } = this.list();
    if (type === "range") this.loops--;
    const otherwise = end.type === "else" ? this.otherwise(type) : undefined;
    this.variables.length = outer;
    return { type, pos: pipe.pos, pipe, body, otherwise };
  }

  /** What follows `else`; `else if` and `else with` share the `end` of the clause they continue. */
  otherwise(type: "if" | "with" | "range"): Statement[] {
    if (type !== "range" && this.peek().type === type) {
      if (++this.shared.depth > this.shared.options.nesting) {
        this.fail(`blocks are nested deeper than ${this.shared.options.nesting}`, this.latest, "limit");
      }
      this.next();
      const chained = this.control(type);
      this.shared.depth--;
      return [chained];
    }
    const { body, end } = this.list();
    if (end.type !== "end") this.fail(`expected end; found {{${end.type}}}`);
    return body;
  }

  elseClause(): Terminator {
    const token = this.peekNonSpace();
    if (token.type === "if" || token.type === "with") return { type: "else", pos: token.pos };
    return { type: "else", pos: this.expect("rightDelim", "else").pos };
  }

  block(): TemplateNode {
    const context = "block clause";
    const token = this.nextNonSpace();
    const name = this.templateName(token, context);
    const pipe = this.pipeline(context, "rightDelim");
    const inner = new Parser(this.shared);
    inner.add(name, inner.bodyOf(context, this));
    return { type: "template", pos: token.pos, name, pipe };
  }

  template(): TemplateNode {
    const context = "template clause";
    const token = this.nextNonSpace();
    const name = this.templateName(token, context);
    if (this.peekNonSpace().type === "rightDelim") {
      this.next();
      return { type: "template", pos: token.pos, name, pipe: undefined };
    }
    return { type: "template", pos: token.pos, name, pipe: this.pipeline(context, "rightDelim") };
  }

  templateName(token: Token, context: string): string {
    if (token.type !== "string" && token.type !== "rawString") return this.unexpected(token, context);
    return this.unquoted(token);
  }

  unquoted(token: Token): string {
    return unquote(token.value) ?? this.fail("invalid syntax", token);
  }

  pipeline(context: string, end: TokenType): PipeNode {
    const pipe: PipeNode = { type: "pipe", pos: this.peekNonSpace().pos, variables: [], assign: false, commands: [] };
    while (this.declaration(pipe, context));
    for (;;) {
      const token = this.peekNonSpace();
      if (token.type === end) {
        this.next();
        this.checkPipeline(pipe, context);
        return pipe;
      }
      if (!STARTS_OPERAND.has(token.type)) {
        this.next();
        this.unexpected(token, context);
      }
      pipe.commands.push(this.command());
    }
  }

  /** Reads `$x :=`, `$x =` or, in a range, `$x,`; true when another variable may follow. */
  declaration(pipe: PipeNode, context: string): boolean {
    const variable = this.peekNonSpace();
    if (variable.type !== "variable") return false;
    const back = this.shared.at;
    this.next();
    const next = this.peekNonSpace();
    const comma = next.type === "char" && next.value === ",";
    if (next.type !== "assign" && next.type !== "declare" && !comma) {
      this.shared.at = back;
      return false;
    }
    pipe.assign = next.type === "assign";
    this.next();
    pipe.variables.push({ type: "variable", pos: variable.pos, name: variable.value, fields: [] });
    this.variables.push(variable.value);
    if (!comma) return false;
    if (context !== "range" || pipe.variables.length >= 2) return this.fail(`too many declarations in ${context}`);
    const type = this.peekNonSpace().type;
    if (type === "variable" || type === "rightDelim" || type === "rightParen") return true;
    return this.fail("range can only initialize variables");
  }

  checkPipeline(pipe: PipeNode, context: string): void {
    if (pipe.commands.length === 0) this.fail(`missing value for ${context}`);
    for (const [index, command] of pipe.commands.entries()) {
      const first = command.args[0]?.type ?? "";
      if (index > 0 && VALUES.has(first)) this.fail(`non executable command in pipeline stage ${index + 1}`);
    }
  }

  command(): CommandNode {
    const args: Operand[] = [];
    const pos = this.peekNonSpace().pos;
    for (;;) {
      this.peekNonSpace();
      const operand = this.operand();
      if (operand !== undefined) args.push(operand);
      const token = this.next();
      if (token.type === "space") continue;
      if (token.type === "rightDelim" || token.type === "rightParen") this.shared.at--;
      else if (token.type !== "pipe") this.unexpected(token, "operand");
      break;
    }
    if (args.length === 0) this.fail("empty command");
    return { type: "command", pos, args };
  }

  /** A term with the fields chained to it. */
  operand(): Operand | undefined {
    const node = this.term();
    const first = this.peek();
    if (node === undefined || first.type !== "field") return node;
    const fields: string[] = [];
    while (this.peek().type === "field") fields.push(this.next().value.slice(1));
    switch (node.type) {
      case "field":
        return { type: "field", pos: first.pos, fields: [...node.fields, ...fields] };
      case "variable":
        return { type: "variable", pos: first.pos, name: node.name, fields };
      case "identifier":
      case "pipe":
        return { type: "chain", pos: first.pos, node, fields };
      default:
        return this.fail(`unexpected . after term ${quote(termText(node))}`);
    }
  }

  term(): Operand | undefined {
    const token = this.peekNonSpace();
    const { pos, value } = token;
    if (STARTS_OPERAND.has(token.type)) this.next();
    switch (token.type) {
      case "identifier":
        this.checkFunction(token);
        return { type: "identifier", pos, name: value };
      case "dot":
      case "nil":
        return { type: token.type, pos };
      case "variable":
        return this.variable(token);
      case "field":
        return { type: "field", pos, fields: [value.slice(1)] };
      case "bool":
        return { type: "bool", pos, value: value === "true" };
      case "charConstant":
      case "complex":
      case "number":
        return this.number(token, token.type);
      case "string":
      case "rawString":
        return { type: "string", pos, quoted: value, value: this.unquoted(token) };
      case "leftParen":
        return this.parenthesis();
      default:
        return undefined;
    }
  }

  checkFunction(token: Token): void {
    const { functions } = this.shared.options;
    if (functions.has(token.value)) return;
    const near = suggest(token.value, functions);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    this.fail(
      `function ${quote(token.value)} not defined`,
      token,
      "parse",
      `unknown function ${quote(token.value)}${hint}`,
    );
  }

  variable(token: Token): VariableNode {
    if (!this.variables.includes(token.value)) this.fail(`undefined variable ${quote(token.value)}`, token);
    return { type: "variable", pos: token.pos, name: token.value, fields: [] };
  }

  number(token: Token, type: "number" | "complex" | "charConstant"): Operand {
    try {
      return { type: "number", pos: token.pos, text: token.value, constant: parseNumber(token.value, type) };
    } catch (error) {
      return this.fail(error instanceof Error ? error.message : String(error), token);
    }
  }

  parenthesis(): PipeNode {
    if (this.parens >= MAX_PARENS) this.fail("max expression depth exceeded", this.latest, "limit");
    this.parens++;
    const pipe = this.pipeline("parenthesized pipeline", "rightParen");
    this.parens--;
    return pipe;
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

const STARTS_OPERAND: ReadonlySet<TokenType> = new Set<TokenType>([
  "bool",
  "charConstant",
  "complex",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "leftParen",
]);

/** Operands that cannot take a piped value. */
const VALUES: ReadonlySet<string> = new Set(["bool", "dot", "nil", "number", "string"]);

const isTerminator = (node: Statement | Terminator): node is Terminator => node.type === "end" || node.type === "else";

const isBlank = (body: Statement[]): boolean => body.every((node) => node.type === "text" && /^\s*$/.test(node.text));

function termText(node: Operand): string {
  if (node.type === "string") return node.quoted;
  if (node.type === "number") return node.text;
  if (node.type === "bool") return String(node.value);
  return node.type === "nil" ? "nil" : ".";
}

/** A token as Go shows it in "unexpected … in …". */
function tokenText({ type, value }: Token): string {
  if (type === "eof") return "EOF";
  if (isKeyword(type)) return `<${value}>`;
  return [...value].length > 10 ? `${quote([...value].slice(0, 10).join(""))}...` : quote(value);
}
