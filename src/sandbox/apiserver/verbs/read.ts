import { apiVersionOf } from "../../../resources/kinds.ts";
import type { KubeObject } from "../../../resources/object.ts";
import { negotiate, type Representation } from "../protocol/accept.ts";
import type { Answer } from "../protocol/answer.ts";
import { type ApiError, badRequest, expired, futureRevision, invalid, notFound } from "../protocol/api-error.ts";
import { count } from "../protocol/request.ts";
import { present, type Resource, subjectOf } from "../resources/resource.ts";
import { decodeContinue, encodeContinue } from "../store/continue-token.ts";
import { keyOf, type Stored, storageKey } from "../store/store.ts";
import { type IncludeObject, partialMetadata, toTable } from "../table/table.ts";
import { type Call, filterOf, hasSelector } from "./scope.ts";

/** GET of one object. @throws ApiError 404, 504 */
export function get(call: Call): Answer {
  const { state, resource, path, request } = call;
  checkRevision(call);
  const found = state.store.get(resource.collection, path);
  if (found === undefined) throw notFound(subjectOf(resource, path.name));
  return answerObject(call, found, negotiate(request.headers.accept));
}

/** A stored object as an answer, in the representation the client asked for. */
export function answerObject(
  { resource, request }: Pick<Call, "resource" | "request">,
  stored: Stored,
  representation: Representation,
  code = 200,
): Answer {
  const object = present(resource, stored.object);
  const { encoding, as } = representation;
  if (as === "metadata") return { code, encoding, body: { value: partialMetadata(object) } };
  if (as === "table") {
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    return {
      code,
      encoding,
      body: { value: toTable(resource, [object], { metadata, include: includeOf(request.query) }) },
    };
  }
  return { code, encoding, body: object === stored.object ? { json: stored.json } : { value: object } };
}

/** What `?includeObject=` asks of a Table. @throws ApiError 400 */
export function includeOf(query: URLSearchParams): IncludeObject {
  const include = query.get("includeObject") ?? "";
  if (include === "" || include === "Metadata") return "Metadata";
  if (include === "None" || include === "Object") return include;
  throw badRequest(`unrecognized includeObject value: "${include}"`);
}

/** GET of a collection, in pages when `limit` is given. @throws ApiError 400, 410, 504 */
export function list(call: Call): Answer {
  const { state, resource, request } = call;
  const representation = negotiate(request.headers.accept);
  const page = readPage(call);
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.next === undefined ? {} : { continue: encodeContinue({ revision: page.revision, after: page.next }) }),
    ...(page.next === undefined || hasSelector(call) ? {} : { remainingItemCount: page.remaining }),
  };
  if (page.next !== undefined) state.snapshots.remember(resource.collection, page.revision, page.snapshot);
  return answerList(call, page.items, metadata, representation);
}

/** @throws ApiError 400 */
function readLimit(query: URLSearchParams): number | undefined {
  const text = query.get("limit") ?? "";
  if (text !== "" && !/^-?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return count(query, "limit");
}

interface Page {
  items: Stored[];
  snapshot: readonly Stored[];
  revision: number;
  /** Storage key of the last item when more follow. */
  next: string | undefined;
  remaining: number;
}

function readPage(call: Call): Page {
  const { request } = call;
  const { snapshot, revision, after } = openSnapshot(call);
  const limit = readLimit(request.query) || Number.POSITIVE_INFINITY;
  const filter = filterOf(call);
  const start = after === "" ? 0 : firstAfter(snapshot, after);
  const items: Stored[] = [];
  let index = start;
  for (; index < snapshot.length && items.length < limit; index++) {
    const stored = snapshot[index];
    if (stored !== undefined && filter(stored.object)) items.push(stored);
  }
  const rest = snapshot.slice(index).filter((stored) => filter(stored.object)).length;
  const last = items.at(-1);
  const next = rest > 0 && last !== undefined ? storageKey(keyOf(last.object)) : undefined;
  return { items, snapshot, revision, next, remaining: rest };
}

/** The state that a list reads: now, or the one that its first page saw. */
function openSnapshot(call: Call): { snapshot: readonly Stored[]; revision: number; after: string } {
  const { state, resource, request } = call;
  const token = request.query.get("continue") ?? "";
  if (token !== "") return continueSnapshot(call, token);
  const asked = checkRevision(call);
  if (request.query.has("resourceVersionMatch") && asked === 0 && !request.query.get("resourceVersion"))
    throw matchForbidden();
  if (request.query.get("resourceVersionMatch") === "Exact" && asked !== state.store.revision) {
    const snapshot = state.snapshots.recall(resource.collection, asked);
    if (snapshot === undefined) throw expired("The resourceVersion for the provided list is too old.");
    return { snapshot, revision: asked, after: "" };
  }
  return { snapshot: state.store.list(resource.collection), revision: state.store.revision, after: "" };
}

function matchForbidden(): ApiError {
  const message = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
  return invalid({ group: "meta.k8s.io", kind: "ListOptions" }, [
    { reason: "FieldValueForbidden", message, field: "resourceVersionMatch" },
  ]);
}

function continueSnapshot({ state, resource, request }: Call, token: string): ReturnType<typeof openSnapshot> {
  const asked = request.query.get("resourceVersion") ?? "";
  if (asked !== "" && asked !== "0") throw badRequest("specifying resource version is not allowed when using continue");
  const { revision, after } = decodeContinue(token);
  if (revision === -1)
    return { snapshot: state.store.list(resource.collection), revision: state.store.revision, after };
  const snapshot = state.snapshots.recall(resource.collection, revision);
  if (snapshot === undefined) throw expired(EXPIRED_CONTINUE, { continue: encodeContinue({ revision: -1, after }) });
  return { snapshot, revision, after };
}

const EXPIRED_CONTINUE =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
  "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
  "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
  "deleted between the time the first chunk was returned and now may show up in the list.";

/** Reads `resourceVersion`; 0 when none. @throws ApiError 400, or 504 when this server has not come so far */
function checkRevision({ state, request }: Call): number {
  const revision = readRevision(request.query.get("resourceVersion") ?? "");
  if (revision > state.store.revision) throw futureRevision(revision, state.store.revision);
  return revision;
}

/** @throws ApiError 400 */
export function readRevision(text: string): number {
  if (text === "") return 0;
  if (!/^\d{1,15}$/.test(text)) {
    const value = JSON.stringify(text);
    throw badRequest(`resourceVersion: Invalid value: ${value}: strconv.ParseUint: parsing ${value}: invalid syntax`);
  }
  return Number(text);
}

/** Index of the first item whose key is greater. */
function firstAfter(items: readonly Stored[], after: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && storageKey(keyOf(item.object)) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Stored objects as a list in the representation the client asked for. */
export function answerList(
  { resource, request }: Pick<Call, "resource" | "request">,
  items: readonly Stored[],
  metadata: Record<string, unknown>,
  { encoding, as }: Representation,
): Answer {
  const code = 200;
  if (as === "table") {
    const objects = items.map(({ object }) => present(resource, object));
    return {
      code,
      encoding,
      body: { value: toTable(resource, objects, { metadata, include: includeOf(request.query) }) },
    };
  }
  if (as === "metadata") {
    const list = { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata };
    return { code, encoding, body: { value: { ...list, items: items.map(({ object }) => partialMetadata(object)) } } };
  }
  const head = JSON.stringify({ kind: resource.listKind, apiVersion: apiVersionOf(resource), metadata });
  const body = items.map((stored) => itemJson(resource, stored)).join(",");
  return { code, encoding, body: { json: `${head.slice(0, -1)},"items":[${body}]}` } };
}

/** A list of a built-in kind names kind and version once, not in every item: Go leaves them out there. */
function itemJson(resource: Resource, stored: Stored): string {
  const object: KubeObject = present(resource, stored.object);
  const { apiVersion, kind, ...rest } = object;
  if (!resource.custom) return JSON.stringify(rest);
  return object === stored.object ? stored.json : JSON.stringify({ apiVersion, kind, ...rest });
}
