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
  const loop = new Loop(id, options);
  if (isList(list))
    for (const [index, element] of list.entries()) if (!loop.turn(int(index), element ?? null, true)) break;
  if (isMap(list)) for (const key of sortedKeys(list)) if (!loop.turn(key, list[key] ?? null, true)) break;
  if (isInteger(list)) count(list, loop, id, options.data);
  else if (!isIterable(list)) throw refuse(id, options.data, `range can't iterate over ${formatValue(list)}`);
  return loop.turns === 0 ? options.inverse(dot) : loop.out;
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

  /** Runs the body once; false after a `break`. One variable is the element, two are key and element. */
  turn(key: Value, element: Value, isElement: boolean): boolean {
    const { data, fn } = this.options;
    this.turns++;
    data.turn(this.id);
    const [first, second] = this.slots;
    if (second !== undefined) this.set(second, element, isElement);
    if (first !== undefined) this.set(first, second === undefined ? element : key, second === undefined && isElement);
    this.out += fn(element);
    data.spend(this.id, this.out.length);
    const { jump } = data;
    data.jump = undefined;
    return jump !== "break";
  }

  set(slot: number, value: Value, isElement: boolean): void {
    this.options.data.vars[slot] = value;
    this.options.data.elements[slot] = isElement;
  }
}
