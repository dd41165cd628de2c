import type { CommandNode, Operand, PipeNode, VariableNode } from "./ast.ts";
import { quote } from "./format/quote.ts";
import { SAFE_HTML, SAFE_HTML_REFUSED } from "./functions/safe-html.ts";
import type { Token, TokenType } from "./lexer.ts";
import { parseNumber, unquote } from "./literals.ts";
import { suggest } from "./suggest.ts";
import { TokenReader } from "./token-reader.ts";

/** Parentheses inside one another. Go allows 10,000; beyond this a JavaScript stack would not do. */
const MAX_PARENS = 1200;

/** Parses what stands inside an action: pipelines, commands and their operands. */
export class PipelineParser extends TokenReader {
  /** Variables that may be read. */
  variables: string[] = ["$"];
  parens = 0;

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
    const advice = token.value === SAFE_HTML ? SAFE_HTML_REFUSED : `unknown function ${quote(token.value)}${hint}`;
    this.fail(`function ${quote(token.value)} not defined`, token, "parse", advice);
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

function termText(node: Operand): string {
  if (node.type === "string") return node.quoted;
  if (node.type === "number") return node.text;
  if (node.type === "bool") return String(node.value);
  return node.type === "nil" ? "nil" : ".";
}
