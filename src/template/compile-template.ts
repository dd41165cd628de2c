import { FUNCTION_NAMES, FUNCTION_NAMES_WITH_SAFE_HTML } from "./functions/registry.ts";
import { compileHandlebars } from "./handlebars-dialect.ts";
import { escapeDefinitions } from "./html/analysis.ts";
import { DEFAULT_LIMITS, type TemplateLimits } from "./limits.ts";
import { parseTemplate } from "./parser.ts";
import { compilePrograms } from "./programs.ts";
import { RenderState } from "./render-state.ts";
import { TemplateError } from "./template-error.ts";
import type { Unit } from "./unit.ts";
import type { Value } from "./values.ts";

export type TemplateDialect = "go" | "handlebars";
/** Whether values are escaped for where they stand in HTML. */
export type TemplateMode = "text" | "html";

export interface CompileOptions {
  /** The part of the template that errors name: "subject", "content". */
  name: string;
  mode: TemplateMode;
  /** Go's text/template unless told otherwise. */
  dialect?: TemplateDialect;
  limits?: Partial<TemplateLimits>;
  /** Whether Go templates may call `safeHtml`, which puts a value into HTML unescaped; not unless an administrator says so. */
  allowSafeHtml?: boolean;
}

export interface CompiledTemplate {
  /** Renders one message's data, which it does not change. @throws TemplateError stage "exec" or "limit" */
  render(data: unknown): string;
}

/** Compiles a template once for any number of renderings. @throws TemplateError stage "parse", "escape" or "limit" */
export function compileTemplate(source: string, options: CompileOptions): CompiledTemplate {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  refuseLongSource(source, options.name, limits);
  const template = guarded(options.name, () =>
    options.dialect === "handlebars"
      ? compileHandlebars(source, options.name, options.mode, limits)
      : compileGo(source, options, limits),
  );
  return { render: (data) => guarded(options.name, () => checked(template.render(data), options.name, limits)) };
}

function compileGo(source: string, options: CompileOptions, limits: TemplateLimits): CompiledTemplate {
  const { name, mode } = options;
  const parsed = parseTemplate(source, {
    name,
    functions: options.allowSafeHtml ? FUNCTION_NAMES_WITH_SAFE_HTML : FUNCTION_NAMES,
    nesting: limits.nesting,
    maxTokens: limits.tokens,
  });
  const definitions = mode === "html" ? escapeDefinitions(parsed, { name, source }) : parsed;
  const unit: Unit = { name, source, mode, sites: [], constants: [], functions: new Set() };
  const programs = compilePrograms(definitions, unit);
  const main = programs.get(name);
  if (main === undefined) throw new Error("the main template is always defined");
  return {
    render(data) {
      const state = new RenderState(unit, programs, limits);
      const dot = (data ?? undefined) as Value;
      state.vars = [dot];
      return main(dot, state);
    },
  };
}

function refuseLongSource(source: string, name: string, { sourceBytes }: TemplateLimits): void {
  const bytes = Buffer.byteLength(source);
  if (bytes <= sourceBytes) return;
  throw limitError(name, `the template has ${bytes} bytes, ${sourceBytes} are allowed`);
}

function checked(text: string, name: string, { outputBytes }: TemplateLimits): string {
  const out = text.toWellFormed();
  if (out.length * 3 > outputBytes && Buffer.byteLength(out) > outputBytes)
    throw limitError(name, `the text has more than ${outputBytes} bytes`);
  return out;
}

function limitError(name: string, problem: string, cause?: unknown): TemplateError {
  return new TemplateError(
    name,
    { stage: "limit", problem, line: 0, column: 0, goMessage: `template: ${name}: ${problem}` },
    { cause },
  );
}

/** Deep recursion ends in a RangeError, which leaves the process as it was: to us it is one more bound. */
function guarded<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw limitError(name, "the template or its data is nested too deeply", error);
    throw error;
  }
}
