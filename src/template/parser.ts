import type { BranchNode, Definition, Statement, TemplateNode } from "./ast.ts";
import { quote } from "./format/quote.ts";
import { tokenize } from "./lexer.ts";
import { PipelineParser } from "./pipeline-parser.ts";
import type { ParseOptions, SharedSource } from "./token-reader.ts";

/**
 * Parses one source into its named templates, the source itself under `options.name` and first.
 * Follows text/template/parse: same grammar, same messages. @throws TemplateError stage "parse" or "limit"
 */
export function parseTemplate(source: string, options: ParseOptions): Map<string, Definition> {
  const shared: SharedSource = { source, options, tokens: tokenize(source), at: 0, definitions: new Map(), depth: 0 };
  shared.definitions.set(options.name, { name: options.name, body: [] });
  const parser = new Parser(shared);
  const excess = shared.tokens[options.maxTokens];
  if (excess !== undefined) parser.fail(`more than ${options.maxTokens} words and signs in actions`, excess, "limit");
  parser.add(options.name, parser.top());
  return shared.definitions;
}

/** How a list of statements ended. */
interface Terminator {
  type: "end" | "else";
  pos: number;
}

/** Parses one template; `define` and `block` start another one on the same tokens, with variables and loops of its own. */
class Parser extends PipelineParser {
  loops = 0;

  top(): Statement[] {
    const body: Statement[] = [];
    while (this.peek().type !== "eof") {
      if (this.peek().type === "leftDelim" && this.definition()) continue;
      const node = this.statement();
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
      if (isTerminator(node)) {
        this.shared.depth--;
        return { body, end: node };
      }
      body.push(node);
    }
    return this.fail("unexpected EOF");
  }

  statement(): Statement | Terminator {
    const token = this.nextNonSpace();
    if (token.type === "text") return { type: "text", pos: token.pos, text: token.value };
    if (token.type !== "leftDelim") return this.unexpected(token, "input");
    this.actionLine = token.line;
    const node = this.action();
    this.actionLine = 0;
    return node;
  }

  action(): Statement | Terminator {
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
}

const isTerminator = (node: Statement | Terminator): node is Terminator => node.type === "end" || node.type === "else";

const isBlank = (body: Statement[]): boolean => body.every((node) => node.type === "text" && /^\s*$/.test(node.text));
