import type { Failure, RenderState } from "./render-state.ts";
import { entry, isMap, Scalar, typeName, type Value } from "./values.ts";

/** Marks a walk that met something without fields; {@link explainWalk} tells what. */
export const STUCK = Symbol("stuck");

/**
 * `value.field.field…` with the fields standing in a helper's arguments from `first` up to `last`. What is missing has missing
 * fields; nothing is ever read from a prototype.
 */
export function walkFields(value: Value, args: ArrayLike<unknown>, first: number, last: number): Value | typeof STUCK {
  let current = value;
  for (let at = first; at < last; at++) {
    if (current === undefined) return undefined;
    if (typeof current !== "object" || current === null || Array.isArray(current) || current instanceof Scalar)
      return STUCK;
    const name = args[at] as string;
    current = Object.hasOwn(current, name) ? current[name] : undefined;
  }
  return current;
}

/** One step of {@link walkFields}. */
export function readField(value: Value | typeof STUCK, name: string): Value | typeof STUCK {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Scalar) return STUCK;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Walks again, slowly, to say what was wrong. `isInterface`: the value itself was read from a map or list. */
export function explainWalk(state: RenderState, id: number, value: Value, isInterface: boolean): Value | Failure {
  const { node, withArguments } = state.site(id);
  const fields = "fields" in node ? node.fields : [];
  const fail = (problem: string): Failure => state.failure(id, problem, node);
  let current = value;
  let read = isInterface;
  for (const [at, field] of fields.entries()) {
    if (current === undefined) return undefined;
    if (current === null) return fail(`nil pointer evaluating interface {}.${field}`);
    if (!isMap(current))
      return fail(`can't evaluate field ${field} in type ${read ? "interface {}" : typeName(current)}`);
    if (withArguments && at === fields.length - 1) return fail(`${field} is not a method but has arguments`);
    current = entry(current, field);
    read = true;
  }
  return current;
}
