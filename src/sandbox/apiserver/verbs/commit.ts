import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../../resources/object.ts";
import {
  ApiError,
  alreadyExists,
  conflict,
  forbidden,
  invalid,
  nameMismatch,
  notFound,
  OBJECT_MODIFIED,
} from "../protocol/api-error.ts";
import { NAMESPACE_COLLECTION } from "../resources/builtin.ts";
import { kindSubjectOf, present, type Resource, subjectOf, toStored } from "../resources/resource.ts";
import { keyOf, type Stored } from "../store/store.ts";
import { validateObject } from "./decode.ts";
import { isReleased, release } from "./delete.ts";
import { isDryRun } from "./dry-run.ts";
import { trackUpdate } from "./managed-fields.ts";
import { contentDiffers, keepServerFields, metadataErrors, stampNew } from "./metadata.ts";
import type { Call } from "./scope.ts";

/** How the managed fields of a write come about: an apply brings its own. */
export type TrackFields = (call: Call, after: KubeObject, live: KubeObject | undefined) => KubeObject;

/** Stores a decoded new object. @throws ApiError 403, 404, 409, 422 */
export function commitCreate(call: Call, draft: KubeObject, track: TrackFields = trackUpdate): Stored {
  const { state, resource } = call;
  checkNamespace(call, draft);
  if (draft.metadata.resourceVersion) {
    throw new ApiError({
      code: 500,
      reason: "",
      message: "resourceVersion should not be set on objects to be created",
    });
  }
  if (resource.hasStatus) delete draft["status"];
  stampNew(resource, draft);
  const object = prepareStored(resource, draft, undefined);
  validateObject(resource, object, undefined, metadataErrors(resource, object, undefined));
  const key = keyOf(object);
  if (state.store.get(resource.collection, key) !== undefined) throw alreadyExists(subjectOf(resource, key.name));
  const tracked = track(call, object, undefined);
  return isDryRun(call) ? dry(tracked) : state.store.put(resource.collection, key, tracked);
}

/** Lets the kind's rules, which know the stored form, complete the object. */
function prepareStored(resource: Resource, draft: KubeObject, live: KubeObject | undefined): KubeObject {
  const object = toStored(resource, draft);
  resource.rules.prepare?.(object, live);
  return object;
}

/** Stores a decoded new state of a live object; the same state again writes nothing. @throws ApiError 409, 422 */
export function commitUpdate(call: Call, draft: KubeObject, live: Stored, track: TrackFields = trackUpdate): Stored {
  const { state, resource } = call;
  checkPreconditions(call, draft, live.object);
  const merged = mergeSubresource(call, draft, present(resource, live.object));
  keepServerFields(merged, live.object);
  const object = prepareStored(resource, merged, live.object);
  validateObject(resource, object, live.object, metadataErrors(resource, object, live.object));
  if (resource.rules.generation && contentDiffers(object, live.object, resource.hasStatus)) {
    object.metadata.generation = (live.object.metadata.generation ?? 0) + 1;
  }
  object.metadata.resourceVersion = live.object.metadata.resourceVersion ?? "";
  const tracked = track(call, object, live.object);
  if (isSame(tracked, live.object)) return live;
  if (isDryRun(call)) return dry(tracked);
  if (isReleased(state, resource, tracked)) {
    release(state, resource, tracked);
    return dry(tracked);
  }
  return state.store.put(resource.collection, keyOf(tracked), tracked);
}

/** `/status` writes status alone (and metadata, of which the rest is kept); the object itself everything else. */
function mergeSubresource({ resource, path }: Call, draft: KubeObject, live: KubeObject): KubeObject {
  if (!resource.hasStatus) return { ...draft, metadata: { ...draft.metadata } };
  const [base, status] = path.subresource === "status" ? [live, draft] : [draft, live];
  const { status: _, ...rest } = base;
  const metadata = path.subresource === "status" ? statusMetadata(live, draft) : { ...draft.metadata };
  return { ...rest, ...("status" in status ? { status: status["status"] } : {}), metadata } as KubeObject;
}

/** A write of `/status` may change no metadata of a custom object; who wrote it is kept apart. */
function statusMetadata(live: KubeObject, draft: KubeObject): KubeObject["metadata"] {
  const { managedFields, resourceVersion } = draft.metadata;
  return {
    ...live.metadata,
    ...(managedFields === undefined ? {} : { managedFields }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

function checkPreconditions({ resource, path, request }: Call, { metadata }: KubeObject, live: KubeObject): void {
  const name = live.metadata.name ?? "";
  if (metadata.name !== name) throw nameMismatch(metadata.name, path.name);
  if (metadata.uid && metadata.uid !== live.metadata.uid && request.method === "PATCH") {
    const message = `Invalid value: ${JSON.stringify(metadata.uid)}: field is immutable`;
    const cause = { reason: "FieldValueInvalid", message, field: "metadata.uid" };
    throw invalid(kindSubjectOf(resource, name), [cause]);
  }
  if (metadata.uid && metadata.uid !== live.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${live.metadata.uid}`;
    throw conflict(subjectOf(resource, name), why);
  }
  if (!metadata.resourceVersion) {
    if (resource.rules.unconditionalUpdate) return;
    const message = "Invalid value: 0x0: must be specified for an update";
    throw invalid(subjectOf(resource, name), [
      { reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" },
    ]);
  }
  if (metadata.resourceVersion !== live.metadata.resourceVersion)
    throw conflict(subjectOf(resource, name), OBJECT_MODIFIED);
}

/** New objects need a namespace that is there and stays. */
function checkNamespace({ state, resource, path }: Call, draft: KubeObject): void {
  if (!resource.namespaced) return;
  const { namespace } = path;
  const found = state.store.get(NAMESPACE_COLLECTION, { namespace: "", name: namespace });
  if (found === undefined) throw notFound({ group: "", kind: "namespaces", name: namespace });
  if (found.object.metadata.deletionTimestamp === undefined) return;
  const message = `namespace ${namespace} is being terminated`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const cause = { reason: "NamespaceTerminating", message, field: "metadata.namespace" };
  throw forbidden(subjectOf(resource, draft.metadata.name), why, [cause]);
}

function dry(object: KubeObject): Stored {
  return { object, json: JSON.stringify(object), revision: 0 };
}

/** An update that only touches its own time in the managed fields is none. */
function isSame(after: KubeObject, live: KubeObject): boolean {
  return isDeepStrictEqual(plain(after), plain(live));
}

/** As JSON has it: without undefined fields, whatever the order of keys or the prototype. */
function plain(object: KubeObject): unknown {
  return JSON.parse(JSON.stringify(object));
}
