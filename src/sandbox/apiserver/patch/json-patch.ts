import jsonPatch, { type Operation } from "fast-json-patch";
import { ApiError, badRequest } from "../protocol/api-error.ts";
import { isRecord } from "../schema/values.ts";
import { goKind } from "./go-format.ts";

const MAX_OPERATIONS = 10_000;
const MAX_COPIED_CHARS = 3 * 1024 * 1024;
const OPERATIONS = ["add", "remove", "replace", "move", "copy", "test"];

/**
 * The document with RFC 6902 operations applied; the given one stays as it was.
 * @throws ApiError 400 where `ops` is no list of operations, 422 where one of them cannot be applied, 413 where they
 * are too many or copy too much
 */
export function applyJsonPatch<T>(doc: T, ops: unknown): T {
  const patched = { value: structuredClone(doc) };
  let copiedChars = 0;
  for (const operation of readOperations(ops)) {
    if (operation.op === "copy") copiedChars += sizeOf(patched.value, operation.from);
    if (copiedChars > MAX_COPIED_CHARS) throw tooLarge("Unable to complete the copy operations");
    patched.value = applyOne(patched.value, operation);
  }
  return patched.value;
}

function readOperations(ops: unknown): Operation[] {
  if (!Array.isArray(ops)) {
    throw badRequest(`json: cannot unmarshal ${goKind(ops)} into Go value of type jsonpatch.Patch`);
  }
  if (ops.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${ops.length}`);
  }
  return ops.map(readOperation);
}

function readOperation(entry: unknown): Operation {
  if (!isRecord(entry)) {
    throw badRequest(`json: cannot unmarshal ${goKind(entry)} into Go value of type jsonpatch.Operation`);
  }
  if (!OPERATIONS.some((op) => op === entry.op) || typeof entry.path !== "string") throw cannotApply();
  if ((entry.op === "move" || entry.op === "copy") && typeof entry.from !== "string") throw cannotApply();
  return structuredClone(entry) as unknown as Operation; // checked above; applying changes it
}

function applyOne<T>(doc: T, operation: Operation): T {
  const pointers = "from" in operation ? [operation.path, operation.from] : [operation.path];
  if (!pointers.every((pointer) => isReachable(doc, pointer))) throw cannotApply();
  try {
    return jsonPatch.applyOperation(doc, operation, true, true, true).newDocument;
  } catch {
    throw cannotApply(); // the API server does not say why either
  }
}

/** Whether the pointer's parent lies among the document's own fields: fast-json-patch would follow inherited ones. */
function isReachable(doc: unknown, pointer: string): boolean {
  if (pointer === "") return true;
  const parents = segments(pointer).slice(0, -1);
  return valueAt(doc, parents) !== undefined;
}

function sizeOf(doc: unknown, pointer: string): number {
  return JSON.stringify(valueAt(doc, segments(pointer)))?.length ?? 0;
}

function segments(pointer: string): string[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function valueAt(doc: unknown, path: string[]): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Record<string, unknown>)[part];
  }, doc);
}

function cannotApply(): ApiError {
  const message = "the server rejected our request due to an error in our request";
  return new ApiError({ code: 422, reason: "Invalid", message, details: {} });
}

function tooLarge(message: string): ApiError {
  return new ApiError({ code: 413, reason: "RequestEntityTooLarge", message });
}
