import type { CommandNode, Node, Operand } from "./ast.ts";
import type { TemplateMode } from "./compile-template.ts";
import type { GoFunction } from "./functions/function.ts";
import type { Value } from "./values.ts";

/** A place in a template that can fail or that needs to know more than its values: every helper call names one by index. */
export interface Site {
  node: Node;
  /** The definition it stands in. */
  template: string;
  /** Whether the dot here is an element of a `range`. */
  dotIsElement: boolean;
  /** Of a field with arguments, which only a method could take. */
  withArguments?: boolean;
  /** Of a function call. */
  call?: CallSite;
  /** Of a `range`, `:=` and `=`: slots of its variables; -1 for one that was never declared. */
  slots?: number[];
  /** What a place that can only fail says. */
  problem?: string;
}

export interface CallSite {
  name: string;
  /** Undefined for `and` and `or`. */
  fn: GoFunction | undefined;
  command: CommandNode;
  args: Operand[];
  /** Whether a piped value comes behind the arguments. */
  piped: boolean;
  /** Slots of the variables among the arguments, by argument. */
  slots: (number | undefined)[];
}

/** What a compiled source shares with its running renderings. */
export interface Unit {
  name: string;
  source: string;
  mode: TemplateMode;
  sites: Site[];
  constants: Value[];
  /** Names of the functions called. */
  functions: Set<string>;
}
