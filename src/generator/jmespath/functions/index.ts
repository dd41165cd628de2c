import type { Json } from "../../../resources/object.ts";
import { ExpressionError } from "../errors.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CERTIFICATES } from "./certificates.ts";
import { COLLECTIONS } from "./collections.ts";
import { ENCODING } from "./encoding.ts";
import { PATTERNS } from "./patterns.ts";
import { PLACES } from "./places.ts";
import { RANDOM } from "./random.ts";
import { type Argument, checkArguments, type Environment, type FunctionDefinition } from "./signature.ts";
import { STANDARD } from "./standard.ts";
import { STRINGS } from "./strings.ts";
import { TIME } from "./time.ts";
import { VERSIONS } from "./versions.ts";

export { type Argument, type Environment, ExpressionReference } from "./signature.ts";

const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...[STANDARD, STRINGS, COLLECTIONS, PATTERNS, ENCODING, ARITHMETIC],
    ...[RANDOM, TIME, VERSIONS, PLACES, CERTIFICATES],
  ].flatMap((group) => Object.entries<FunctionDefinition>(group)),
);

/** Whether expressions may call `name`. */
export function isFunction(name: string): boolean {
  return FUNCTIONS.has(name);
}

/** The names of all functions, sorted. */
export function functionNames(): string[] {
  return [...FUNCTIONS.keys()].sort();
}

/**
 * Calls a function of policy expressions.
 * @throws ExpressionError
 */
export function callFunction(name: string, args: Argument[], environment: Environment): Json {
  const definition = FUNCTIONS.get(name);
  if (definition === undefined) throw new ExpressionError(`There is no function ${name}()`);
  checkArguments(name, definition.parameters, args);
  return definition.run(args, environment);
}
