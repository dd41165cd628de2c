import type { Json } from "../../../resources/object.ts";
import { formatDuration, parseDuration } from "../../duration.ts";
import { formatQuantity, parseQuantity, type QuantityFormat, quantityFormat } from "../../quantity.ts";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

/** A number, a Kubernetes quantity in billionths, or a Go duration in nanoseconds. */
type Operand =
  | { kind: "number"; value: number }
  | { kind: "quantity"; value: bigint; format: QuantityFormat }
  | { kind: "duration"; value: bigint };

const TYPES = ["number|string", "number|string"];

/** Kyverno's arithmetic on numbers, quantities and durations; kinds do not mix, except that a number scales the others. */
export const ARITHMETIC = {
  add: define<[Json, Json]>(TYPES, ([left, right]) => show(add("add", read("add", left), read("add", right), 1))),
  subtract: define<[Json, Json]>(TYPES, ([left, right]) =>
    show(add("subtract", read("subtract", left), read("subtract", right), -1)),
  ),
  multiply: define<[Json, Json]>(TYPES, ([left, right]) =>
    show(multiply(read("multiply", left), read("multiply", right))),
  ),
  divide: define<[Json, Json]>(TYPES, ([left, right]) => show(divide(read("divide", left), read("divide", right)))),
  modulo: define<[Json, Json]>(TYPES, ([left, right]) => show(modulo(read("modulo", left), read("modulo", right)))),
  sum: define<[Json[]]>(["array"], ([items]) => {
    const operands = items.map((item) => read("sum", item));
    if (operands.length === 0) throw new ExpressionError("sum() takes a list with at least one item");
    return show(operands.reduce((left, right) => add("sum", left, right, 1)));
  }),
  round: define<[number, number]>(["number", "number"], ([value, digits]) => {
    if (!Number.isInteger(digits) || digits < 0 || digits > 15)
      throw new ExpressionError("round() takes a whole number of digits from 0 to 15");
    const factor = 10 ** digits;
    return (Math.sign(value) * Math.round(Math.abs(value) * factor)) / factor;
  }),
};

function read(name: string, value: Json): Operand {
  if (typeof value === "number") return { kind: "number", value };
  if (typeof value === "string") {
    const quantity = parseQuantity(value);
    if (quantity !== undefined) return { kind: "quantity", value: quantity, format: quantityFormat(value) };
    const duration = parseDuration(value);
    if (duration !== undefined) return { kind: "duration", value: duration };
  }
  throw new ExpressionError(`${name}() takes numbers, quantities or durations and was given ${JSON.stringify(value)}`);
}

function show(result: Operand): Json {
  if (result.kind === "quantity") return formatQuantity(result.value, result.format);
  if (result.kind === "duration") return formatDuration(result.value);
  if (!Number.isFinite(result.value)) throw new ExpressionError("The result is not a finite number");
  return result.value;
}

function add(name: string, left: Operand, right: Operand, sign: 1 | -1): Operand {
  if (left.kind === "number" && right.kind === "number")
    return { kind: "number", value: left.value + sign * right.value };
  if (left.kind === "number" || right.kind === "number" || left.kind !== right.kind) throw mixed(name, left, right);
  return { ...left, value: left.value + BigInt(sign) * right.value };
}

function multiply(left: Operand, right: Operand): Operand {
  if (left.kind === "number" && right.kind === "number") return { kind: "number", value: left.value * right.value };
  if (left.kind === "number" && right.kind !== "number") return { ...right, value: scale(right.value, left.value) };
  if (right.kind === "number" && left.kind !== "number") return { ...left, value: scale(left.value, right.value) };
  throw mixed("multiply", left, right);
}

function divide(left: Operand, right: Operand): Operand {
  if (Number(right.value) === 0) throw new ExpressionError("divide() by zero");
  if (right.kind === "number")
    return left.kind === "number"
      ? { kind: "number", value: left.value / right.value }
      : { ...left, value: scale(left.value, 1 / right.value) };
  if (left.kind !== right.kind) throw mixed("divide", left, right);
  return { kind: "number", value: Number(left.value) / Number(right.value) };
}

function modulo(left: Operand, right: Operand): Operand {
  if (Number(right.value) === 0) throw new ExpressionError("modulo() by zero");
  if (left.kind === "number" && right.kind === "number") {
    if (Number.isInteger(left.value) && Number.isInteger(right.value))
      return { kind: "number", value: left.value % right.value };
    throw new ExpressionError("modulo() takes whole numbers");
  }
  if (left.kind === "number" || right.kind === "number" || left.kind !== right.kind) throw mixed("modulo", left, right);
  return { ...left, value: left.value % right.value };
}

function scale(value: bigint, factor: number): bigint {
  if (Number.isInteger(factor)) return value * BigInt(factor);
  const scaled = Number(value) * factor;
  if (!Number.isFinite(scaled)) throw new ExpressionError("The result is not a finite number");
  return BigInt(Math.round(scaled));
}

function mixed(name: string, left: Operand, right: Operand): ExpressionError {
  return new ExpressionError(`${name}() cannot be applied to a ${left.kind} and a ${right.kind}`);
}
