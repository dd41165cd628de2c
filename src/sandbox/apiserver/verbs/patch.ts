import type { KubeObject } from "../../../resources/object.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicPatch, serverSideApply } from "../patch/index.ts";
import { ApiError, badRequest, invalid, nameMismatch, notFound, unsupportedMediaType } from "../protocol/api-error.ts";
import { jsonValue, mediaType, readText, yamlValue } from "../protocol/body.ts";
import { flag } from "../protocol/request.ts";
import { kindSubjectOf, present, subjectOf } from "../resources/resource.ts";
import type { Stored } from "../store/store.ts";
import { commitCreate, commitUpdate } from "./commit.ts";
import { CANNOT_HANDLE, decode, identify } from "./decode.ts";
import { keepManagedFields, managerOf, trackUpdate } from "./managed-fields.ts";
import { timestamp } from "./metadata.ts";
import type { Call } from "./scope.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
const APPLY_PATCH = "application/apply-patch+yaml";

type Fields = Record<string, unknown>;

/** PATCH in any of its four forms. `created` when a server-side apply made the object. @throws ApiError */
export async function patch(call: Call): Promise<{ stored: Stored; created: boolean }> {
  const type = mediaType(call.request.message);
  const text = await readText(call.request.message);
  if (type === APPLY_PATCH) return apply(call, yamlValue(text));
  if (call.request.query.has("force")) throw forceForbidden();
  const transform = transformOf(call, type, jsonValue(text));
  const live = liveOf(call);
  if (live === undefined) throw notFound(subjectOf(call.resource, call.path.name));
  const shown = present(call.resource, live.object);
  const draft = decodePatched(call, transform(shown));
  return { stored: commitUpdate(call, draft, live, trackUpdate), created: false };
}

/** What does not decode any more after the patch is the patch's fault. */
function decodePatched(call: Call, patched: Fields): KubeObject {
  try {
    return decode(call, patched);
  } catch (error) {
    if (!(error instanceof ApiError) || !error.message.includes(CANNOT_HANDLE)) throw error;
    const why = error.message.slice(error.message.indexOf(": ") + 2);
    const value = JSON.stringify(JSON.stringify(patched));
    const cause = { reason: "FieldValueInvalid", message: `Invalid value: ${value}: ${why}`, field: "patch" };
    throw invalid(kindSubjectOf(call.resource, call.path.name), [cause]);
  }
}

function transformOf({ resource }: Call, type: string, patch: unknown): (object: KubeObject) => Fields {
  if (type === JSON_PATCH) return (object) => asObject(applyJsonPatch<unknown>(object, patch));
  if (type === MERGE_PATCH) return (object) => asObject(applyMergePatch<unknown>(object, patch));
  if (type === STRATEGIC_PATCH && !resource.custom) {
    return (object) => asObject(applyStrategicPatch<unknown>(object, patch, resource.kind));
  }
  const strategic = resource.custom ? [] : [STRATEGIC_PATCH];
  throw unsupportedMediaType([JSON_PATCH, MERGE_PATCH, ...strategic, APPLY_PATCH]);
}

function asObject(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest("the patch leaves no object");
  return value as Fields;
}

function forceForbidden(): ApiError {
  const message = "Forbidden: may not be specified for non-apply patch";
  return invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, [
    { reason: "FieldValueForbidden", message, field: "force" },
  ]);
}

function liveOf({ state, resource, path }: Call): Stored | undefined {
  return state.store.get(resource.collection, path);
}

/** Server-side apply: the body is all that its manager wants to own. */
function apply(call: Call, body: unknown): { stored: Stored; created: boolean } {
  const { resource, path, request } = call;
  if (!request.query.get("fieldManager")) {
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, [
      { reason: "FieldValueRequired", message: "Required value: is required for apply patch", field: "fieldManager" },
    ]);
  }
  const applied = appliedObject(call, asObject(body));
  const live = liveOf(call);
  if (live === undefined && path.subresource !== "") throw notFound(subjectOf(resource, path.name));
  const result = serverSideApply({
    live: live === undefined ? undefined : present(resource, live.object),
    applied,
    manager: managerOf(call),
    force: flag(request.query, "force"),
    schema: resource.schema.structural,
    ...(path.subresource === "" ? {} : { subresource: path.subresource }),
    time: timestamp(),
  });
  if ("conflicts" in result) throw applyConflict(result.message, result.conflicts);
  const draft = decode(call, result.object);
  if (live === undefined) return { stored: commitCreate(call, draft, keepManagedFields), created: true };
  draft.metadata.resourceVersion ??= live.object.metadata.resourceVersion ?? "";
  return { stored: commitUpdate(call, draft, live, keepManagedFields), created: false };
}

/** The body as its manager means it: what the schema would add is not the manager's. */
function appliedObject(call: Call, body: Fields): Fields {
  const { path, resource } = call;
  const metadata = fieldsOf(body["metadata"]);
  if (!body["apiVersion"] || !body["kind"]) throw badRequest("the applied object must name its apiVersion and kind");
  if (metadata["managedFields"]) throw badRequest("metadata.managedFields must be nil");
  const { name = path.name } = metadata;
  const namespace = metadata["namespace"] || path.namespace; // "" and null are no namespace
  if (name !== path.name) throw nameMismatch(name, path.name);
  if (namespace !== path.namespace) {
    const asked = path.namespace === "" ? "no namespace" : path.namespace;
    throw badRequest(
      `the namespace of the object (${String(namespace)}) does not match the namespace on the request (${asked})`,
    );
  }
  const identified = identify(resource, body);
  return { ...identified, metadata: { ...metadata, name, ...(namespace === "" ? {} : { namespace }) } };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function applyConflict(message: string, conflicts: readonly { manager: string; field: string }[]): ApiError {
  const causes = conflicts.map(({ manager, field }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${manager}`,
    field,
  }));
  return new ApiError({ code: 409, reason: "Conflict", message, details: { causes } });
}
