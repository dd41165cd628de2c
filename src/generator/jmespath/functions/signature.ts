import type { Json } from "../../../resources/object.ts";
import { ExpressionError } from "../errors.ts";
import { typeName } from "../values.ts";

/** `&expression` given to a function such as sort_by. */
export class ExpressionReference {
  readonly apply: (item: Json) => Json;

  constructor(apply: (item: Json) => Json) {
    this.apply = apply;
  }
}

export type Argument = Json | ExpressionReference;

/** What functions may ask of the world. */
export interface Environment {
  now: () => Date;
  /** Steps taken so far by all expressions that share a budget: those of one rule and one event. */
  spent: { steps: number };
}

/** `any`, one JSON type, several (`string|number`), or `expression`. A trailing `…` repeats; a trailing `?` may be left out. */
export type Parameter = string;

export interface FunctionDefinition {
  parameters: readonly Parameter[];
  run: (args: Argument[], environment: Environment) => Json;
}

/** Declares a function whose arguments have been checked against `parameters` when `run` sees them. */
export function define<A extends Argument[]>(
  parameters: readonly Parameter[],
  run: (args: A, environment: Environment) => Json,
): FunctionDefinition {
  return { parameters, run: run as FunctionDefinition["run"] };
}

/** @throws ExpressionError naming the function, the argument's position and both types */
export function checkArguments(name: string, parameters: readonly Parameter[], args: readonly Argument[]): void {
  const last = parameters.at(-1) ?? "";
  const least = parameters.filter((parameter) => !parameter.endsWith("?")).length;
  if (args.length < least || (args.length > parameters.length && !last.endsWith("…")))
    throw new ExpressionError(`${name}() takes ${least} arguments and was given ${args.length}`);
  args.forEach((argument, index) => {
    const parameter = (parameters[index] ?? last).replace(/[…?]$/, "");
    if (parameter !== "any" && !parameter.split("|").includes(typeOf(argument)))
      throw new ExpressionError(
        `${name}() takes ${parameter.replaceAll("|", " or ")} as argument ${index + 1} and was given ${typeOf(argument)}`,
      );
    if (parameter === "any" && argument instanceof ExpressionReference)
      throw new ExpressionError(`${name}() takes no expression as argument ${index + 1}`);
  });
}

function typeOf(argument: Argument): string {
  return argument instanceof ExpressionReference ? "expression" : typeName(argument);
}
