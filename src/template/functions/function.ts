import type { TemplateMode } from "../compile-template.ts";
import type { Value } from "../values.ts";

/**
 * What a parameter takes: `any` turns a missing value into nil; `value` sees missing and nil apart; `string` and `int`
 * refuse everything else.
 */
export type ParameterType = "any" | "value" | "string" | "int";

/** A function that templates can call, with what Go's reflection would know of it. */
export interface GoFunction {
  parameters: ParameterType[];
  /** Type of further arguments, where any number of them is allowed. */
  variadic?: ParameterType;
  /** @throws FunctionError */
  call(args: Value[], info: CallInfo): Value;
}

/** What a few functions want to know of their call. */
export interface CallInfo {
  /** The arguments as they stand in the template; a piped one is not among them. */
  argumentTexts(): string[];
  /** Whether an argument's Go type is `interface {}`: read from a map or list and passed on as it was. */
  isInterface(index: number): boolean;
  mode: TemplateMode;
  /** Milliseconds since 1970, once for a rendering. */
  now: number;
}

/** A function's own complaint; it becomes `error calling NAME: …`. */
export class FunctionError extends Error {
  override readonly name = "FunctionError";
}
