import { backoffMs } from "../control/backoff.ts";
import { pauseMs } from "../control/pause.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { Json, KubeObject } from "../resources/object.ts";
import { PolicyError } from "./errors.ts";
import {
  type CalledPath,
  type GlobalContextEntry,
  type ListedResource,
  parseGlobalContextEntry,
} from "./global-context-entry.ts";
import type { JsonObject } from "./jmespath/values.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import { type Cluster, isApiError, type ServedType } from "./ports.ts";

/** Kyverno has served it as v2alpha1, v2beta1 and v2. */
const ENTRY = { group: "kyverno.io", version: "*", kind: "GlobalContextEntry" };
/** For how long entries and lists are taken for how things are: a burst asks once a second. */
const FRESH_MS = 1_000;
const LOAD_TIMEOUT_MS = 10_000;
const BACKOFF = { firstMs: 100, capMs: 1_000 };
/** Kyverno's bound for all that a rule's context holds. */
export const MAX_CONTEXT = 2 * 1024 * 1024;

export type GlobalContextCluster = Pick<Cluster, "get" | "raw" | "listPages">;

interface Answer<T> {
  readUntil: number;
  value: Promise<T>;
}

/**
 * Reads GlobalContextEntries and their data when a rule asks for them, and remembers them for a while: an API call for its
 * `refreshInterval`, all else, failures included, for a second. Nothing is asked for that no rule uses.
 */
export class GlobalContext {
  readonly #cluster: GlobalContextCluster;
  readonly #catalog: KindCatalog;
  readonly #now: () => number;
  readonly #entries = new Map<string, Answer<GlobalContextEntry>>();
  /** By what the entry says, so that one that was edited is read anew. */
  readonly #data = new Map<string, Answer<Json>>();

  /** @param now in milliseconds, of a clock that only goes forward */
  constructor(cluster: GlobalContextCluster, catalog: KindCatalog, now: () => number) {
    this.#cluster = cluster;
    this.#catalog = catalog;
    this.#now = now;
  }

  /** @throws Error where there is none or it cannot be used */
  async entry(name: string, signal?: AbortSignal): Promise<GlobalContextEntry> {
    return this.#recent(this.#entries, name, FRESH_MS, () => this.#readEntry(name, signal));
  }

  /** The entry's data before projections. @throws Error where it cannot be read or is too large */
  async data({ source }: GlobalContextEntry, signal?: AbortSignal): Promise<Json> {
    const maxAgeMs = source.type === "apiCall" ? source.refreshMs : FRESH_MS;
    const load = () => {
      const limit = AbortSignal.any([AbortSignal.timeout(LOAD_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])]);
      return source.type === "apiCall" ? this.#call(source, limit) : this.#list(source, limit);
    };
    return this.#recent(this.#data, JSON.stringify(source), maxAgeMs, load);
  }

  #recent<T>(answers: Map<string, Answer<T>>, key: string, maxAgeMs: number, ask: () => Promise<T>): Promise<T> {
    const now = this.#now();
    for (const [each, { readUntil }] of answers) if (readUntil <= now) answers.delete(each);
    const known = answers.get(key);
    if (known !== undefined) return known.value;
    const value = ask();
    const answer = { readUntil: now + maxAgeMs, value };
    answers.set(key, answer);
    value.catch(() => {
      answer.readUntil = Math.min(answer.readUntil, this.#now() + FRESH_MS);
    });
    return value;
  }

  async #readEntry(name: string, signal?: AbortSignal): Promise<GlobalContextEntry> {
    const type = await this.#served(() => this.#catalog.resolve(ENTRY)[0], signal);
    if (type === undefined)
      throw new Error("GlobalContextEntry is not served by this cluster: install its CRD (deploy/generator/crds)");
    const found = await this.#cluster.get(type, { namespace: "", name }, signal);
    if (found === undefined) throw new Error(`GlobalContextEntry "${name}" does not exist`);
    try {
      return parseGlobalContextEntry(found);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      throw new Error(`GlobalContextEntry "${name}" cannot be used: ${error.message}`);
    }
  }

  /** Asks the cluster again what it serves where it is not known to serve this. */
  async #served(find: () => ServedType | undefined, signal?: AbortSignal): Promise<ServedType | undefined> {
    const known = find();
    if (known !== undefined) return known;
    await this.#catalog.refresh(signal);
    return find();
  }

  async #call({ urlPath, retryLimit }: CalledPath, signal: AbortSignal): Promise<Json> {
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = (await this.#cluster.raw(urlPath, signal)) as Json;
        requireRoom(JSON.stringify(answer).length, `the answer of GET ${urlPath}`);
        return answer;
      } catch (error) {
        const mayPass = isApiError(error) && (error.code === 0 || error.code === 429 || error.code >= 500);
        if (signal.aborted || !mayPass || tries > retryLimit) throw error;
      }
      await pauseMs(backoffMs(tries, BACKOFF), signal);
    }
  }

  async #list(source: ListedResource, signal: AbortSignal): Promise<Json> {
    const { group, version, resource, namespace } = source;
    const type = await this.#served(() => this.#catalog.findResource(group, version, resource), signal);
    if (type === undefined)
      throw new Error(`${resource} of ${apiVersionOf({ group, version })} is not served by this cluster`);
    if (namespace !== "" && !type.namespaced)
      throw new Error(`${resource} are in no namespace, and "${namespace}" is asked for`);
    const objects: JsonObject[] = [];
    let size = 0;
    for await (const { items } of this.#cluster.listPages(type, { namespace }, signal))
      for (const item of items) {
        const object = withoutManagers(item);
        size += JSON.stringify(object).length;
        requireRoom(size, `the list of ${resource}`);
        objects.push(object);
      }
    return objects;
  }
}

/** Who wrote which field is often larger than the object. */
function withoutManagers({ metadata: { managedFields: _, ...metadata }, ...object }: KubeObject): JsonObject {
  return { ...object, metadata } as unknown as JsonObject;
}

function requireRoom(characters: number, what: string): void {
  if (characters > MAX_CONTEXT) throw new Error(`${what} is larger than ${MAX_CONTEXT} characters`);
}
