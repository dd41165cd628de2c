import { FunctionError, type ParameterType } from "./functions/function.ts";
import { nodeText } from "./node-text.ts";
import { Failure, type RenderState } from "./render-state.ts";
import type { CallSite } from "./unit.ts";
import { charactersOf, GoNumber, isInteger, kindOf, truth, typeName, type Value } from "./values.ts";

type Argument = Value | Failure;

/** Calls the function of a site. Go evaluates a piped value first, then the arguments in turn; the first that failed is the result. */
export function callFunction(state: RenderState, id: number, site: CallSite, args: Argument[]): Argument {
  const { fn, name } = site;
  if (fn === undefined) return callLazy(state, site, args);
  if (site.piped && args.at(-1) instanceof Failure) return args.at(-1);
  const values: Value[] = [];
  for (const [index, arg] of args.entries()) {
    const type = fn.parameters[index] ?? fn.variadic ?? "any";
    const value = arg instanceof Failure ? arg : convert(arg, type, state, id, site, index);
    if (value instanceof Failure) return value;
    values.push(value);
  }
  try {
    const result = fn.call(values, {
      now: state.now,
      mode: state.unit.mode,
      argumentTexts: () => site.args.map((node) => nodeText(node)),
      isInterface: (index) => isInterface(state, id, site, index, values[index]),
    });
    state.spend(id, charactersOf(result)?.length ?? 0);
    return result;
  } catch (error) {
    if (error instanceof FunctionError) return state.failure(id, `error calling ${name}: ${error.message}`);
    throw error;
  }
}

/** `and` and `or`: the first argument that decides, or the last. */
function callLazy(state: RenderState, { name, command, piped }: CallSite, args: Argument[]): Argument {
  const last = args.at(-1);
  if (piped && last instanceof Failure) return last;
  for (const [index, arg] of args.entries()) {
    if (index < args.length - (piped ? 1 : 0)) state.stops.set(command, index + 1);
    if (arg instanceof Failure || truth(arg) === (name === "or")) return arg;
  }
  return last;
}

function convert(
  arg: Value,
  type: ParameterType,
  state: RenderState,
  id: number,
  site: CallSite,
  index: number,
): Argument {
  const missing = arg === undefined;
  if (type === "value") return arg;
  if (type === "any") return missing ? null : arg;
  if (type === "string" ? typeof arg === "string" : isInteger(arg)) return arg;
  const blame = site.args[index] ?? site.command;
  if (missing) return state.failure(id, `invalid value; expected ${type}`, blame);
  return state.failure(id, `wrong type for value; expected ${type}; got ${typeName(arg)}`, blame);
}

function isInterface(state: RenderState, id: number, site: CallSite, index: number, value: Value): boolean {
  const node = site.args[index];
  switch (node?.type) {
    case "field":
    case "chain":
      return kindOf(value) !== "missing";
    case "dot":
      return state.site(id).dotIsElement && !(value instanceof GoNumber);
    case "variable":
      return node.fields.length > 0 ? kindOf(value) !== "missing" : state.elements[site.slots[index] ?? -1] === true;
    default:
      return false;
  }
}
