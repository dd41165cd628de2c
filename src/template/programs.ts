import type { Definition } from "./ast.ts";
import { Handlebars } from "./handlebars.ts";
import { type Helper, helpersFor } from "./helpers.ts";
import { lowerDefinition } from "./lower.ts";
import type { RenderState, RunTemplate } from "./render-state.ts";
import type { Unit } from "./unit.ts";
import type { Value } from "./values.ts";

/** An environment of our own: none of Handlebars' helpers, and nothing anybody could register elsewhere. */
const environment = Handlebars.create();
for (const name of Object.keys(environment.helpers)) environment.unregisterHelper(name);

/**
 * Handlebars' code generator with its documented hook for names: helpers are ours alone and known, so a plain property read
 * finds them, where the general lookup guards against prototypes on every call. Everything else is looked up as ever.
 */
class CodeGenerator extends (environment as unknown as { JavaScriptCompiler: new () => Generator }).JavaScriptCompiler {
  override nameLookup(parent: unknown, name: string, type: string): unknown {
    return type === "helper" && parent === "helpers"
      ? ["helpers[", JSON.stringify(name), "]"]
      : super.nameLookup(parent, name, type);
  }

  /** Every block is a program of its own: looking for an equal one takes time that grows with their square. */
  override matchExistingProgram(): undefined {
    return undefined;
  }
}
interface Generator {
  matchExistingProgram(child: unknown): unknown;
  nameLookup(parent: unknown, name: string, type: string): unknown;
}
Object.assign(CodeGenerator.prototype, { compiler: CodeGenerator });
Object.assign(environment, { JavaScriptCompiler: CodeGenerator });

/** What Handlebars' runtime reads when it looks anything up: nothing beyond own properties. */
const NO_PROTOTYPES = Object.freeze({
  methods: Object.freeze({ whitelist: Object.freeze({}), defaultValue: false }),
  properties: Object.freeze({ whitelist: Object.freeze({}), defaultValue: false }),
});

/** Options as the runtime gives them to a partial: taken as they are, where the usual ones wrap every helper anew for each rendering. */
interface RunOptions {
  partial: true;
  helpers: Record<string, Helper>;
  protoAccessControl: typeof NO_PROTOTYPES;
  hooks: Record<string, never>;
  data?: RenderState;
}

type HandlebarsTemplate = ((dot: unknown, options: RunOptions) => string) & { _setup(options: RunOptions): void };

/** Compiles every definition with Handlebars, at once: nothing is left for the first rendering. */
export function compilePrograms(definitions: ReadonlyMap<string, Definition>, unit: Unit): Map<string, RunTemplate> {
  const known = new Set(definitions.keys());
  const trees = [...definitions].map(([name, definition]) => [name, lowerDefinition(definition, unit, known)] as const);
  const helpers = helpersFor(unit.functions);
  return new Map(trees.map(([name, tree]) => [name, compileProgram(tree, helpers)]));
}

/** Escaping is ours, and so is white space: Go takes away none that no trim marker names. */
function compileProgram(tree: hbs.AST.Program, helpers: Record<string, Helper>): RunTemplate {
  const knownHelpers = Object.fromEntries(Object.keys(helpers).map((name) => [name, true]));
  const options = { noEscape: true, ignoreStandalone: true, knownHelpers, knownHelpersOnly: true };
  const template = environment.compile(tree, options) as unknown as HandlebarsTemplate;
  const runOptions: RunOptions = { partial: true, helpers, protoAccessControl: NO_PROTOTYPES, hooks: {} };
  template._setup(runOptions);
  return (dot: Value, state: RenderState) => template(dot, { ...runOptions, data: state });
}
