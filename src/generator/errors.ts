import { formatProblem, type Problem } from "../resources/fields.ts";

/** A policy that cannot run as it is written; `problems` name every field that is wrong and what to put there. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("; "));
    this.problems = problems;
  }
}

/**
 * One rule that cannot be evaluated for one event: an unresolved variable, a wrong type, a bound that was hit.
 * The rule generates nothing for that event; other rules go on.
 */
export class RuleError extends Error {
  override readonly name: string = "RuleError";
}

/** A rule that cannot be evaluated because of what the cluster answered, or did not: it is worth trying again. */
export class LookupError extends RuleError {
  override readonly name = "LookupError";
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
