import { ApiError, badRequest } from "../protocol/api-error.ts";
import { isEqual, isRecord, ownField } from "../schema/values.ts";
import { formatGoMap, goKind } from "./go-format.ts";
import { listStrategy } from "./merge-keys.ts";

type Fields = Record<string, unknown>;

const ELEMENT_ORDER = "$setElementOrder/";
const DELETE_FROM_LIST = "$deleteFromPrimitiveList/";

/**
 * The document with a strategic merge patch applied; the given one stays as it was. `kind` chooses the merge keys.
 * Knows `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.
 * @throws ApiError 400 where the patch is no object, 500 where a directive makes no sense, as the API server answers
 */
export function applyStrategicPatch<T>(doc: T, patch: unknown, kind: string): T {
  if (!isRecord(patch)) {
    throw badRequest(`json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`);
  }
  return mergeFields(isRecord(doc) ? doc : {}, patch, kind) as T; // an object of the same kind
}

function mergeFields(original: Fields, patch: Fields, kind: string): Fields {
  const directive = ownField(patch, "$patch");
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") throw unknownDirective(directive, patch);
  const result = new Map(Object.entries(retained(original, ownField(patch, "$retainKeys"))));
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(DELETE_FROM_LIST)) removeFromList(result, name.slice(DELETE_FROM_LIST.length), value);
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith("$")) continue;
    if (value === null) result.delete(name);
    else result.set(name, mergeValue(name, result.get(name), value, ownField(patch, ELEMENT_ORDER + name), kind));
  }
  reorderUntouched(result, patch, kind);
  return Object.fromEntries(result);
}

/** Only the listed fields are kept: how a union's other members leave. */
function retained(original: Fields, keys: unknown): Fields {
  if (!Array.isArray(keys)) return original;
  return Object.fromEntries(Object.entries(original).filter(([name]) => keys.includes(name)));
}

function removeFromList(result: Map<string, unknown>, name: string, values: unknown): void {
  const list = result.get(name);
  if (!Array.isArray(list) || !Array.isArray(values)) return;
  const left = list.filter((entry) => !values.some((value) => isEqual(value, entry)));
  result.set(name, left);
}

function mergeValue(name: string, original: unknown, patch: unknown, order: unknown, kind: string): unknown {
  if (isRecord(patch)) return mergeFields(isRecord(original) ? original : {}, patch, kind);
  if (!Array.isArray(patch)) return patch;
  return mergeList(name, Array.isArray(original) ? original : [], patch, order, kind);
}

function mergeList(name: string, original: unknown[], patch: unknown[], order: unknown, kind: string): unknown[] {
  const strategy = listStrategy(kind, name);
  if (strategy === "replace") return patch.map(withoutDirectivesDeep);
  if (strategy === "set") {
    const merged = [...original, ...patch.filter((entry) => !original.some((old) => isEqual(old, entry)))];
    return inOrder(merged, original, order, (entry) => entry);
  }
  if (patch.some((entry) => isRecord(entry) && entry.$patch === "replace")) {
    return patch.filter((entry) => !isRecord(entry) || entry.$patch !== "replace").map(withoutDirectivesDeep);
  }
  const merged = mergeByKey(original, patch, strategy.key, kind);
  return inOrder(merged, original, order, (entry) => (isRecord(entry) ? ownField(entry, strategy.key) : entry));
}

function mergeByKey(original: unknown[], patch: unknown[], key: string, kind: string): unknown[] {
  const result = [...original];
  for (const entry of patch) {
    if (!isRecord(entry) || ownField(entry, key) === undefined) throw missingKey(entry, key);
    const at = result.findIndex((old) => isRecord(old) && isEqual(ownField(old, key), entry[key]));
    const old = result[at];
    if (entry.$patch === "delete") {
      if (at >= 0) result.splice(at, 1);
    } else if (isRecord(old)) result[at] = mergeFields(old, entry, kind);
    else result.push(mergeFields({}, entry, kind));
  }
  return result;
}

/** A patch may only give a list's order, with no change to its entries. */
function reorderUntouched(result: Map<string, unknown>, patch: Fields, kind: string): void {
  for (const [directive, order] of Object.entries(patch)) {
    const name = directive.slice(ELEMENT_ORDER.length);
    const list = result.get(name);
    if (!directive.startsWith(ELEMENT_ORDER) || Object.hasOwn(patch, name) || !Array.isArray(list)) continue;
    const strategy = listStrategy(kind, name);
    if (strategy === "replace") continue;
    const identity = (entry: unknown) =>
      strategy !== "set" && isRecord(entry) ? ownField(entry, strategy.key) : entry;
    result.set(name, inOrder(list, list, order, identity));
  }
}

/** The entries named by `order` in that order; the others keep their place relative to the original list. */
function inOrder(
  merged: unknown[],
  original: unknown[],
  order: unknown,
  identity: (entry: unknown) => unknown,
): unknown[] {
  if (!Array.isArray(order)) return merged;
  const rank = (list: unknown[], entry: unknown) =>
    list.findIndex((other) => isEqual(identity(other), identity(entry)));
  const wanted = merged.filter((entry) => rank(order, entry) >= 0).sort((a, b) => rank(order, a) - rank(order, b));
  const others = merged.filter((entry) => rank(order, entry) < 0);
  const result: unknown[] = [];
  while (wanted.length > 0 && others.length > 0) {
    const place = rank(original, wanted[0]);
    const isFirst = place < 0 || place < rank(original, others[0]);
    result.push(isFirst ? wanted.shift() : others.shift());
  }
  return [...result, ...wanted, ...others];
}

function withoutDirectives(fields: Fields): Fields {
  const entries = Object.entries(fields).filter(([name, value]) => !name.startsWith("$") && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutDirectivesDeep(value)]));
}

function withoutDirectivesDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectivesDeep);
  return isRecord(value) ? withoutDirectives(value) : value;
}

function unknownDirective(directive: unknown, patch: Fields): ApiError {
  return serverError(`unknown patch type: ${String(directive)} in map: ${formatGoMap(patch)}`);
}

function missingKey(entry: unknown, key: string): ApiError {
  return serverError(`map: ${formatGoMap(entry)} does not contain declared merge key: ${key}`);
}

const serverError = (message: string): ApiError => new ApiError({ code: 500, reason: "", message });
