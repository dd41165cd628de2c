/** What is known beforehand of a message's `spec.body`. */
import { isObject } from "../resources/fields.ts";
import { suggest } from "../template/suggest.ts";
import { type DataPath, EACH, formatPath, type VariableUse } from "./template-uses.ts";

/** A body, and how far it can be read: a policy's holds `{{ expressions }}` whose values nobody knows yet. */
export interface Body {
  value: unknown;
  isGenerated: boolean;
}

export type Presence = { kind: "set" } | { kind: "unknown" } | { kind: "unset"; nearest?: string };

const SET: Presence = { kind: "set" };
const UNKNOWN: Presence = { kind: "unknown" };

/** Whether a template that reads `use` finds a value in `body`, or does not come to read it. */
export function presenceOfUse({ path, isGuarded, guards }: VariableUse, body: Body): Presence {
  const isReached = !isGuarded && guards.every((guard) => presenceOf(guard, body).kind !== "unset");
  return isReached ? presenceOf(path, body) : SET;
}

/** Whether `path` has a value in `body`. A null counts as none: templates show both as `<no value>`. */
function presenceOf(path: DataPath, { value, isGenerated }: Body): Presence {
  return follow(path, value, isGenerated, []);
}

function follow(path: DataPath, value: unknown, isGenerated: boolean, seen: DataPath): Presence {
  const [step, ...rest] = path;
  if (isGenerated && typeof value === "string" && value.includes("{{"))
    return step === undefined ? SET : isOneExpression(value) ? UNKNOWN : SET;
  if (step === undefined) return value === undefined || value === null ? { kind: "unset" } : SET;
  if (step === EACH) return followEach(rest, value, isGenerated, seen);
  if (!isObject(value)) return value === undefined || value === null ? { kind: "unset" } : SET; // a wrong type is told when it is rendered
  const names = Object.keys(value);
  if (Object.hasOwn(value, step)) {
    return follow(rest, value[step], isGenerated, [...seen, step]);
  }
  if (isGenerated && names.some((name) => name.includes("{{"))) return UNKNOWN;
  const near = suggest(step, names);
  if (near === undefined) return { kind: "unset" };
  return { kind: "unset", nearest: formatPath([...seen, near, ...rest]) };
}

/** Set where some item has it; nothing can be said of a list without items. */
function followEach(rest: DataPath, value: unknown, isGenerated: boolean, seen: DataPath): Presence {
  if (typeof value !== "object" || value === null) return SET;
  const items = Object.values(value).map((item) => follow(rest, item, isGenerated, [...seen, EACH]));
  return items.find(({ kind }) => kind !== "unset") ?? items[0] ?? SET;
}

function isOneExpression(text: string): boolean {
  return text.startsWith("{{") && text.endsWith("}}");
}
