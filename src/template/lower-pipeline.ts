import type { CommandNode, Operand, PipeNode } from "./ast.ts";
import type { ParameterType } from "./functions/function.ts";
import { FUNCTIONS } from "./functions/registry.ts";
import * as hbs from "./hbs.ts";
import { nodeText } from "./node-text.ts";
import type { Site, Unit } from "./unit.ts";
import { GoNumber, type Value } from "./values.ts";

export type Expression = globalThis.hbs.AST.Expression;

/** Helpers for one and for two fields of the dot. */
export const FIELD_HELPERS = [undefined, "$field", "$field2"];

/** Turns pipelines into nested helper calls; see helpers.ts for what each helper takes. */
export class PipelineLowering {
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
