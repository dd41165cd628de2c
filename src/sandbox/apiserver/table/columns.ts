import type { KubeObject } from "../../../resources/object.ts";
import type { Column } from "../resources/resource.ts";
import { age } from "./duration.ts";

type Cell = Column["cell"];

/** A text column of a built-in kind. */
export function column(name: string, description: string, cell: Cell, priority = 0): Column {
  return { name, type: "string", description, priority, cell };
}

export const NAME: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.",
  priority: 0,
  cell: ({ metadata }) => metadata.name ?? "",
};

export const AGE = column(
  "Age",
  "CreationTimestamp is a timestamp representing the server time of creation.",
  (object, now) => age(object.metadata.creationTimestamp, now),
);

/** RBAC's roles show a time instead of an age. */
export const CREATED_AT: Column = {
  name: "Created At",
  type: "date",
  description: "CreationTimestamp is a timestamp representing the server time of creation.",
  priority: 0,
  cell: ({ metadata }) => metadata.creationTimestamp ?? "",
};

/** What stands at a path of fields, or undefined where one of them is missing. */
export function at(object: KubeObject, ...path: string[]): unknown {
  let value: unknown = object;
  for (const field of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, field)) return undefined;
    value = (value as Record<string, unknown>)[field];
  }
  return value;
}

export function textAt(object: KubeObject, ...path: string[]): string {
  const value = at(object, ...path);
  return value === undefined || value === null ? "" : String(value);
}

export function listAt(object: KubeObject, ...path: string[]): Record<string, unknown>[] {
  const value = at(object, ...path);
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}

export function countAt(object: KubeObject, ...path: string[]): number {
  const value = at(object, ...path);
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

/** Labels as kubectl prints a selector: `a=b,c=d`, `<none>` when empty. */
export function selectorText(selector: unknown): string {
  if (typeof selector !== "object" || selector === null) return "<none>";
  const parts = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? "<none>" : parts.sort().join(",");
}

/** A metav1.LabelSelector: its labels, then its expressions (`tier in (a,b)`). */
export function labelSelectorText(selector: unknown): string {
  if (typeof selector !== "object" || selector === null) return "<none>";
  const { matchLabels = {}, matchExpressions = [] } = selector as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
  const expressions = matchExpressions.map(expressionText);
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const parts = [...labels.sort(), ...expressions];
  return parts.length === 0 ? "<none>" : parts.join(",");
}

function expressionText({ key, operator, values = [] }: { key: string; operator: string; values?: string[] }): string {
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
}
