import type {
  ActionNode,
  BranchNode,
  CommandNode,
  Definition,
  Operand,
  PipeNode,
  Statement,
  TemplateNode,
} from "./ast.ts";
import { quote } from "./format/quote.ts";
import type { ParameterType } from "./functions/function.ts";
import { FUNCTIONS } from "./functions/registry.ts";
import * as hbs from "./hbs.ts";
import { nodeText } from "./node-text.ts";
import type { Site, Unit } from "./unit.ts";
import { GoNumber, type Value } from "./values.ts";

type Expression = globalThis.hbs.AST.Expression;
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

class Lowering {
  readonly template: string;
  readonly unit: Unit;
  /** Names of all definitions of the source. */
  readonly known: ReadonlySet<string>;
  /** Declared variables in scope, innermost last. */
  scope: { name: string; slot: number }[] = [{ name: "$", slot: 0 }];
  slots = 1;
  dotIsElement = false;

  constructor(template: string, unit: Unit, known: ReadonlySet<string>) {
    this.template = template;
    this.unit = unit;
    this.known = known;
  }

  site(entry: Omit<Site, "template" | "dotIsElement">): Expression {
    this.unit.sites.push({ template: this.template, dotIsElement: this.dotIsElement, ...entry });
    return hbs.number(this.unit.sites.length - 1);
  }

  fail(node: Site["node"], problem: string, before: Expression[] = []): Expression {
    return hbs.call("$fail", [...before, this.site({ node, problem })]);
  }

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

  slotOf(name: string): number {
    return this.scope.findLast((variable) => variable.name === name)?.slot ?? -1;
  }

  /** A pipeline's value; with variables, one that sets them. */
  pipe(pipe: PipeNode): Expression {
    let value: Expression | undefined;
    for (const [index, command] of pipe.commands.entries()) {
      const piped = value === undefined ? undefined : hbs.call("$unwrap", [value]);
      value = this.command(command, pipe, pipe.commands[index - 1], piped);
    }
    if (value === undefined) throw new Error("a pipeline without commands");
    if (pipe.variables.length === 0) return value;
    const slots = pipe.variables.map(({ name }) => (pipe.assign ? this.slotOf(name) : this.declare(name)));
    return hbs.call("$assign", [value, this.site({ node: pipe, slots })]);
  }

  declare(name: string): number {
    this.scope.push({ name, slot: this.slots });
    return this.slots++;
  }

  command(
    command: CommandNode,
    pipe: PipeNode,
    previous: CommandNode | undefined,
    piped: Expression | undefined,
  ): Expression {
    const [first, ...args] = command.args;
    if (first === undefined) throw new Error("a command without operands");
    if (first.type === "identifier") return this.call(first, command, args, piped);
    const called = args.length > 0 || piped !== undefined;
    if (!called) return first.type === "nil" ? this.fail(first, "nil is not a command") : this.operand(first);
    return this.calledOperand(first, pipe, previous, piped === undefined ? [] : [piped]);
  }

  /** Something that is no function, with arguments: fails, but for fields below something missing. */
  calledOperand(first: Operand, pipe: PipeNode, previous: CommandNode | undefined, piped: Expression[]): Expression {
    if (first.type === "field")
      return this.after(piped, hbs.call("$method", [hbs.dotPath(), this.site({ node: first, withArguments: true })]));
    if (first.type === "chain") {
      return this.after(
        piped,
        hbs.call("$chainMethod", [this.operandValue(first.node), this.site({ node: first, withArguments: true })]),
      );
    }
    if (first.type === "variable" && first.fields.length > 0) {
      const slot = this.slotOf(first.name);
      if (slot < 0) return this.fail(first, `undefined variable: ${first.name}`, piped);
      return this.after(
        piped,
        hbs.call("$variableMethod", [hbs.number(slot), this.site({ node: first, withArguments: true })]),
      );
    }
    const blame = first.type === "pipe" ? (previous ?? pipe) : first;
    return this.fail(blame, `can't give argument to non-function ${nodeText(first)}`, piped);
  }

  /** An expression whose failure yields to that of a piped value, which Go evaluates first. */
  after(piped: Expression[], expression: Expression): Expression {
    return piped.length === 0 ? expression : hbs.call("$after", [...piped, expression]);
  }

  call(
    identifier: Operand & { type: "identifier" },
    command: CommandNode,
    args: Operand[],
    piped: Expression | undefined,
  ): Expression {
    const { name } = identifier;
    const fn = FUNCTIONS.get(name);
    const given = args.length + (piped === undefined ? 0 : 1);
    const before = piped === undefined ? [] : [piped];
    const wrong = wrongCount(
      name,
      given,
      fn === undefined ? 1 : fn.parameters.length,
      fn === undefined || fn.variadic !== undefined,
    );
    if (wrong !== undefined) return this.fail(identifier, wrong, before);
    const types = (index: number): ParameterType =>
      fn === undefined ? "value" : (fn.parameters[index] ?? fn.variadic ?? "any");
    const params = [...args.map((arg, index) => this.argument(arg, types(index))), ...before];
    const slots = args.map((arg) => (arg.type === "variable" ? this.slotOf(arg.name) : undefined));
    const site = this.site({ node: command, call: { name, fn, command, args, piped: piped !== undefined, slots } });
    this.unit.functions.add(name);
    return hbs.call(name, [...params, site]);
  }

  /** An argument of a known type; literals of a wrong one fail when they are reached. */
  argument(node: Operand, type: ParameterType): Expression {
    if (node.type === "nil") {
      return type === "string" || type === "int"
        ? this.fail(node, `cannot assign nil to ${type}`)
        : hbs.undefinedLiteral();
    }
    const literal = node.type === "bool" || node.type === "number" || node.type === "string";
    if (literal && type === "string" && node.type !== "string")
      return this.fail(node, `expected string; found ${nodeText(node)}`);
    if (literal && type === "int" && !(node.type === "number" && node.constant.kind === "int")) {
      return this.fail(node, `expected integer; found ${nodeText(node)}`);
    }
    return this.operandValue(node);
  }

  /** An operand within a command, where an inner pipeline has lost its nil and a lone function is called. */
  operandValue(node: Operand): Expression {
    if (node.type === "pipe") return hbs.call("$unwrap", [this.pipe(node)]);
    if (node.type === "nil") return this.fail(node, "nil is not a command");
    if (node.type === "identifier")
      return this.call(node, { type: "command", pos: node.pos, args: [node] }, [], undefined);
    return this.operand(node);
  }

  operand(node: Operand): Expression {
    switch (node.type) {
      case "dot":
        return hbs.dotPath();
      case "field":
        return hbs.call(FIELD_HELPERS[node.fields.length] ?? "$fields", [
          hbs.dotPath(),
          ...node.fields.map(hbs.string),
          this.site({ node }),
        ]);
      case "variable": {
        const slot = this.slotOf(node.name);
        if (slot < 0) return this.fail(node, `undefined variable: ${node.name}`);
        return hbs.call("$variable", [hbs.number(slot), ...node.fields.map(hbs.string), this.site({ node })]);
      }
      case "chain":
        return hbs.call("$chain", [this.operandValue(node.node), ...node.fields.map(hbs.string), this.site({ node })]);
      case "bool":
        return hbs.boolean(node.value);
      case "string":
        return hbs.string(node.value);
      case "number":
        return this.number(node);
      case "nil":
      case "identifier":
      case "pipe":
        return this.operandValue(node);
    }
  }

  number(node: Operand & { type: "number" }): Expression {
    const { constant } = node;
    if (constant.kind === "overflow") return this.fail(node, `${node.text} overflows int`);
    this.unit.constants.push(numberValue(constant));
    return hbs.call("$constant", [hbs.number(this.unit.constants.length - 1)]);
  }
}

/** Helpers for one and for two fields of the dot. */
const FIELD_HELPERS = [undefined, "$field", "$field2"];

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

function numberValue(constant: Exclude<(Operand & { type: "number" })["constant"], { kind: "overflow" }>): Value {
  if (constant.kind === "complex128") return new GoNumber("complex128", constant.real, constant.imag);
  if (constant.kind === "float64") return new GoNumber("float64", constant.value);
  const small = Number(constant.value);
  return new GoNumber("int", Number.isSafeInteger(small) ? small : constant.value);
}

function wrongCount(name: string, given: number, wanted: number, variadic: boolean): string | undefined {
  if (given === wanted || (variadic && given > wanted)) return undefined;
  return `wrong number of args for ${name}: want ${variadic ? "at least " : ""}${wanted} got ${given}`;
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
