import { isGlob, matchGlob } from "./glob.ts";
import type { LabelRequirement, LabelSelector } from "./rule-model.ts";

/** A selector as the API takes it. Entries with wildcards, which it does not know, are left out: the answer is wider. */
export function formatSelector({ matchLabels, matchExpressions }: LabelSelector): string {
  const entries = Object.entries(matchLabels).filter(([key, value]) => !isGlob(key) && !isGlob(value));
  const requirements = matchExpressions.map(({ key, operator, values }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
  });
  return [...entries.map(([key, value]) => `${key}=${value}`), ...requirements].join(",");
}

/**
 * Whether labels satisfy a selector whose matchLabels may hold wildcards, in keys and in values: such an entry is met by
 * any one label. matchExpressions have no wildcards. An empty selector is always satisfied.
 */
export function matchLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const given = Object.entries(labels);
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => meetsEntry(key, value, labels, given)) &&
    selector.matchExpressions.every((requirement) => meetsRequirement(requirement, labels))
  );
}

function meetsEntry(key: string, value: string, labels: Readonly<Record<string, string>>, given: [string, string][]) {
  if (!isGlob(key) && !isGlob(value)) return Object.hasOwn(labels, key) && labels[key] === value;
  return given.some(([name, text]) => matchGlob(key, name) && matchGlob(value, text));
}

function meetsRequirement({ key, operator, values }: LabelRequirement, labels: Readonly<Record<string, string>>) {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}
