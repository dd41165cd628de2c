import type { ActionNode, BranchNode, Definition, JumpNode, Node, Statement, TemplateNode, TextNode } from "../ast.ts";
import { nodeText } from "../node-text.ts";
import { placeOf, TemplateError } from "../template-error.ts";
import { type Context, describeContext, joinContexts, nameInContext, nudge, sameContext, TEXT } from "./context.ts";
import { escapersFor, misplacedEscaper, withEscapers } from "./escape-action.ts";
import { escapeText, TextError } from "./escape-text.ts";
import { forbiddenPlace } from "./forbidden.ts";
import { disallowedEscaper, LaterFaults, noSuchTemplate } from "./later-fault.ts";

export interface HtmlSource {
  name: string;
  source: string;
}

/**
 * The analysis of html/template: follows the document from the main template through everything it can reach, and gives each
 * action the escapers of the place where it stands. A template used in another place than text is copied for that place.
 * @throws TemplateError stage "escape", also for actions where no value may stand
 */
export function escapeDefinitions(
  definitions: ReadonlyMap<string, Definition>,
  html: HtmlSource,
): Map<string, Definition> {
  const analysis = new Analysis(definitions, html);
  const end = analysis.template(TEXT, html.name, undefined).context;
  if (end.state !== "Text" && end.state !== "Dead") {
    throw analysis.error(`ends in a non-text context: ${describeContext(end)}`, html.source.length, undefined);
  }
  return new Map([...definitions, ...analysis.escaped]);
}

/** Statements as rewritten, and the context behind them. */
interface Escaped<T> {
  context: Context;
  nodes: T;
}

interface Jump {
  kind: JumpNode["type"];
  node: JumpNode;
  context: Context;
}

class Analysis {
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly html: HtmlSource;
  /** Rewritten definitions, by their names in context. */
  escaped = new Map<string, Definition>();
  /** Contexts behind templates, known or assumed while they are being worked out. */
  ends = new Map<string, Context>();
  called = new Set<string>();
  /** Jumps out of the loops around, innermost last. */
  loops: Jump[][] = [];
  readonly laterFaults: LaterFaults;
  /** Errors of courier's own, which no later one replaces. */
  readonly refusals = new Set<TemplateError>();

  constructor(definitions: ReadonlyMap<string, Definition>, html: HtmlSource) {
    this.definitions = definitions;
    this.laterFaults = new LaterFaults(definitions);
    this.html = html;
  }

  error(problem: string, pos: number, blamed: Node | undefined): TemplateError {
    const { name, source } = this.html;
    const place = placeOf(source, pos);
    const where = blamed === undefined ? name : `${name}:${place.line}:${place.byteColumn}`;
    return new TemplateError(name, {
      stage: "escape",
      problem,
      ...place,
      goMessage: `html/template:${where}: ${problem}`,
    });
  }

  list(start: Context, nodes: Statement[]): Escaped<Statement[]> {
    let context = start;
    const out: Statement[] = [];
    for (let index = 0; index < nodes.length; index++) {
      const step = this.step(context, nodes, index);
      context = step.context;
      out.push(step.nodes);
      if (context.state === "Dead") break;
    }
    return { context, nodes: out };
  }

  step(context: Context, nodes: Statement[], index: number): Escaped<Statement> {
    try {
      return this.statement(context, nodes[index] as Statement, nodes[index + 1]);
    } catch (error) {
      if (!(error instanceof TemplateError) || this.refusals.has(error)) throw error;
      const fault = this.laterFaults.last(nodes.slice(index + 1));
      throw fault === undefined ? error : this.error(fault.problem, fault.node.pos, fault.node);
    }
  }

  statement(context: Context, node: Statement, next: Statement | undefined): Escaped<Statement> {
    switch (node.type) {
      case "text":
        return this.text(context, node, next);
      case "action":
        return this.action(context, node);
      case "if":
      case "with":
      case "range":
        return this.branch(context, node);
      case "template": {
        const { context: end, name } = this.template(context, node.name, node);
        return { context: end, nodes: { ...node, name } };
      }
      case "break":
      case "continue":
        this.loops.at(-1)?.push({ kind: node.type, node, context });
        return { context: { ...context, state: "Dead" }, nodes: node };
    }
  }

  /** A script that breaks off right before a value is refused for the value: that is what its author has to mend. */
  text(context: Context, node: TextNode, next: Statement | undefined): Escaped<TextNode> {
    try {
      const escaped = escapeText(context, node.text);
      return { context: escaped.context, nodes: { ...node, text: escaped.text } };
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      if (next?.type === "action" && error.context.state.startsWith("JS")) this.refuseForbidden(error.context, next);
      throw this.error(error.message, node.pos + error.offset, undefined);
    }
  }

  action(before: Context, node: ActionNode): Escaped<ActionNode> {
    if (node.pipe.variables.length > 0) return { context: before, nodes: node };
    const context = nudge(before);
    this.refuseForbidden(context, node);
    const misplaced = misplacedEscaper(node, context);
    if (misplaced !== undefined) throw this.error(disallowedEscaper(misplaced), node.pos, node);
    const escapers = escapersFor(context);
    if (escapers === undefined) {
      throw this.error(`${nodeText(node)} appears in an ambiguous context within a URL`, node.pos, node);
    }
    return { context, nodes: withEscapers(node, escapers) };
  }

  refuseForbidden(context: Context, node: ActionNode): void {
    const forbidden = forbiddenPlace(context);
    if (forbidden === undefined) return;
    const refusal = this.error(`${nodeText(node)} stands ${forbidden}`, node.pos, node);
    this.refusals.add(refusal);
    throw refusal;
  }

  branch(start: Context, node: BranchNode): Escaped<BranchNode> {
    const body = node.type === "range" ? this.loop(start, node) : this.list(start, node.body);
    const otherwise = this.list(start, node.otherwise ?? []);
    const context = this.join(body.context, otherwise.context, node, node.type, "");
    return { context, nodes: { ...node, body: body.nodes, otherwise: node.otherwise && otherwise.nodes } };
  }

  /** A loop's body must be able to run again where it ended, and where a jump left it. */
  loop(start: Context, node: BranchNode): Escaped<Statement[]> {
    this.loops.push([]);
    const first = this.list(start, node.body);
    const once = this.joinJumps(first.context);
    this.loops.push([]);
    const again = this.tentatively(
      () => this.reentry(once, node),
      () => false,
    );
    const both = this.join(once, again.context, node, "range", "on range loop re-entry: ");
    return { context: this.joinJumps(both), nodes: first.nodes };
  }

  reentry(start: Context, node: BranchNode): Escaped<Statement[]> {
    try {
      return this.list(start, node.body);
    } catch (error) {
      if (!(error instanceof TemplateError) || error.stage !== "escape") throw error;
      const { name, source } = this.html;
      const where = error.goMessage.slice(0, error.goMessage.length - error.problem.length - 2);
      const line = where === `html/template:${name}` ? `:${placeOf(source, node.pos).line}` : "";
      const problem = `on range loop re-entry: ${error.problem}`;
      const { stage, column } = error;
      throw new TemplateError(name, {
        stage,
        problem,
        line: error.line,
        column,
        goMessage: `${where}${line}: ${problem}`,
      });
    }
  }

  joinJumps(end: Context): Context {
    const jumps = this.loops.pop() ?? [];
    let context = end;
    for (const kind of ["break", "continue"] as const) {
      for (const jump of jumps.filter((candidate) => candidate.kind === kind)) {
        context = this.join(context, jump.context, jump.node, "range", `at range loop ${kind}: `);
      }
    }
    return context;
  }

  join(a: Context, b: Context, node: Node, keyword: string, when: string): Context {
    const joined = joinContexts(a, b);
    if (joined !== undefined) return joined;
    const problem = `{{${keyword}}} branches end in different contexts: ${describeContext(a)}, ${describeContext(b)}`;
    throw this.error(when + problem, node.pos, node);
  }

  /** The context behind a template called in a context, and the name of its copy for it. */
  template(context: Context, plainName: string, node: TemplateNode | undefined): { context: Context; name: string } {
    const name = nameInContext(plainName, context);
    this.called.add(name);
    const known = this.ends.get(name);
    if (known !== undefined) return { context: known, name };
    const definition = this.definitions.get(plainName);
    if (definition === undefined) throw this.error(noSuchTemplate(plainName), node?.pos ?? 0, node);
    return { context: this.templateEnd(context, name, definition), name };
  }

  /** A recursive template is taken to end as it begins, and if it does not, as it ended then. */
  templateEnd(context: Context, name: string, definition: Definition): Context {
    let end = context;
    for (let attempt = 0; attempt < 2; attempt++) {
      const assumed = end;
      let settled = false;
      this.ends.set(name, assumed);
      const body = this.tentatively(
        () => {
          this.called.delete(name);
          return this.list(context, definition.body);
        },
        (result) => (settled = !this.called.has(name) || sameContext(assumed, result.context)),
      );
      end = body.context;
      if (!settled) continue;
      this.ends.set(name, end);
      this.escaped.set(name, { name, body: body.nodes });
      return end;
    }
    throw this.error(`cannot compute output context for template ${definition.name}`, 0, undefined);
  }

  /** Runs a part of the analysis and forgets what it found about templates unless it is to be kept. */
  tentatively<T>(run: () => T, keep: (result: T) => boolean): T {
    const before = { ends: new Map(this.ends), escaped: new Map(this.escaped), called: new Set(this.called) };
    const result = run();
    if (keep(result)) for (const name of before.called) this.called.add(name);
    else Object.assign(this, before);
    return result;
  }
}
