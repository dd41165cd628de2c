import { isRecord } from "../schema/values.ts";

/**
 * Which fields someone owns: paths whose elements are written as in FieldsV1 (`f:name`, `k:{"name":"a"}`, `v:"x"`).
 * A path is its elements' JSON array, so that a set of paths is a set of strings.
 */
export type FieldSet = ReadonlySet<string>;

export const union = (a: FieldSet, b: FieldSet): Set<string> => new Set([...a, ...b]);
export const difference = (a: FieldSet, b: FieldSet): Set<string> => new Set([...a].filter((key) => !b.has(key)));
export const intersection = (a: FieldSet, b: FieldSet): Set<string> => new Set([...a].filter((key) => b.has(key)));

export type FieldPath = readonly string[];

export const pathKey = (path: FieldPath): string => JSON.stringify(path);

export function readPath(key: string): FieldPath {
  return JSON.parse(key) as string[]; // only pathKey makes keys
}

/** Reads `managedFields[].fieldsV1`. */
export function readFieldsV1(fields: unknown): Set<string> {
  const set = new Set<string>();
  collect(fields, [], set);
  return set;
}

function collect(fields: unknown, path: FieldPath, set: Set<string>): void {
  if (!isRecord(fields)) return;
  for (const [element, below] of Object.entries(fields)) {
    if (element === ".") set.add(pathKey(path));
    else if (!isRecord(below) || Object.keys(below).length === 0) set.add(pathKey([...path, element]));
    else collect(below, [...path, element], set);
  }
}

/** Writes `managedFields[].fieldsV1`: a field owned together with some below it has a "." entry. */
export function writeFieldsV1(set: FieldSet): Record<string, unknown> {
  const root = new Map<string, unknown>();
  for (const key of [...set].sort()) insert(root, readPath(key));
  return toObject(root);
}

type Tree = Map<string, unknown>;

function insert(tree: Tree, path: FieldPath): void {
  const [element, ...rest] = path;
  if (element === undefined) {
    tree.set(".", new Map());
    return;
  }
  const below = tree.get(element);
  const child: Tree = below instanceof Map ? below : new Map();
  tree.set(element, child);
  insert(child, rest);
}

function toObject(tree: Tree): Record<string, unknown> {
  // A lone "." is a field with nothing below it, written {}
  if (tree.size === 1 && tree.has(".")) return {};
  const entries = [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([element, below]) => [element, below instanceof Map ? toObject(below) : {}]));
}

/** A path as conflicts name it: `.spec.list[name="a"].v`. */
export function formatPath(path: FieldPath): string {
  return path.map(formatElement).join("");
}

function formatElement(element: string): string {
  const body = element.slice(2);
  if (element.startsWith("f:")) return `.${body}`;
  if (element.startsWith("v:")) return `[=${body}]`;
  const keys = Object.entries(JSON.parse(body) as Record<string, unknown>); // field-walk.ts wrote it
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
}

/** The set's paths and every path above one of them: what cannot go as long as the set's paths stay. */
export function withAncestors(set: FieldSet): Set<string> {
  const paths = [...set].map(readPath);
  return new Set(paths.flatMap((path) => path.map((_, i) => pathKey(path.slice(0, i + 1)))));
}
