import type { ActionNode, BranchNode, Definition, Statement, TemplateNode } from "./ast.ts";
import { quote } from "./format/quote.ts";
import * as hbs from "./hbs.ts";
import { type Expression, FIELD_HELPERS, PipelineLowering } from "./lower-pipeline.ts";
import type { Unit } from "./unit.ts";

type HbsStatement = globalThis.hbs.AST.Statement;

/**
 * Turns one definition into a Handlebars program. Pipelines become nested helper calls, control structures block helpers;
 * see helpers.ts for what each helper takes. Places that can fail are entered into `unit.sites`.
 */
export function lowerDefinition(
  definition: Definition,
  unit: Unit,
  known: ReadonlySet<string>,
): globalThis.hbs.AST.Program {
  return hbs.program(new Lowering(definition.name, unit, known).list(definition.body));
}

class Lowering extends PipelineLowering {
  /** Statements behind one that may `break` or `continue` run only if it did not. */
  list(nodes: Statement[]): HbsStatement[] {
    const out: HbsStatement[] = [];
    for (const [index, node] of nodes.entries()) {
      out.push(this.statement(node));
      if (node.type === "break" || node.type === "continue") break;
      if (!mayJump(node)) continue;
      const rest = this.list(nodes.slice(index + 1));
      if (rest.length > 0) out.push(hbs.block("$proceed", [hbs.dotPath()], rest));
      break;
    }
    return out;
  }

  statement(node: Statement): HbsStatement {
    switch (node.type) {
      case "text":
        return hbs.text(node.text);
      case "action":
        return this.action(node);
      case "if":
        return this.branch(node, this.dotIsElement);
      case "with":
        return this.branch(node, false);
      case "range":
        return this.range(node);
      case "template":
        return this.templateCall(node);
      case "break":
      case "continue":
        return hbs.mustache("$jump", [hbs.string(node.type)]);
    }
  }

  action(node: ActionNode): HbsStatement {
    const value = this.pipe(node.pipe);
    if (node.pipe.variables.length > 0) return hbs.mustache("$silent", [value]);
    const direct = directHelper(value, node.escapers);
    if (direct !== undefined) return hbs.mustache(direct, (value as globalThis.hbs.AST.SubExpression).params);
    const site = this.site({ node: node.pipe });
    if (node.escapers === undefined) return hbs.mustache("$show", [value, site]);
    return hbs.mustache("$escape", [value, ...node.escapers.map(hbs.string), site]);
  }

  branch(node: BranchNode, bodyDotIsElement: boolean): HbsStatement {
    return this.scoped(() => {
      const value = this.pipe(node.pipe);
      const body = this.body(node.body, bodyDotIsElement);
      const otherwise = node.otherwise && this.body(node.otherwise, this.dotIsElement);
      const head = node.type === "with" ? hbs.call("$unwrap", [value]) : value;
      return hbs.block(node.type, [head, hbs.dotPath()], body, otherwise);
    });
  }

  range(node: BranchNode): HbsStatement {
    return this.scoped(() => {
      const value = this.pipe(node.pipe);
      const slots = node.pipe.variables.map(({ name }) => this.slotOf(name));
      const site = this.site({ node, slots });
      const body = this.body(node.body, true);
      const otherwise = node.otherwise && this.body(node.otherwise, this.dotIsElement);
      return hbs.block("range", [value, hbs.dotPath(), site], body, otherwise);
    });
  }

  templateCall(node: TemplateNode): HbsStatement {
    if (!this.known.has(node.name))
      return hbs.mustache("$silent", [this.fail(node, `template ${quote(node.name)} not defined`)]);
    const value = node.pipe === undefined ? hbs.undefinedLiteral() : this.pipe(node.pipe);
    return hbs.mustache("template", [value, hbs.string(node.name), this.site({ node })]);
  }

  body(nodes: Statement[], dotIsElement: boolean): HbsStatement[] {
    const outer = this.dotIsElement;
    this.dotIsElement = dotIsElement;
    const out = this.scoped(() => this.list(nodes));
    this.dotIsElement = outer;
    return out;
  }

  scoped<T>(run: () => T): T {
    const outer = this.scope.length;
    const result = run();
    this.scope.length = outer;
    return result;
  }
}

const MARKUP_ESCAPERS: ReadonlySet<string> = new Set(["htmlescaper", "rcdataescaper", "attrescaper"]);

/** The helper that reads, escapes and writes a short path in one call, where nothing more is to be done with it. */
function directHelper(value: Expression, escapers: string[] | undefined): string | undefined {
  if (value.type !== "SubExpression") return undefined;
  const { path } = value as globalThis.hbs.AST.SubExpression;
  const name = "original" in path ? FIELD_HELPERS.indexOf(String(path.original)) : -1;
  if (name < 1) return undefined;
  if (escapers === undefined) return name === 1 ? "$showField" : "$showField2";
  const isMarkup = escapers.length === 1 && MARKUP_ESCAPERS.has(escapers[0] ?? "");
  if (!isMarkup) return undefined;
  return name === 1 ? "$markupField" : "$markupField2";
}

/** Whether a statement can end the turn of the loop around it. */
function mayJump(node: Statement): boolean {
  switch (node.type) {
    case "break":
    case "continue":
      return true;
    case "if":
    case "with":
      return node.body.some(mayJump) || (node.otherwise?.some(mayJump) ?? false);
    case "range":
      return node.otherwise?.some(mayJump) ?? false; // a jump in its body is its own
    default:
      return false;
  }
}
