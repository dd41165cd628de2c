import type { Json } from "../../resources/object.ts";
import type { Operator } from "../rule-model.ts";
import { equals, notEquals } from "./equality.ts";
import { isInExactly, isMember } from "./membership.ts";
import { type Order, order, orderDurations } from "./ordering.ts";

/** Whether `key operator value` holds. Types that do not go together make it false, never an error. */
export function holds(operator: Operator, key: Json, value: Json): boolean {
  switch (operator) {
    case "Equal":
    case "Equals":
      return equals(key, value);
    case "NotEqual":
    case "NotEquals":
      return notEquals(key, value);
    case "In":
    case "NotIn":
      return isInExactly(operator, key, value);
    case "AnyIn":
    case "AllIn":
    case "AnyNotIn":
    case "AllNotIn":
      return isMember(operator, key, value);
    case "GreaterThan":
    case "GreaterThanOrEquals":
    case "LessThan":
    case "LessThanOrEquals":
      return meets(operator, order(key, value));
    case "DurationGreaterThan":
    case "DurationGreaterThanOrEquals":
    case "DurationLessThan":
    case "DurationLessThanOrEquals":
      return meets(operator, orderDurations(key, value));
  }
}

function meets(operator: string, result: Order): boolean {
  if (result === undefined) return false;
  if (operator.endsWith("GreaterThan")) return result > 0;
  if (operator.endsWith("GreaterThanOrEquals")) return result >= 0;
  return operator.endsWith("LessThan") ? result < 0 : result <= 0;
}
