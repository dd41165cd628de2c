import { badRequest } from "../protocol/api-error.ts";
import { isRecord } from "../schema/values.ts";
import { goKind } from "./go-format.ts";

/**
 * The document with an RFC 7396 merge patch applied; the given one stays as it was. A field named `__proto__` is data.
 * @throws ApiError 400 where the patch is no object
 */
export function applyMergePatch<T>(doc: T, patch: unknown): T {
  if (!isRecord(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return mergeInto(doc, patch) as T; // an object with the same fields or those of the patch
}

function mergeInto(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const kept = Object.entries(isRecord(target) ? target : {});
  const current = new Map<string, unknown>(kept);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) current.delete(name);
    else current.set(name, mergeInto(current.get(name), value));
  }
  return Object.fromEntries(current);
}
