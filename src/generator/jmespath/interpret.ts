import type { Json } from "../../resources/object.ts";
import { ExpressionError, MissingKeyError } from "./errors.ts";
import { type Argument, callFunction, type Environment, ExpressionReference } from "./functions/index.ts";
import { LIMITS } from "./limits.ts";
import type { Expression } from "./parse.ts";
import { deepEqual, isFalse, isJsonObject, measure } from "./values.ts";

type Node = Expression;
type NodeOf<T extends Node["type"]> = Extract<Node, { type: T }>;
type Binary = { left: Node; right: Node };

/**
 * Evaluates a parsed expression on a document with Kyverno's missing-key rules: a plain path that ends at, or passes, an
 * absent key of an object is an error; as an operand of `||`, `!`, comparators, pipes, functions, multi-selects,
 * projections and filters it is null. A path through null or a scalar is null.
 * @throws ExpressionError, of which MissingKeyError is one kind
 */
export function interpret(expression: Expression, document: Json, environment: Environment): Json {
  return new Interpreter(environment).visit(expression, document);
}

class Interpreter {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  visit(node: Node, value: Json): Json {
    this.#charge(1);
    switch (node.type) {
      case "Identity":
      case "Current":
        return value;
      case "Literal":
        return node.value;
      case "Field":
        return fieldOf(value, node.name);
      case "Index":
        return indexOf(value, node.value);
      case "Slice":
        return slice(value, node);
      case "Subexpression":
      case "IndexExpression":
        return this.visit(node.right, this.visit(node.left, value));
      case "Pipe":
        return this.lenient(node.right, this.lenient(node.left, value));
      case "OrExpression": {
        const left = this.lenient(node.left, value);
        return isFalse(left) ? this.lenient(node.right, value) : left;
      }
      case "AndExpression": {
        const left = this.lenient(node.left, value);
        return isFalse(left) ? left : this.visit(node.right, value);
      }
      case "NotExpression":
        return isFalse(this.lenient(node.child, value));
      case "Comparator":
        return this.#compare(node, value);
      case "Flatten":
        return this.#made(flatten(this.lenient(node.child, value)));
      case "Projection":
        return this.#project(node, value);
      case "ValueProjection":
        return this.#projectValues(node, value);
      case "FilterProjection":
        return this.#filter(node, value);
      case "MultiSelectList":
        return value === null ? null : this.#made(node.children.map((child) => this.lenient(child, value)));
      case "MultiSelectHash": {
        if (value === null) return null;
        const entries = node.children.map((child) => [child.name, this.lenient(child.value, value)] as const);
        return this.#made(Object.fromEntries(entries));
      }
      case "Function":
        return this.#call(node, value);
      default:
        throw new ExpressionError(`Cannot evaluate a ${node.type} here`);
    }
  }

  /** Evaluates where an absent key counts as null. */
  lenient(node: Node, value: Json): Json {
    try {
      return this.visit(node, value);
    } catch (error) {
      if (error instanceof MissingKeyError) return null;
      throw error;
    }
  }

  #compare({ name, left, right }: NodeOf<"Comparator">, value: Json): Json {
    const first = this.lenient(left, value);
    const second = this.lenient(right, value);
    if (name === "EQ") return deepEqual(first, second);
    if (name === "NE") return !deepEqual(first, second);
    if (typeof first !== "number" || typeof second !== "number") return null;
    if (name === "GT") return first > second;
    if (name === "GTE") return first >= second;
    return name === "LT" ? first < second : first <= second;
  }

  #project({ left, right }: Binary, value: Json): Json {
    const base = this.lenient(left, value);
    return Array.isArray(base) ? this.#collect(base, right) : null;
  }

  #projectValues({ left, right }: Binary, value: Json): Json {
    const base = this.lenient(left, value);
    return isJsonObject(base) ? this.#collect(Object.values(base), right) : null;
  }

  #filter({ left, right, condition }: NodeOf<"FilterProjection">, value: Json): Json {
    const base = this.lenient(left, value);
    if (!Array.isArray(base)) return null;
    const kept = base.filter((item) => !isFalse(this.lenient(condition, item)));
    return this.#collect(kept, right);
  }

  #collect(items: Json[], right: Node): Json {
    return this.#made(items.map((item) => this.lenient(right, item)).filter((item) => item !== null));
  }

  #call({ name, children }: NodeOf<"Function">, value: Json): Json {
    const args = children.map(
      (child): Argument =>
        child.type === "ExpressionReference"
          ? new ExpressionReference((item) => this.lenient(child.child, item))
          : this.lenient(child, value),
    );
    for (const arg of args) if (!(arg instanceof ExpressionReference)) this.#charge(measure(arg));
    return this.#made(callFunction(name, args, this.#environment));
  }

  #made(value: Json): Json {
    this.#charge(measure(value));
    return value;
  }

  #charge(steps: number): void {
    const { spent } = this.#environment;
    spent.steps += steps;
    if (spent.steps > LIMITS.steps) throw new ExpressionError(`The expressions take more than ${LIMITS.steps} steps`);
  }
}

function fieldOf(value: Json, name: string): Json {
  if (!isJsonObject(value)) return null;
  if (!Object.hasOwn(value, name)) throw new MissingKeyError(name);
  return value[name] ?? null;
}

function indexOf(value: Json, index: number): Json {
  return Array.isArray(value) ? (value.at(index) ?? null) : null;
}

function flatten(value: Json): Json {
  return Array.isArray(value) ? value.flat() : null;
}

/** Python's slice, as JMESPath defines it; only lists are sliced. */
function slice(value: Json, { start, stop, step }: NodeOf<"Slice">): Json {
  if (!Array.isArray(value)) return null;
  const stride = step ?? 1;
  if (stride === 0) throw new ExpressionError("The step of a slice cannot be 0");
  const { length } = value;
  const [low, high] = stride > 0 ? [0, length] : [-1, length - 1];
  const bound = (edge: number) => Math.min(Math.max(edge < 0 ? edge + length : edge, low), high);
  const from = start === null ? (stride > 0 ? 0 : length - 1) : bound(start);
  const to = stop === null ? (stride > 0 ? length : -1) : bound(stop);
  const items: Json[] = [];
  for (let index = from; stride > 0 ? index < to : index > to; index += stride) items.push(value[index] as Json);
  return items;
}
