import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../resources/object.ts";

/** A kind that the cluster serves. */
export interface ServedType extends ResourceType {
  /** Of the group's preferred version. */
  preferred: boolean;
  verbs: string[];
  hasStatus: boolean;
}

/** A refusal of the API server, or no answer: `code` is the HTTP status, 0 without an answer. */
export interface ApiError extends Error {
  code: number;
  /** `NotFound`, `AlreadyExists`, `Forbidden`, … */
  reason: string;
  details?: { name?: string; kind?: string; causes?: { field?: string; message?: string }[] };
  retryAfterMs?: number;
}

/** Whether something thrown by the cluster is its answer, and no bug. */
export function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "reason" in error;
}

/** Objects of any kind. Every method rejects with an ApiError, or with the signal's reason. */
export interface Cluster {
  discover(signal?: AbortSignal): Promise<ServedType[]>;
  /** Undefined when there is no such object. */
  get(type: ResourceType, key: ObjectKey, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /** GETs any path and decodes its JSON. */
  raw(path: string, signal?: AbortSignal): Promise<unknown>;
  /** At least one page. `labelSelector` as the API takes it. */
  listPages(
    type: ResourceType,
    options: { namespace?: string; labelSelector?: string },
    signal?: AbortSignal,
  ): AsyncIterable<{ items: KubeObject[] }>;
  create(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** With `metadata.resourceVersion`, a 409 Conflict when the object has changed since. */
  replace(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>;
  /** Server-side apply. */
  apply(
    type: ResourceType,
    object: KubeObject,
    options: { fieldManager: string; force?: boolean },
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  mergePatch(
    type: ResourceType,
    key: ObjectKey,
    patch: object,
    options?: { subresource?: "status"; answer?: "object" | "metadata" },
    signal?: AbortSignal,
  ): Promise<KubeObject>;
  delete(
    type: ResourceType,
    key: ObjectKey,
    preconditions?: { uid?: string },
    signal?: AbortSignal,
  ): Promise<"deleted" | "gone">;
}

export type SourceEvent =
  | { type: "Listed" | "Added" | "Modified" | "Deleted"; object: KubeObject }
  | { type: "Synced"; resourceVersion: string };

export type SourceState = { phase: "listing" | "watching" } | { phase: "retrying"; error: Error; retryInMs: number };

/**
 * Lists and watches until `signal` aborts, whatever the server does. `Listed` … `Synced` is one whole list: what was not
 * Listed is gone. With a `resourceVersion` it begins with the changes after that, where the server still has them.
 */
export type WatchSource = (
  type: ResourceType,
  options: { namespace?: string; labelSelector?: string; fieldSelector?: string; resourceVersion?: string },
  handlers: {
    onEvent(event: SourceEvent): void | Promise<void>;
    onState?(state: SourceState): void;
    /** Everything up to this version was told. */
    onPosition?(resourceVersion: string): void;
  },
  signal: AbortSignal,
) => Promise<void>;

/**
 * What happened after a version, in order: objects as they were created, be they deleted since. Ends once all has come, which
 * may take seconds.
 * @throws ApiError, 410 where the server remembers only what came later
 */
export type ReadHistory = (
  type: ResourceType,
  query: { namespace?: string; labelSelector?: string; resourceVersion: string },
  signal: AbortSignal,
) => AsyncIterable<{ type: "created" | "changed"; object: KubeObject }>;

/** What people find with `kubectl describe` and `kubectl get events`. */
export interface GeneratorEvent {
  regarding: KubeObject;
  related?: KubeObject;
  type: "Normal" | "Warning";
  reason: "PolicyError" | "PolicyApplied";
  action: string;
  note: string;
}

/** What the generator needs of the world; app.ts joins it to kube/. */
export interface GeneratorPorts {
  cluster: Cluster;
  watch: WatchSource;
  history: ReadHistory;
  /** Writes an Event. May reject: then the generator logs it and goes on. */
  recordEvent(event: GeneratorEvent, signal: AbortSignal): Promise<void>;
}
