import type { Json } from "../resources/object.ts";
import { holds } from "./operators/index.ts";
import type { Condition, Operator, Preconditions } from "./rule-model.ts";
import { type Scope, substitute } from "./substitute.ts";

/** One condition with both sides as they were evaluated. */
export interface CheckedCondition {
  path: string;
  key: Json;
  operator: Operator;
  value: Json;
  message: string;
  met: boolean;
}

/** The verdict, and every condition that was looked at on the way to it. */
export interface PreconditionsResult {
  met: boolean;
  checked: CheckedCondition[];
}

/**
 * Checks `any` (stops at the first that holds; an empty list is false) and `all` (stops at the first that does not).
 * @throws RuleError when a variable cannot be resolved
 */
export function checkPreconditions({ any, all }: Preconditions, scope: Scope): PreconditionsResult {
  const checked: CheckedCondition[] = [];
  const check = (condition: Condition) => {
    const result = checkCondition(condition, scope);
    checked.push(result);
    return result.met;
  };
  const met = (any === undefined || any.some(check)) && (all === undefined || all.every(check));
  return { met, checked };
}

function checkCondition({ key, operator, value, message, path }: Condition, scope: Scope): CheckedCondition {
  const left = substitute(key, scope, `${path}.key`);
  const right = substitute(value, scope, `${path}.value`);
  return { path, key: left, operator, value: right, message, met: holds(operator, left, right) };
}
