import { callFunction } from "./call-function.ts";
import { explainWalk, readField, STUCK, walkFields } from "./fields.ts";
import { formatValue } from "./format/printer.ts";
import { escapeMarkup, escapeWith } from "./html/escapers.ts";
import { rangeOver } from "./range.ts";
import { Failure, type RenderState } from "./render-state.ts";
import { charactersOf, GoNumber, truth, type Value } from "./values.ts";

type Result = Value | Failure;

interface Options {
  data: RenderState;
  fn(dot: Value): string;
  inverse(dot: Value): string;
}

/** Any helper takes what its lowering gives it; see lower.ts for each one's arguments. */
export type Helper = (...args: never[]) => unknown;

/** A missing or nil value is "no value" once a pipeline has ended. */
const unwrap = (value: Result): Result => (value === null ? undefined : value);

const printed = (value: Value): string => (value === undefined || value === null ? "<no value>" : formatValue(value));

const isElement = (state: RenderState, id: number, value: Value): boolean =>
  state.site(id).dotIsElement && !(value instanceof GoNumber);

/** (dot, field, site), (dot, field, field, site) and so on: most paths have one or two fields */
function field(dot: Value, name: string, id: number, { data }: Options): Result {
  const value = readField(dot, name);
  return value === STUCK ? explainWalk(data, id, dot, isElement(data, id, dot)) : value;
}
function field2(dot: Value, first: string, second: string, id: number, { data }: Options): Result {
  const value = readField(readField(dot, first), second);
  return value === STUCK ? explainWalk(data, id, dot, isElement(data, id, dot)) : value;
}
function fields(...args: unknown[]): Result {
  const last = args.length - 2;
  const dot = args[0] as Value;
  const value = walkFields(dot, args, 1, last);
  if (value !== STUCK) return value;
  const { data } = args[last + 1] as Options;
  return explainWalk(data, args[last] as number, dot, isElement(data, args[last] as number, dot));
}

/** (dot, field, site) and (dot, field, field, site): a field printed, the commonest actions of all */
function showField(dot: Value, name: string, id: number, options: Options): string {
  const value = readField(dot, name);
  return typeof value === "string" ? value : showOther(value, dot, id, options);
}
function showField2(dot: Value, first: string, second: string, id: number, options: Options): string {
  const value = readField(readField(dot, first), second);
  return typeof value === "string" ? value : showOther(value, dot, id, options);
}

/** The same in HTML text and quoted attributes */
function markupField(dot: Value, name: string, id: number, options: Options): string {
  const value = readField(dot, name);
  return typeof value === "string" ? escapeMarkup(value) : markupOther(value, dot, id, options);
}
function markupField2(dot: Value, first: string, second: string, id: number, options: Options): string {
  const value = readField(readField(dot, first), second);
  return typeof value === "string" ? escapeMarkup(value) : markupOther(value, dot, id, options);
}

/** Everything but a text: explains itself, or is written out. */
function explained(value: Value | typeof STUCK, dot: Value, id: number, { data }: Options): Value {
  return data.settle(value === STUCK ? explainWalk(data, id, dot, isElement(data, id, dot)) : value);
}
function showOther(value: Value | typeof STUCK, dot: Value, id: number, options: Options): string {
  const text = printed(explained(value, dot, id, options));
  options.data.spend(id, text.length);
  return text;
}
function markupOther(value: Value | typeof STUCK, dot: Value, id: number, options: Options): string {
  const text = escapeWith("htmlescaper", explained(value, dot, id, options));
  options.data.spend(id, text.length);
  return text;
}

/** (slot, field…, site) */
function variable(...args: unknown[]): Result {
  const last = args.length - 2;
  const { data } = args[last + 1] as Options;
  const slot = args[0] as number;
  const start = data.vars[slot];
  const value = walkFields(start, args, 1, last);
  return value === STUCK ? explainWalk(data, args[last] as number, start, data.elements[slot] === true) : value;
}

/** (value, field…, site) */
function chain(...args: unknown[]): Result {
  const last = args.length - 2;
  if (args[0] instanceof Failure) return args[0];
  const value = walkFields(args[0] as Value, args, 1, last);
  return value === STUCK
    ? explainWalk((args[last + 1] as Options).data, args[last] as number, args[0] as Value, false)
    : value;
}

/** (dot, site): a field called with arguments; (slot, site) and (value, site) likewise */
const method = (dot: Value, id: number, { data }: Options): Result =>
  explainWalk(data, id, dot, isElement(data, id, dot));
const variableMethod = (slot: number, id: number, { data }: Options): Result =>
  explainWalk(data, id, data.vars[slot], data.elements[slot] === true);
const chainMethod = (value: Result, id: number, { data }: Options): Result =>
  value instanceof Failure ? value : explainWalk(data, id, value, false);

/** (piped value?, site): a place that can only fail, after what is evaluated before it; a command is blamed for its last part */
function fail(...args: unknown[]): Failure {
  const id = args.at(-2) as number;
  if (args.length > 2 && args[0] instanceof Failure) return args[0];
  const { data } = args.at(-1) as Options;
  const { problem = "", node } = data.site(id);
  return data.failure(id, problem, node.type === "command" ? node : undefined);
}

/** (piped value, value) */
const after = (piped: Result, value: Result): Result => (piped instanceof Failure ? piped : value);

/** (value, site): declares or assigns; the value of the pipeline is the value of all its variables */
function assign(value: Result, id: number, { data }: Options): Result {
  if (value instanceof Failure) return value;
  const { slots = [], node } = data.site(id);
  for (const [index, slot] of slots.entries()) {
    if (slot < 0 && node.type === "pipe")
      return data.failure(id, `undefined variable: ${node.variables[index]?.name}`, { ...node, variables: [] });
    data.vars[slot] = value === null ? undefined : value;
    data.elements[slot] = false;
  }
  return value;
}

/** (condition, dot) */
function ifBlock(condition: Result, dot: Value, options: Options): string {
  return truth(options.data.settle(condition)) ? options.fn(dot) : options.inverse(dot);
}

/** (value, dot) */
function withBlock(value: Result, dot: Value, options: Options): string {
  const settled = options.data.settle(value);
  return truth(settled) ? options.fn(settled) : options.inverse(dot);
}

/** Runs the rest of a body unless `break` or `continue` was met. (dot) */
const proceed = (dot: Value, options: Options): string => (options.data.jump === undefined ? options.fn(dot) : "");

function jump(kind: "break" | "continue", { data }: Options): string {
  data.jump = kind;
  return "";
}

/** (value, name, site) */
function template(value: Result, name: string, id: number, { data }: Options): string {
  const dot = data.settle(value);
  return data.run(id, name, dot === null ? undefined : dot);
}

/** (value, site) */
function show(value: Result, id: number, { data }: Options): string {
  const text = printed(data.settle(value));
  data.spend(id, text.length);
  return text;
}

/** (value, escaper…, site): shows a value in HTML */
function showEscaped(...args: unknown[]): string {
  const { data } = args.at(-1) as Options;
  let value = data.settle(args[0] as Result);
  const read = charactersOf(value)?.length ?? 0; // a filter may take long over much and leave little of it
  for (let at = 1; at < args.length - 2; at++) value = escapeWith(args[at] as string, value);
  const text = printed(value);
  data.spend(args.at(-2) as number, Math.max(read, text.length));
  return text;
}

/** (value): evaluated for what it does, written as nothing */
function silent(value: Result, { data }: Options): string {
  data.settle(value);
  return "";
}

/** (argument…, site): a function by its own name */
function functionHelper(...args: unknown[]): Result {
  const { data } = args[args.length - 1] as Options;
  const id = args[args.length - 2] as number;
  const site = data.site(id).call;
  if (site === undefined) throw new Error(`site ${id} is no call`);
  args.length -= 2;
  return callFunction(data, id, site, args as Result[]);
}

/** Helpers of the language itself, under Go's keywords or with a `$`. */
const LANGUAGE: Record<string, Helper> = {
  $field: field,
  $field2: field2,
  $fields: fields,
  $showField: showField,
  $showField2: showField2,
  $markupField: markupField,
  $markupField2: markupField2,
  $variable: variable,
  $chain: chain,
  $method: method,
  $variableMethod: variableMethod,
  $chainMethod: chainMethod,
  $fail: fail,
  $after: after,
  $assign: assign,
  $unwrap: unwrap,
  $constant: (index: number, { data }: Options): Value => data.unit.constants[index],
  $show: show,
  $escape: showEscaped,
  $silent: silent,
  $proceed: proceed,
  $jump: jump,
  if: ifBlock,
  with: withBlock,
  range: rangeOver,
  template,
};

/**
 * The helpers one source needs: the language's own, and the functions it calls under Go's names. So few that V8 keeps the object
 * in its fast form, which makes every helper call about a third cheaper than with all functions in it.
 */
export function helpersFor(functions: Iterable<string>): Record<string, Helper> {
  const helpers = { ...LANGUAGE };
  for (const name of functions) helpers[name] = functionHelper;
  return helpers;
}
