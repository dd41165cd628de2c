import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey, ObjectMeta } from "../resources/object.ts";

export interface ListOptions {
  /** One namespace; all of them when absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects an answer; 500 when absent. */
  pageSize?: number;
}

/** One page of a list; all pages of a list are of one moment, its `resourceVersion`. */
export interface ListPage {
  items: KubeObject[];
  resourceVersion: string;
}

export interface WatchQuery {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Events after this version. */
  resourceVersion: string;
  /** When the server is to end the watch of its own accord. */
  timeoutSeconds: number;
  /** How long the connection may carry nothing before it is given up. */
  silenceMs: number;
}

export interface PatchOptions {
  subresource?: "status";
  fieldManager?: string;
  /** `metadata`: what is answered has no spec and status, which costs the server and us less; the whole object when absent. */
  answer?: "object" | "metadata";
}

/** One line of a watch as it came: `type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (then `object` is a Status). */
export interface RawWatchEvent {
  readonly type: string;
  /** The object's; its managedFields may be empty. Where the object has not been read yet this alone is, for a third of the cost. */
  readonly metadata: ObjectMeta;
  /** Read when it is asked for first. @throws KubeError when the line is no watch event */
  readonly object: KubeObject;
}

/** A kind as discovery reports it. */
export interface DiscoveredType extends ResourceType {
  /** Of the group's preferred version. */
  preferred: boolean;
  verbs: string[];
  shortNames: string[];
  hasStatus: boolean;
}

/**
 * Any kind of one API server, over shared kept-alive connections.
 * Every method rejects with KubeError, or with the signal's reason when that aborts.
 */
export interface KubeClient {
  /** The API server's address. */
  readonly server: string;
  /** Undefined when there is no such object. @throws KubeError 404 when the kind is not served (at the moment) */
  get(type: ResourceType, key: ObjectKey, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /** At least one page, of which the last may be empty. */
  listPages(type: ResourceType, options: ListOptions, signal?: AbortSignal): AsyncIterable<ListPage>;
  /** Resolves when the server has begun to answer, with batches until the server ends it; `watchResource` is what keeps one going. */
  openWatch(
    type: ResourceType,
    query: WatchQuery,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Iterable<RawWatchEvent>>>;
  create(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** With `metadata.resourceVersion`, a 409 Conflict when the object has changed since. */
  replace(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  mergePatch(
    type: ResourceType,
    key: ObjectKey,
    patch: object,
    options?: PatchOptions,
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  /** Server-side apply. */
  apply(
    type: ResourceType,
    object: KubeObject,
    options: { fieldManager: string; force?: boolean },
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  /** "gone" when it was not there; a 409 Conflict when it is not the one of `preconditions`; a 404 as with `get`. */
  delete(
    type: ResourceType,
    key: ObjectKey,
    preconditions?: { uid?: string; resourceVersion?: string },
    signal?: AbortSignal,
  ): Promise<"deleted" | "gone">;
  /** GETs any path (`/version`) and decodes its JSON. */
  raw(path: string, signal?: AbortSignal): Promise<unknown>;
  /** Every served kind, of every group that answers. */
  discover(signal?: AbortSignal): Promise<DiscoveredType[]>;
  /** Breaks off what is under way and closes all connections. */
  close(): Promise<void>;
}
