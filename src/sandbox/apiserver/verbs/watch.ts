import type { ServerResponse } from "node:http";
import { apiVersionOf } from "../../../resources/kinds.ts";
import type { KubeObject } from "../../../resources/object.ts";
import { negotiate, type Representation } from "../protocol/accept.ts";
import { expired } from "../protocol/api-error.ts";
import { count, flag } from "../protocol/request.ts";
import { present } from "../resources/resource.ts";
import type { Change, Stored } from "../store/store.ts";
import { partialMetadata, toTable } from "../table/table.ts";
import { includeOf, readRevision } from "./read.ts";
import { type Call, type Filter, filterOf } from "./scope.ts";

/** As a real server: a watch without `timeoutSeconds` ends after 30 to 60 minutes. */
const DEFAULT_TIMEOUT_SECONDS = 1800;
/** A watcher that reads so slowly that this much waits for it is cut off; it resumes from its last revision. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
const BOOKMARK_BEFORE_END_MS = 2000;

type EventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

/** Streams changes as lines of JSON until the timeout, the client or the server ends it. @throws ApiError before the first line */
export function watch(call: Call, response: ServerResponse): void {
  const { state, resource, request } = call;
  const stream = new WatchStream(call, response);
  const filter = filterOf(call);
  const text = request.query.get("resourceVersion") ?? "";
  const revision = readRevision(text);
  const initial = flag(request.query, "sendInitialEvents") || revision === 0;
  const missed = initial ? [] : state.store.changesSince(resource.collection, revision);
  stream.open();
  if (missed === undefined) {
    stream.end("ERROR", expired(`too old resource version: ${revision} (${state.store.revision})`).toStatus());
    return;
  }
  if (initial) sendInitial(call, stream, filter);
  for (const change of missed) forward(change, filter, stream);
  follow(call, stream, filter);
}

function sendInitial({ state, resource, request }: Call, stream: WatchStream, filter: Filter): void {
  if (request.query.get("sendInitialEvents") === "false") return;
  for (const stored of state.store.list(resource.collection)) {
    if (filter(stored.object)) stream.send("ADDED", stored);
  }
  if (flag(request.query, "sendInitialEvents")) stream.bookmark({ "k8s.io/initial-events-end": "true" });
}

function follow({ state, resource, request }: Call, stream: WatchStream, filter: Filter): void {
  const unsubscribe = state.store.subscribe((change) => {
    if (change.collection === resource.collection) forward(change, filter, stream);
  });
  const timeoutMs = (count(request.query, "timeoutSeconds") || DEFAULT_TIMEOUT_SECONDS) * 1000;
  const timers: NodeJS.Timeout[] = [setTimeout(() => stream.close(), Math.min(timeoutMs, 2 ** 31 - 1))];
  if (flag(request.query, "allowWatchBookmarks")) {
    timers.push(setInterval(() => stream.bookmark(), state.bookmarkMs));
    if (timeoutMs > BOOKMARK_BEFORE_END_MS) {
      timers.push(setTimeout(() => stream.bookmark(), Math.min(timeoutMs - BOOKMARK_BEFORE_END_MS, 2 ** 31 - 1)));
    }
  }
  const stop = (): void => {
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
    stream.close();
  };
  stream.onClose(stop);
  request.signal.addEventListener("abort", stop, { once: true });
}

/** A change as one watcher sees it: what enters its selection is added, what leaves it deleted. */
function forward({ type, current, previous }: Change, filter: Filter, stream: WatchStream): void {
  const before = previous !== undefined && filter(previous.object);
  const after = type !== "DELETED" && filter(current.object);
  if (after) stream.send(before ? "MODIFIED" : "ADDED", current);
  else if (before && type === "DELETED") stream.send("DELETED", current);
  else if (before) stream.send("DELETED", lastSeen(previous, current));
}

/** The state that the watcher knew, under the revision of the change that took it out of sight. */
function lastSeen(previous: Stored, { revision }: Stored): Stored {
  const { metadata, ...rest } = previous.object;
  const object = { ...rest, metadata: { ...metadata, resourceVersion: String(revision) } } as KubeObject;
  return { object, json: JSON.stringify(object), revision };
}

/** One watcher's connection. */
class WatchStream {
  readonly #call: Call;
  readonly #response: ServerResponse;
  readonly #representation: Representation;
  #tableHeaders = true;

  constructor(call: Call, response: ServerResponse) {
    this.#call = call;
    this.#response = response;
    this.#representation = negotiate(call.request.headers.accept);
  }

  open(): void {
    this.#response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    this.#response.flushHeaders();
  }

  send(type: EventType, stored: Stored): void {
    const { resource } = this.#call;
    const object = present(resource, stored.object);
    if (object === stored.object && this.#representation.as === "object") {
      this.#write(`{"type":"${type}","object":${stored.json}}\n`);
    } else {
      this.#write(`${JSON.stringify({ type, object: this.#shape(object) })}\n`);
    }
  }

  /** Tells the watcher how far it has come, so that it can resume from there. */
  bookmark(annotations?: Record<string, string>): void {
    const { resource, state } = this.#call;
    const resourceVersion = String(state.store.revision);
    const metadata = {
      resourceVersion,
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    };
    const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    this.#write(`${JSON.stringify({ type: "BOOKMARK", object: this.#shape(object as unknown as KubeObject) })}\n`);
  }

  end(type: EventType, object: object): void {
    this.#response.end(`${JSON.stringify({ type, object })}\n`);
  }

  close(): void {
    if (!this.#response.writableEnded) this.#response.end();
  }

  onClose(listener: () => void): void {
    this.#response.once("close", listener);
  }

  #shape(object: KubeObject): object {
    const { resource, request } = this.#call;
    if (this.#representation.as === "object") return object;
    if (this.#representation.as === "metadata") return partialMetadata(object);
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    const table = toTable(resource, [object], {
      metadata,
      include: includeOf(request.query),
      headers: this.#tableHeaders,
    });
    this.#tableHeaders = false;
    return table;
  }

  #write(line: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(line);
    if (this.#response.writableLength > MAX_BACKLOG_BYTES) this.#response.destroy();
  }
}
