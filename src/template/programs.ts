import Handlebars from "handlebars";
import type { Definition } from "./ast.ts";
import { HELPERS } from "./helpers.ts";
import { lowerDefinition } from "./lower.ts";
import type { RenderState, RunTemplate } from "./render-state.ts";
import type { Unit } from "./unit.ts";
import type { Value } from "./values.ts";

/** An environment of our own: none of Handlebars' helpers, and nothing anybody could register elsewhere. */
const environment = Handlebars.create();
for (const name of Object.keys(environment.helpers)) environment.unregisterHelper(name);

const knownHelpers = Object.fromEntries(Object.keys(HELPERS).map((name) => [name, true]));

/** Escaping is ours, and so is white space: Go takes away none that no trim marker names. */
const COMPILE_OPTIONS = { noEscape: true, ignoreStandalone: true, knownHelpers, knownHelpersOnly: true };

/** What Handlebars' runtime reads when it looks anything up: nothing beyond own properties. */
const NO_PROTOTYPES = Object.freeze({
  methods: Object.freeze({ whitelist: Object.freeze({}), defaultValue: false }),
  properties: Object.freeze({ whitelist: Object.freeze({}), defaultValue: false }),
});

/** Options as the runtime gives them to a partial: taken as they are, where the usual ones wrap every helper anew for each rendering. */
interface RunOptions {
  partial: true;
  helpers: typeof HELPERS;
  protoAccessControl: typeof NO_PROTOTYPES;
  hooks: Record<string, never>;
  data?: RenderState;
}

type HandlebarsTemplate = ((dot: unknown, options: RunOptions) => string) & { _setup(options: RunOptions): void };

const runOptions = (data?: RenderState): RunOptions => ({
  partial: true,
  helpers: HELPERS,
  protoAccessControl: NO_PROTOTYPES,
  hooks: {},
  data,
});

/** Compiles every definition with Handlebars, at once: nothing is left for the first rendering. */
export function compilePrograms(definitions: ReadonlyMap<string, Definition>, unit: Unit): Map<string, RunTemplate> {
  const programs = new Map<string, RunTemplate>();
  const known = new Set(definitions.keys());
  for (const [name, definition] of definitions) programs.set(name, compileProgram(definition, unit, known));
  return programs;
}

function compileProgram(definition: Definition, unit: Unit, known: ReadonlySet<string>): RunTemplate {
  const ast = lowerDefinition(definition, unit, known);
  const template = environment.compile(ast, COMPILE_OPTIONS) as unknown as HandlebarsTemplate;
  template._setup(runOptions());
  return (dot: Value, state: RenderState) => template(dot, runOptions(state));
}
