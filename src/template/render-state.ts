import type { CommandNode, Node } from "./ast.ts";
import { blameOf } from "./blame.ts";
import type { TemplateLimits } from "./limits.ts";
import { nodeText } from "./node-text.ts";
import { placeOf, TemplateError } from "./template-error.ts";
import type { Site, Unit } from "./unit.ts";
import type { Value } from "./values.ts";

/** Runs one definition with a dot of its own. */
export type RunTemplate = (dot: Value, state: RenderState) => string;

/**
 * A failure on its way to the action it belongs to. Handlebars evaluates every argument before a call, Go's `and` and `or`
 * stop early: so a failed argument is a value, and only who really takes it throws it.
 */
export class Failure {
  readonly node: Node;
  readonly template: string;
  readonly problem: string;

  constructor(node: Node, template: string, problem: string) {
    this.node = node;
    this.template = template;
    this.problem = problem;
  }
}

const WORK_PER_LOOK = 256;
const CHARS_PER_WORK = 64;

/** All that changes while one template renders: variables, jumps and what it has used up. Helpers find it as Handlebars' `data`. */
export class RenderState {
  readonly unit: Unit;
  readonly limits: TemplateLimits;
  readonly templates: ReadonlyMap<string, RunTemplate>;
  readonly now = Date.now();
  /** Variables of the running definition, by slot; `$` is the first. */
  vars: Value[] = [];
  /** By slot: whether the variable holds an element as `range` found it, whose Go type is `interface {}`. */
  elements: boolean[] = [];
  /** Set by `break` and `continue` until their loop takes notice. */
  jump: "break" | "continue" | undefined;
  readonly stops = new Map<CommandNode, number>();
  private readonly deadline: number;
  private depth = 0;
  private iterations = 0;
  private work = 0;

  constructor(unit: Unit, templates: ReadonlyMap<string, RunTemplate>, limits: TemplateLimits) {
    this.unit = unit;
    this.templates = templates;
    this.limits = limits;
    this.deadline = performance.now() + limits.renderMs;
  }

  site(id: number): Site {
    return this.unit.sites[id] as Site;
  }

  /** A failure that blames the site itself, or what was evaluated last within `node`. */
  failure(id: number, problem: string, node?: Node): Failure {
    const site = this.site(id);
    return new Failure(node === undefined ? site.node : blameOf(node, this.stops), site.template, problem);
  }

  /** Throws a failure that nobody skipped. */
  settle(value: Value | Failure): Value {
    if (value instanceof Failure) throw this.error(value);
    return value;
  }

  error({ node, template, problem }: Failure): TemplateError {
    const { name, source } = this.unit;
    const place = placeOf(source, node.pos);
    const where = `template: ${name}:${place.line}:${place.byteColumn}: executing "${template}" at <${nodeText(node)}>`;
    return new TemplateError(name, {
      stage: "exec",
      problem: `${nodeText(node)}: ${problem}`,
      ...place,
      goMessage: `${where}: ${problem}`,
    });
  }

  limit(id: number, problem: string, goProblem = problem): TemplateError {
    const { node, template } = this.site(id);
    const { goMessage } = this.error(new Failure(node, template, goProblem));
    const { name, source } = this.unit;
    return new TemplateError(name, { stage: "limit", problem, ...placeOf(source, node.pos), goMessage });
  }

  /** Counts what was written or made, and now and then looks at the clock. */
  spend(id: number, characters: number): void {
    if (characters > this.limits.outputBytes)
      throw this.limit(id, `more than ${this.limits.outputBytes} bytes of text`);
    this.work += 1 + characters / CHARS_PER_WORK;
    if (this.work > WORK_PER_LOOK) this.look(id);
  }

  private look(id: number): void {
    this.work = 0;
    if (performance.now() > this.deadline)
      throw this.limit(id, `rendering takes longer than ${this.limits.renderMs} ms`);
  }

  /** Gives a variable a value; `isElement` as {@link elements} has it. */
  set(slot: number, value: Value, isElement: boolean): void {
    this.vars[slot] = value;
    this.elements[slot] = isElement;
  }

  /** The jump that ended a turn, which its loop has now taken notice of. */
  takeJump(): "break" | "continue" | undefined {
    const { jump } = this;
    this.jump = undefined;
    return jump;
  }

  /** Counts a turn of a loop that has written so many characters. */
  turn(id: number, characters: number): void {
    if (++this.iterations > this.limits.iterations)
      throw this.limit(id, `more than ${this.limits.iterations} turns of range`);
    if (characters > this.limits.outputBytes)
      throw this.limit(id, `more than ${this.limits.outputBytes} bytes of text`);
    this.spend(id, 0);
  }

  /** Runs a definition with fresh variables. */
  run(id: number, name: string, dot: Value): string {
    const run = this.templates.get(name);
    if (run === undefined) throw new Error(`template ${name} was not compiled`);
    if (++this.depth > this.limits.depth) {
      throw this.limit(
        id,
        `templates call one another deeper than ${this.limits.depth}`,
        "exceeded maximum template depth (100000)",
      );
    }
    const { vars, elements } = this;
    this.vars = [dot];
    this.elements = [];
    const out = run(dot, this);
    this.vars = vars;
    this.elements = elements;
    this.depth--;
    this.spend(id, out.length);
    return out;
  }
}
