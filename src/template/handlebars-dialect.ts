import type { CompiledTemplate, TemplateMode } from "./compile-template.ts";
import { Handlebars } from "./handlebars.ts";
import { ESCAPE_HELPER, escapeHandlebars, printHandlebars } from "./handlebars-html.ts";
import { escapeWith } from "./html/escapers.ts";
import type { TemplateLimits } from "./limits.ts";
import { placeOf, TemplateError, type TemplateStage } from "./template-error.ts";

type Node = hbs.AST.Node;

const ALLOWED = ["if", "unless", "each", "with"];
const VARIABLES = ["index", "key", "first", "last", "root"];

/** Handlebars with the four block helpers alone; `each` is ours, because it counts. */
const environment = Handlebars.create();
for (const name of Object.keys(environment.helpers)) if (!ALLOWED.includes(name)) environment.unregisterHelper(name);
environment.registerHelper("each", each);
environment.registerHelper(ESCAPE_HELPER, escapeValue);

interface Budget {
  limits: TemplateLimits;
  deadline: number;
  turns: number;
  /** Characters of all values shown. */
  written: number;
}

/** Compiles a plain Handlebars template: no partials, no decorators, no helpers but if, unless, each and with. @throws TemplateError */
export function compileHandlebars(
  source: string,
  name: string,
  mode: TemplateMode,
  limits: TemplateLimits,
): CompiledTemplate {
  refuseDeepSource(source, name, limits);
  const ast = parse(source, name);
  new Gatekeeper(name, mode, limits).accept(ast);
  if (mode === "html") escapeHandlebars(ast, name, source);
  else printHandlebars(ast);
  const template = environment.compile(ast, {
    noEscape: true, // each value has got its own escapers, or in text none
    knownHelpers: Object.fromEntries([...ALLOWED, ESCAPE_HELPER].map((helper) => [helper, true])),
    knownHelpersOnly: true,
  });
  const refused = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };
  return {
    render(data) {
      const budget: Budget = { limits, deadline: performance.now() + limits.renderMs, turns: 0, written: 0 };
      try {
        return template(data, { ...refused, data: { budget } });
      } catch (error) {
        throw rendering(error, name);
      }
    },
  };
}

/** Handlebars' parser takes very long over thousands of open blocks, so they are counted before it sees them. */
function refuseDeepSource(source: string, name: string, { nesting, tokens }: TemplateLimits): void {
  let depth = 0;
  let tags = 0;
  for (const { 1: sign = "", index } of source.matchAll(/\{\{~?\s*(#|\^(?=\s*[^\s}~])|\/)?/g)) {
    depth += sign === "/" ? -1 : sign === "" ? 0 : 1;
    const excess =
      depth > nesting ? `blocks are nested deeper than ${nesting}` : `more than ${tokens / TOKENS_PER_TAG} tags`;
    if (depth <= nesting && ++tags <= tokens / TOKENS_PER_TAG) continue;
    throw new TemplateError(name, { stage: "limit", problem: excess, ...placeOf(source, index), goMessage: excess });
  }
}

function parse(source: string, name: string): hbs.AST.Program {
  try {
    return environment.parse(source);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 1);
    const problem = message.split("\n").at(-1) ?? message;
    throw new TemplateError(
      name,
      { stage: "parse", problem, line, column: columnOf(error), goMessage: message },
      { cause: error },
    );
  }
}

function columnOf(error: unknown): number {
  const column = error instanceof Error && "column" in error ? error.column : undefined;
  return typeof column === "number" ? column + 1 : 1;
}

/** What a tag costs, measured in the tokens of Go templates. */
const TOKENS_PER_TAG = 5;

/** Refuses what a template of a tenant may not use. */
class Gatekeeper extends Handlebars.Visitor {
  readonly name: string;
  readonly mode: TemplateMode;
  readonly limits: TemplateLimits;
  depth = 0;

  constructor(name: string, mode: TemplateMode, limits: TemplateLimits) {
    super();
    this.name = name;
    this.mode = mode;
    this.limits = limits;
  }

  override PathExpression(node: hbs.AST.PathExpression): void {
    const [name = ""] = node.parts.map(String);
    if (node.data && !VARIABLES.includes(name))
      this.refuse(node, `unknown variable "@${name}": there are @${VARIABLES.join(", @")}`);
  }

  refuse(node: Node, problem: string, stage: TemplateStage = "parse"): never {
    const { line, column } = node.loc.start;
    throw new TemplateError(this.name, { stage, problem, line, column: column + 1, goMessage: problem });
  }

  override MustacheStatement(node: hbs.AST.MustacheStatement): void {
    if (this.mode === "html" && !node.escaped)
      this.refuse(node, "values are always escaped in HTML: write {{…}} with two braces");
    this.checkValue(node);
    super.MustacheStatement(node);
  }

  override BlockStatement(node: hbs.AST.BlockStatement): void {
    this.checkBlock(node);
    if (++this.depth > this.limits.nesting)
      this.refuse(node, `blocks are nested deeper than ${this.limits.nesting}`, "limit");
    super.BlockStatement(node);
    this.depth--;
  }

  override SubExpression(node: hbs.AST.SubExpression): void {
    this.refuse(node, "helpers cannot be called inside an expression");
  }

  override PartialStatement(node: hbs.AST.PartialStatement): void {
    this.refuse(node, "partials cannot be used: there is only this template");
  }

  override PartialBlockStatement(node: hbs.AST.PartialBlockStatement): void {
    this.refuse(node, "partials cannot be used: there is only this template");
  }

  override Decorator(node: hbs.AST.Decorator): void {
    this.refuse(node, "decorators cannot be used");
  }

  override DecoratorBlock(node: hbs.AST.DecoratorBlock): void {
    this.refuse(node, "decorators and inline partials cannot be used");
  }

  checkValue(node: hbs.AST.MustacheStatement): void {
    const name = nameOf(node);
    if (node.params.length > 0 || node.hash !== undefined || name === ESCAPE_HELPER)
      this.refuse(node, `unknown helper "${name}": there are the blocks ${ALLOWED.join(", ")}`);
  }

  checkBlock(node: hbs.AST.BlockStatement): void {
    const name = nameOf(node);
    if (!ALLOWED.includes(name)) {
      const isSection = node.params.length === 0 && name !== "";
      const advice = isSection
        ? `write {{#each ${name}}}, {{#if ${name}}} or {{#unless ${name}}}`
        : `there are ${ALLOWED.join(", ")}`;
      this.refuse(node, `unknown block "${name}": ${advice}`);
    }
    if (node.params.length !== 1) this.refuse(node, `{{#${name}}} takes one value, not ${node.params.length}`);
  }
}

const nameOf = ({ path }: hbs.AST.MustacheStatement | hbs.AST.BlockStatement): string =>
  "original" in path ? String(path.original) : "";

/** What Handlebars gives helpers beside their arguments. */
interface HelperOptions {
  data: { budget: Budget };
  /** Where the call stands in the template. */
  loc: hbs.AST.SourceLocation;
}

interface EachOptions extends HelperOptions {
  fn(context: unknown, options: { data: unknown; blockParams: unknown[] }): string;
  inverse(context: unknown): string;
}

/** (value, escaper…, options): as Handlebars shows values, escaped for their place; see handlebars-html.ts. */
function escapeValue(value: unknown, ...rest: unknown[]): string {
  const { data, loc } = rest.at(-1) as HelperOptions;
  const names = rest.slice(0, -1) as string[];
  const text = names.reduce((shown, name) => escapeWith(name, shown), textOf(value, loc));
  data.budget.written += text.length;
  checkBudget(data.budget, data.budget.written, loc);
  return text;
}

/** Lists and maps show as JavaScript shows them, which fails where their data has a `toString` of its own. */
function textOf(value: unknown, loc: hbs.AST.SourceLocation): string {
  if (value === undefined || value === null) return "";
  try {
    return String(value);
  } catch (error) {
    throw new RenderFault("exec", "this value cannot be shown as text: name one of its fields", loc, error);
  }
}

/** Handlebars' own `each` over lists and own keys of maps, within the bounds. */
function each(this: unknown, context: unknown, options: EachOptions): string {
  if (typeof context !== "object" || context === null) return options.inverse(this);
  const keys: (string | number)[] = Array.isArray(context) ? [...context.keys()] : Object.keys(context);
  let out = "";
  for (const [index, key] of keys.entries()) {
    options.data.budget.turns++;
    checkBudget(options.data.budget, out.length, options.loc);
    const data = Object.assign(Handlebars.createFrame(options.data), {
      key,
      index,
      first: index === 0,
      last: index === keys.length - 1,
    });
    const item = (context as Record<string | number, unknown>)[key];
    out += options.fn(item, { data, blockParams: [item, key] });
  }
  return keys.length === 0 ? options.inverse(this) : out;
}

/** A fault at a place of the template, on its way through Handlebars. */
class RenderFault extends Error {
  readonly stage: TemplateStage;
  readonly loc: hbs.AST.SourceLocation;

  constructor(stage: TemplateStage, problem: string, loc: hbs.AST.SourceLocation, cause?: unknown) {
    super(problem, { cause });
    this.stage = stage;
    this.loc = loc;
  }
}

function checkBudget({ limits, deadline, turns }: Budget, characters: number, loc: hbs.AST.SourceLocation): void {
  const { iterations, outputBytes, renderMs } = limits;
  if (turns > iterations) throw new RenderFault("limit", `more than ${iterations} turns of each`, loc);
  if (characters > outputBytes) throw new RenderFault("limit", `more than ${outputBytes} bytes of text`, loc);
  if (performance.now() > deadline) throw new RenderFault("limit", `rendering takes longer than ${renderMs} ms`, loc);
}

/** Whatever Handlebars or the data made go wrong, as the one error callers know; placed where a helper noticed it. */
function rendering(error: unknown, name: string): TemplateError {
  const problem = error instanceof Error ? error.message : String(error);
  const fault = error instanceof RenderFault ? error : undefined;
  const stage = fault?.stage ?? (error instanceof RangeError ? "limit" : "exec");
  const { line, column } = fault?.loc.start ?? { line: 0, column: -1 };
  return new TemplateError(name, { stage, problem, line, column: column + 1, goMessage: problem }, { cause: error });
}
