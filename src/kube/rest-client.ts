import { apiVersionOf, type ResourceType } from "../resources/kinds.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../resources/object.ts";
import type {
  DiscoveredType,
  KubeClient,
  ListOptions,
  ListPage,
  PatchOptions,
  RawWatchEvent,
  WatchQuery,
} from "./client.ts";
import { discoverTypes } from "./discovery.ts";
import { isAbsent, noAnswer } from "./kube-error.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { ChunkReader } from "./read-chunks.ts";
import { collectionPath, creationPath, describeType, objectPath, queryString } from "./resource-path.ts";
import type { Session } from "./session.ts";
import type { KubeRequest, Transport } from "./transport.ts";
import { type LineReader, WatchLine } from "./watch-line.ts";

/** Decodes a JSON body. @throws SyntaxError */
export type ParseJson = (json: string) => unknown;

interface ListBody {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: Partial<KubeObject>[] | null;
}

const PAGE_SIZE = 500;
/** Far above what etcd stores (1.5 MiB); a stream without newlines must not fill the memory. */
const MAX_WATCH_LINE_BYTES = 32 * 1024 * 1024;

const JSON_BODY = "application/json";
/** An object without spec and status, or as it is where the server cannot leave them out. */
const METADATA_ANSWER = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const MERGE_PATCH_BODY = "application/merge-patch+json";
const APPLY_BODY = "application/apply-patch+yaml"; // JSON is YAML

/** The dynamic client: one class for all kinds, since courier learns most of them at run time. */
export class RestClient implements KubeClient {
  readonly server: string;
  readonly #transport: Transport;
  readonly #session: Session;
  readonly #parse: ParseJson;

  constructor(transport: Transport, session: Session, parse: ParseJson) {
    this.server = transport.server;
    this.#transport = transport;
    this.#session = session;
    this.#parse = parse;
  }

  async get(type: ResourceType, key: ObjectKey, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const path = objectPath(type, key);
    try {
      return await this.#object({ method: "GET", path, ...asked("get", type, key) }, signal);
    } catch (error) {
      if (isAbsent(error, key.name)) return undefined;
      throw error;
    }
  }

  async *listPages(type: ResourceType, options: ListOptions, signal?: AbortSignal): AsyncGenerator<ListPage, void> {
    const { namespace, labelSelector, fieldSelector, pageSize = PAGE_SIZE } = options;
    const path = collectionPath(type, namespace);
    const kind = describeType(type);
    const action = `list ${kind}${inNamespace(namespace)}`;
    let next: string | undefined;
    do {
      const query = queryString({ labelSelector, fieldSelector, limit: pageSize, continue: next });
      const body = (await this.#json({ method: "GET", path: path + query, action, kind }, signal)) as ListBody;
      yield { items: completeItems(body.items ?? [], type), resourceVersion: body.metadata?.resourceVersion ?? "" };
      next = body.metadata?.continue;
    } while (next);
  }

  openWatch(
    type: ResourceType,
    query: WatchQuery,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Iterable<RawWatchEvent>>> {
    const { namespace, silenceMs, ...selection } = query;
    const parameters = { watch: true, allowWatchBookmarks: true, ...selection };
    const path = collectionPath(type, namespace) + queryString(parameters);
    const kind = describeType(type);
    const action = `watch ${kind}${inNamespace(namespace)}`;
    const splitter = new LineSplitter(MAX_WATCH_LINE_BYTES);
    const reader = { whole: (line: string) => this.#watchEvent(action, line), json: this.#parse };
    const batches: ChunkReader<Iterable<RawWatchEvent>> = {
      read: (chunk) => this.#watchEvents(action, splitter, chunk, reader),
      end: () => {
        // A proxy may turn a broken connection into an ordinary end; half a line betrays it.
        if (splitter.hasPartialLine)
          throw noAnswer("ConnectionLost", `Cannot ${action} at ${this.server}: ended inside an event`);
      },
    };
    return this.#transport.stream({ method: "GET", path, action, kind }, silenceMs, batches, signal);
  }

  async create(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const key = keyOf(object);
    const path = creationPath(type, key.namespace);
    const about = asked("create", type, key);
    return this.#object(
      { method: "POST", path, ...about, body: JSON.stringify(object), contentType: JSON_BODY },
      signal,
    );
  }

  async replace(type: ResourceType, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const key = keyOf(object);
    const path = objectPath(type, key);
    const about = asked("replace", type, key);
    return this.#object(
      { method: "PUT", path, ...about, body: JSON.stringify(object), contentType: JSON_BODY },
      signal,
    );
  }

  async mergePatch(
    type: ResourceType,
    key: ObjectKey,
    patch: object,
    { subresource, fieldManager, answer = "object" }: PatchOptions = {},
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    const below = subresource === undefined ? "" : `/${subresource}`;
    const path = objectPath(type, key) + below + queryString({ fieldManager });
    const about = asked(subresource === undefined ? "patch" : `patch ${subresource} of`, type, key);
    const body = JSON.stringify(patch);
    const accept = answer === "metadata" ? { accept: METADATA_ANSWER } : {};
    return this.#object({ method: "PATCH", path, ...about, body, contentType: MERGE_PATCH_BODY, ...accept }, signal);
  }

  async apply(
    type: ResourceType,
    object: KubeObject,
    { fieldManager, force }: { fieldManager: string; force?: boolean },
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    const key = keyOf(object);
    const path = objectPath(type, key) + queryString({ fieldManager, force });
    const about = asked("apply", type, key);
    return this.#object(
      { method: "PATCH", path, ...about, body: JSON.stringify(object), contentType: APPLY_BODY },
      signal,
    );
  }

  async delete(
    type: ResourceType,
    key: ObjectKey,
    preconditions?: { uid?: string; resourceVersion?: string },
    signal?: AbortSignal,
  ): Promise<"deleted" | "gone"> {
    const request: KubeRequest = {
      method: "DELETE",
      path: objectPath(type, key),
      ...asked("delete", type, key),
    };
    const options = { kind: "DeleteOptions", apiVersion: "v1", preconditions };
    const body = preconditions === undefined ? {} : { body: JSON.stringify(options), contentType: JSON_BODY };
    try {
      await this.#transport.send({ ...request, ...body }, signal);
      return "deleted";
    } catch (error) {
      if (isAbsent(error, key.name)) return "gone";
      throw error;
    }
  }

  async raw(path: string, signal?: AbortSignal): Promise<unknown> {
    if (!path.startsWith("/")) throw new TypeError(`Cannot get the path "${path}": it must begin with "/"`);
    return this.#json({ method: "GET", path, action: `get ${path}`, kind: path }, signal);
  }

  async discover(signal?: AbortSignal): Promise<DiscoveredType[]> {
    const { types } = await discoverTypes(this, signal);
    return types;
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async #object(request: KubeRequest, signal: AbortSignal | undefined): Promise<KubeObject> {
    return (await this.#json(request, signal)) as KubeObject;
  }

  async #json(request: KubeRequest, signal: AbortSignal | undefined): Promise<unknown> {
    return this.#decode(request.action, await this.#transport.send(request, signal));
  }

  /** Read one by one, so that what stands before a broken line is not lost. */
  *#watchEvents(
    action: string,
    splitter: LineSplitter,
    chunk: Buffer,
    reader: LineReader,
  ): Generator<RawWatchEvent, void> {
    for (const line of this.#lines(action, splitter, chunk)) yield new WatchLine(line, reader);
  }

  #watchEvent(action: string, line: string): Pick<RawWatchEvent, "type" | "object"> {
    const event = this.#decode(action, line) as Partial<RawWatchEvent>;
    const isEvent = typeof event.type === "string" && (event.type === "ERROR" || event.object?.metadata !== undefined);
    if (!isEvent) throw noAnswer("AnswerInvalid", `Cannot ${action} at ${this.server}: a line is no watch event`);
    return event as RawWatchEvent;
  }

  #lines(action: string, splitter: LineSplitter, chunk: Buffer): string[] {
    try {
      return splitter.push(chunk).filter((line) => line.trim() !== "");
    } catch (cause) {
      throw noAnswer("AnswerInvalid", `Cannot ${action} at ${this.server}: ${(cause as RangeError).message}`, cause);
    }
  }

  /** A JSON object; a proxy's login page with status 200 is none. */
  #decode(action: string, json: string): unknown {
    const expected = "check that the address is that of a Kubernetes API server";
    let value: unknown;
    try {
      value = this.#parse(json);
    } catch (cause) {
      throw noAnswer("AnswerInvalid", `Cannot ${action} at ${this.server}: the answer is no JSON; ${expected}`, cause);
    }
    if (typeof value === "object" && value !== null) return value;
    throw noAnswer("AnswerInvalid", `Cannot ${action} at ${this.server}: the answer is no JSON object; ${expected}`);
  }
}

/** Lists of built-in kinds leave `apiVersion` and `kind` out of their items. */
function completeItems(items: Partial<KubeObject>[], type: ResourceType): KubeObject[] {
  const identity = { apiVersion: apiVersionOf(type), kind: type.kind };
  return items.map((item) => (item.kind === undefined ? { ...identity, ...item } : item) as KubeObject);
}

function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

/** What a request about one object asks, in words, and of which kind. */
function asked(verb: string, type: ResourceType, key: ObjectKey): { action: string; kind: string } {
  const kind = describeType(type);
  return { action: `${verb} ${kind} "${formatKey(key)}"`, kind };
}

function inNamespace(namespace: string | undefined): string {
  return namespace === undefined || namespace === "" ? "" : ` in "${namespace}"`;
}
