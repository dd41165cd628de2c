import { formatValue, sortedKeys } from "./format/printer.ts";
import type { Failure, RenderState } from "./render-state.ts";
import { GoNumber, int, isInteger, isList, isMap, kindOf, toBigInt, type Value } from "./values.ts";

interface BlockOptions {
  data: RenderState;
  fn(dot: Value): string;
  inverse(dot: Value): string;
}

/** The helper behind `range`: (value, dot, site). Lists, maps in the order of their keys, integers from 0; nothing takes `else`. */
export function rangeOver(value: Value | Failure, dot: Value, id: number, options: BlockOptions): string {
  const list = options.data.settle(value);
  if (isList(list)) return list.length === 0 ? options.inverse(dot) : elements(list, id, options);
  const loop = new Loop(id, options);
  if (isMap(list)) for (const key of sortedKeys(list)) if (!loop.turn(key, list[key] ?? null, true)) break;
  if (isInteger(list)) count(list, loop, id, options.data);
  else if (!isIterable(list)) throw refuse(id, options.data, `range can't iterate over ${formatValue(list)}`);
  return loop.turns === 0 ? options.inverse(dot) : loop.out;
}

/** Lists, the commonest loops, without the general one's bookkeeping where no variable is declared. */
function elements(list: Value[], id: number, options: BlockOptions): string {
  const { data, fn } = options;
  const slots = data.site(id).slots ?? [];
  let out = "";
  for (let index = 0; index < list.length; index++) {
    const element = list[index] ?? null;
    if (slots.length > 0) declare(data, slots, slots.length > 1 ? int(index) : index, element, true);
    out += fn(element);
    data.turn(id, out.length);
    if (data.jump !== undefined && data.takeJump() === "break") break;
  }
  return out;
}

/** One variable is the element, two are key and element. */
function declare(
  state: RenderState,
  [first = -1, second]: number[],
  key: Value,
  element: Value,
  isElement: boolean,
): void {
  if (second !== undefined) state.set(second, element, isElement);
  state.set(first, second === undefined ? element : key, second === undefined && isElement);
}

const isIterable = (value: Value): boolean =>
  value === null || kindOf(value) === "missing" || isList(value) || isMap(value);

/** Elements of a counting loop keep the type of its limit. */
function count(limit: Value, loop: Loop, id: number, state: RenderState): void {
  const kind = kindOf(limit) as GoNumber["kind"];
  if ((state.site(id).slots?.length ?? 0) > 1) {
    throw refuse(id, state, `can't use ${formatValue(limit)} to iterate over more than one variable`);
  }
  const end = toBigInt(limit);
  for (let at = 0n; at < end; at++) {
    const element = new GoNumber(kind, Number(at));
    if (!loop.turn(element, element, false)) break;
  }
}

function refuse(id: number, state: RenderState, problem: string): Error {
  const { node } = state.site(id);
  return state.error(state.failure(id, problem, node.type === "range" ? { ...node.pipe, variables: [] } : node));
}

class Loop {
  readonly id: number;
  readonly options: BlockOptions;
  readonly slots: number[];
  out = "";
  turns = 0;

  constructor(id: number, options: BlockOptions) {
    this.id = id;
    this.options = options;
    this.slots = options.data.site(id).slots ?? [];
  }

  /** Runs the body once; false after a `break`. */
  turn(key: Value, element: Value, isElement: boolean): boolean {
    const { data, fn } = this.options;
    this.turns++;
    if (this.slots.length > 0) declare(data, this.slots, key, element, isElement);
    this.out += fn(element);
    data.turn(this.id, this.out.length);
    return data.takeJump() !== "break";
  }
}
