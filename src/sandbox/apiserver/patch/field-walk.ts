import { isEqual, isRecord } from "../schema/values.ts";
import { difference, type FieldPath, type FieldSet, pathKey } from "./field-set.ts";
import { entriesOf, type FieldType, fieldBelow, shapeOf } from "./field-type.ts";

/** The fields that differ between two objects. */
export interface Comparison {
  added: Set<string>;
  modified: Set<string>;
  removed: Set<string>;
}

/** What the API server itself writes is nobody's field. */
const SYSTEM_FIELDS = [
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
].map(pathKey);

const withoutSystemFields = (set: Set<string>): Set<string> => difference(set, new Set(SYSTEM_FIELDS));

/** The fields that an applied object claims. */
export function fieldsOf(object: unknown, type: FieldType): Set<string> {
  const set = new Set<string>();
  claim(object, type, [], set);
  return withoutSystemFields(set);
}

function claim(value: unknown, type: FieldType, path: FieldPath, set: Set<string>): void {
  const isEmpty = isRecord(value) && Object.keys(value).length === 0;
  const shape = shapeOf(value, type);
  if (shape === "leaf" || isEmpty) {
    set.add(pathKey(path));
  } else if (shape === "fields" && isRecord(value)) {
    for (const [name, entry] of Object.entries(value)) {
      const below = fieldBelow(type, name, path.length === 0);
      const at = [...path, `f:${name}`];
      claim(entry, below.type, at, set);
      if (!below.isNamed) set.add(pathKey(at));
    }
  } else if (typeof type === "object") {
    for (const [element, entry] of entriesOf(value, type)) {
      set.add(pathKey([...path, element]));
      if (type.listType === "map") claim(entry, type.items ?? "untyped", [...path, element], set);
    }
  }
}

/** Compares two objects field by field; an undefined one has no fields. */
export function compareObjects(before: unknown, after: unknown, type: FieldType): Comparison {
  const found: Comparison = { added: new Set(), modified: new Set(), removed: new Set() };
  compare(before ?? {}, after ?? {}, type, [], found);
  return {
    added: withoutSystemFields(found.added),
    modified: withoutSystemFields(found.modified),
    removed: withoutSystemFields(found.removed),
  };
}

function compare(before: unknown, after: unknown, type: FieldType, path: FieldPath, found: Comparison): void {
  if (isEqual(before, after)) return;
  const shape = commonShape(before, after, type);
  if (shape === "leaf" || (isEmpty(before) && isEmpty(after))) {
    note(before, after, path, found);
    return;
  }
  if (shape === "fields") compareFields(before, after, type, path, found);
  else if (typeof type === "object") compareEntries(before, after, type, path, found);
  if (path.length > 0 && (before === undefined || after === undefined)) note(before, after, path, found);
}

function commonShape(before: unknown, after: unknown, type: FieldType): ReturnType<typeof shapeOf> {
  const shapes = new Set([before, after].filter((value) => value !== undefined).map((value) => shapeOf(value, type)));
  const [shape = "leaf"] = shapes;
  return shapes.size === 1 ? shape : "leaf";
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;
}

function note(before: unknown, after: unknown, path: FieldPath, found: Comparison): void {
  const set = before === undefined ? found.added : after === undefined ? found.removed : found.modified;
  set.add(pathKey(path));
}

function compareFields(before: unknown, after: unknown, type: FieldType, path: FieldPath, found: Comparison): void {
  const [old, now] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const at = [...path, `f:${name}`];
    const below = fieldBelow(type, name, path.length === 0);
    compare(own(old, name), own(now, name), below.type, at, found);
  }
}

const own = (record: Record<string, unknown>, name: string) => (Object.hasOwn(record, name) ? record[name] : undefined);

function compareEntries(before: unknown, after: unknown, type: FieldType, path: FieldPath, found: Comparison): void {
  if (typeof type === "string") return;
  const [old, now] = [entriesOf(before, type), entriesOf(after, type)];
  for (const element of new Set([...old.keys(), ...now.keys()])) {
    compare(old.get(element), now.get(element), type.items ?? "untyped", [...path, element], found);
  }
}

/** The live object with the applied one's fields laid over it. Lists keep their order, new entries come last. */
export function mergeObjects(live: unknown, applied: unknown, type: FieldType, isRoot = true): unknown {
  const shape = commonShape(live, applied, type);
  if (live === undefined || shape === "leaf") return applied;
  if (isRecord(live) && isRecord(applied)) {
    const merged = new Map(Object.entries(live));
    for (const [name, value] of Object.entries(applied)) {
      merged.set(name, mergeObjects(merged.get(name), value, fieldBelow(type, name, isRoot).type, false));
    }
    return Object.fromEntries(merged);
  }
  if (typeof type === "string") return applied;
  const merged = entriesOf(live, type);
  for (const [element, entry] of entriesOf(applied, type)) {
    merged.set(element, mergeObjects(merged.get(element), entry, type.items ?? "untyped", false));
  }
  return [...merged.values()];
}

/** The object without the given fields, nor the objects and lists that this leaves empty, save those in `kept`. */
export function removeFields(
  value: unknown,
  remove: FieldSet,
  kept: FieldSet,
  type: FieldType,
  path: FieldPath = [],
): unknown {
  const shape = shapeOf(value, type);
  if (shape === "fields" && isRecord(value)) {
    const left = Object.entries(value).flatMap(([name, entry]) => {
      const at = [...path, `f:${name}`];
      if (remove.has(pathKey(at))) return [];
      const below = removeFields(entry, remove, kept, fieldBelow(type, name, path.length === 0).type, at);
      return below === undefined ? [] : [[name, below] as const];
    });
    const isEmptied = left.length === 0 && Object.keys(value).length > 0 && !kept.has(pathKey(path));
    return isEmptied && path.length > 0 ? undefined : Object.fromEntries(left);
  }
  if (shape !== "entries" || typeof type === "string") return value;
  const entries = [...entriesOf(value, type)].filter(([element]) => !remove.has(pathKey([...path, element])));
  const left = entries.map(([element, entry]) =>
    removeFields(entry, remove, kept, type.items ?? "untyped", [...path, element]),
  );
  return left.length === 0 ? undefined : left;
}
