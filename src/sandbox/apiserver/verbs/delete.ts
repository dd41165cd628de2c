import type { KubeObject, ObjectKey } from "../../../resources/object.ts";
import { negotiate } from "../protocol/accept.ts";
import { type Answer, json } from "../protocol/answer.ts";
import { conflict, forbidden, invalid, notFound, type Status } from "../protocol/api-error.ts";
import { CRD_COLLECTION, NAMESPACE_COLLECTION } from "../resources/builtin.ts";
import { customCollection } from "../resources/custom.ts";
import { kindSubjectOf, type Resource, subjectOf } from "../resources/resource.ts";
import type { ServerState } from "../server-state.ts";
import { keyOf, type Stored } from "../store/store.ts";
import { isDryRun } from "./dry-run.ts";
import { timestamp } from "./metadata.ts";
import { answerList, answerObject } from "./read.ts";
import { type Call, filterOf } from "./scope.ts";

/** The part of DeleteOptions that is read. Propagation has nothing to do: no owned object is collected here. */
export interface DeleteOptions {
  propagationPolicy?: unknown;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

const PROTECTED_NAMESPACES = new Set(["default", "kube-system", "kube-public"]);

/** DELETE of one object: gone at once, or marked while finalizers hold it. @throws ApiError 403, 404, 409 */
export function remove(call: Call, options: DeleteOptions): Answer {
  const { state, resource, path, request } = call;
  const found = state.store.get(resource.collection, path);
  if (found === undefined) throw notFound(subjectOf(resource, path.name));
  checkPolicy(options.propagationPolicy ?? request.query.get("propagationPolicy"));
  checkDeletable(call, found.object, options);
  if (isDryRun(call) || options.dryRun?.includes("All")) return deletedAnswer(resource, found.object);
  const marked = requestDeletion(state, resource, found);
  if (marked === undefined) return deletedAnswer(resource, found.object);
  return answerObject(call, marked, negotiate(request.headers.accept));
}

const POLICIES = ["Foreground", "Background", "Orphan"];

/** @throws ApiError 422 */
function checkPolicy(policy: unknown): void {
  if (policy === undefined || policy === null || POLICIES.includes(String(policy))) return;
  const supported = [...POLICIES, "nil"].map((one) => JSON.stringify(one)).join(", ");
  const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: ${supported}`;
  throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, [
    { reason: "FieldValueNotSupported", message, field: "propagationPolicy" },
  ]);
}

function checkDeletable(
  { resource, path }: Call,
  { metadata }: KubeObject,
  { preconditions = {} }: DeleteOptions,
): void {
  const subject = kindSubjectOf(resource, path.name);
  const { uid, resourceVersion } = preconditions;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid})`;
    throw conflict(subject, `${why}. The object might have been deleted and then recreated`);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const record = `the ResourceVersion in record (${metadata.resourceVersion})`;
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match ${record}`;
    throw conflict(subject, `${why}. The object might have been modified`);
  }
  if (resource.collection === NAMESPACE_COLLECTION && PROTECTED_NAMESPACES.has(path.name)) {
    throw forbidden(subjectOf(resource, path.name), "this namespace may not be deleted");
  }
}

function deletedAnswer({ group, plural }: Resource, { metadata }: KubeObject): Answer {
  const { name, uid } = metadata;
  const details = { name: name ?? "", ...(group === "" ? {} : { group }), kind: plural, uid: uid ?? "" };
  const status: Status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  return json(status);
}

/** DELETE of a collection: everything the selectors choose. Answers with what was chosen, as it was. */
export function removeCollection(call: Call): Answer {
  const { state, resource, request } = call;
  const filter = filterOf(call);
  const chosen = state.store.list(resource.collection).filter(({ object }) => filter(object));
  if (!isDryRun(call)) for (const stored of chosen) requestDeletion(state, resource, stored);
  const metadata = { resourceVersion: String(state.store.revision) };
  return answerList(call, chosen, metadata, negotiate(request.headers.accept));
}

type Place = Pick<Resource, "collection">;

/** Namespaces and custom kinds are seen to terminate, and take along what they hold. */
const CONTAINERS = new Set([NAMESPACE_COLLECTION, CRD_COLLECTION]);

/** Begins a deletion. The result is the marked object (which may be gone by now), or undefined when it went at once. */
function requestDeletion(state: ServerState, place: Place, stored: Stored, holder?: Stored): Stored | undefined {
  const { object } = stored;
  const key = keyOf(object);
  const holds = (object.metadata.finalizers?.length ?? 0) > 0;
  if (!holds && !CONTAINERS.has(place.collection)) {
    state.store.remove(place.collection, key);
    if (holder === undefined) afterRemoval(state, key); // else the holder looks after all of them
    return undefined;
  }
  const marked = object.metadata.deletionTimestamp === undefined ? mark(state, place, object) : stored;
  for (const inner of contents(state, place, object)) requestDeletion(state, inner.place, inner.stored, stored);
  releaseIfFree(state, place, marked);
  return marked;
}

function mark(state: ServerState, place: Place, object: KubeObject): Stored {
  const metadata = { ...object.metadata, deletionTimestamp: timestamp(), deletionGracePeriodSeconds: 0 };
  if (metadata.generation !== undefined) metadata.generation += 1;
  const marked: KubeObject = { ...object, metadata };
  if (place.collection === NAMESPACE_COLLECTION) marked["status"] = { phase: "Terminating" };
  return state.store.put(place.collection, keyOf(object), marked);
}

/** True for an object that is being deleted and that nothing holds any more. */
export function isReleased(state: ServerState, place: Place, object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && finalizers.length === 0 && contents(state, place, object).length === 0;
}

/** Removes a released object in its last state, and then what only waited for it. */
export function release(state: ServerState, place: Place, object: KubeObject): void {
  const key = keyOf(object);
  state.store.remove(place.collection, key, object);
  afterRemoval(state, key);
}

function releaseIfFree(state: ServerState, place: Place, { object }: Stored): void {
  const isThere = state.store.get(place.collection, keyOf(object)) !== undefined;
  if (isThere && isReleased(state, place, object)) release(state, place, object);
}

/** What must go before this object can: all in a namespace, all of a custom kind. */
function contents(state: ServerState, place: Place, object: KubeObject): { place: Place; stored: Stored }[] {
  if (place.collection === CRD_COLLECTION) return itemsOf(state, customCollection(object), () => true);
  if (place.collection !== NAMESPACE_COLLECTION) return [];
  const collections = new Set(state.registry.all().flatMap((one) => (one.namespaced ? [one.collection] : [])));
  return [...collections].flatMap((collection) =>
    itemsOf(state, collection, ({ metadata }) => metadata.namespace === object.metadata.name),
  );
}

function itemsOf(state: ServerState, collection: string, isMeant: (object: KubeObject) => boolean) {
  const items = state.store.list(collection).filter(({ object }) => isMeant(object));
  return items.map((stored) => ({ place: { collection }, stored }));
}

/** The last object of a namespace or custom kind that is being deleted takes it along. */
function afterRemoval(state: ServerState, { namespace }: ObjectKey): void {
  const holder = state.store.get(NAMESPACE_COLLECTION, { namespace: "", name: namespace });
  if (holder !== undefined) releaseIfFree(state, { collection: NAMESPACE_COLLECTION }, holder);
  for (const stored of state.store.list(CRD_COLLECTION)) {
    if (stored.object.metadata.deletionTimestamp !== undefined)
      releaseIfFree(state, { collection: CRD_COLLECTION }, stored);
  }
}
