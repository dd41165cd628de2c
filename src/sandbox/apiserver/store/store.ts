import type { KubeObject, ObjectKey } from "../../../resources/object.ts";
import { History } from "./history.ts";

/** One revision of one object. It is never changed after it was stored, so readers share it. */
export interface Stored {
  readonly object: KubeObject;
  /** The object as JSON, made once for every reader. */
  readonly json: string;
  readonly revision: number;
}

/** One write, as watchers see it. */
export interface Change {
  type: "ADDED" | "MODIFIED" | "DELETED";
  collection: string;
  revision: number;
  current: Stored;
  /** What the write replaced: a watch with a selector needs it to tell entering from leaving. */
  previous: Stored | undefined;
}

interface Collection {
  items: Map<string, Stored>;
  /** All items by key; undefined after a write until somebody lists. */
  sorted: readonly Stored[] | undefined;
}

/**
 * Every object of the server, in memory, under one growing revision as etcd has it. A collection is named by the
 * group and plural of its kind. Nothing here knows kinds or HTTP.
 */
export class Store {
  #revision = 0;
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #history: History;

  constructor(limits: { events: number; bytes: number }) {
    this.#history = new History(limits);
  }

  /** The revision of the latest write. */
  get revision(): number {
    return this.#revision;
  }

  get(collection: string, key: ObjectKey): Stored | undefined {
    return this.#collections.get(collection)?.items.get(storageKey(key));
  }

  /** The collection as it is now, sorted by namespace and name; the array is never changed afterwards. */
  list(collection: string): readonly Stored[] {
    const found = this.#collections.get(collection);
    if (found === undefined) return [];
    found.sorted ??= [...found.items.entries()].sort(byKey).map(([, stored]) => stored);
    return found.sorted;
  }

  /** Stores a new object or a new revision of one, and gives it its resourceVersion. Takes ownership of `object`. */
  put(collection: string, key: ObjectKey, object: KubeObject): Stored {
    const { items } = this.#writable(collection);
    const previous = items.get(storageKey(key));
    const current = this.#revise(object);
    items.set(storageKey(key), current);
    const type = previous === undefined ? "ADDED" : "MODIFIED";
    this.#publish({ type, collection, revision: current.revision, current, previous });
    return current;
  }

  /** Removes an object; watchers see its last state, `final` where the removal changed it, under the removal's revision. */
  remove(collection: string, key: ObjectKey, final?: KubeObject): void {
    const { items } = this.#writable(collection);
    const previous = items.get(storageKey(key));
    if (previous === undefined) return;
    items.delete(storageKey(key));
    const object = final ?? previous.object;
    const current = this.#revise({ ...object, metadata: { ...object.metadata } });
    this.#publish({ type: "DELETED", collection, revision: current.revision, current, previous });
  }

  /** The collection's writes after `revision`, or undefined when the history does not reach back that far. */
  changesSince(collection: string, revision: number): Change[] | undefined {
    return this.#history.since(collection, revision);
  }

  /** Calls `listener` with each write, in order, before the write returns. The result ends it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #writable(collection: string): Collection {
    let found = this.#collections.get(collection);
    if (found === undefined) {
      found = { items: new Map(), sorted: undefined };
      this.#collections.set(collection, found);
    }
    found.sorted = undefined;
    return found;
  }

  #revise(object: KubeObject): Stored {
    this.#revision += 1;
    object.metadata.resourceVersion = String(this.#revision);
    return { object, json: JSON.stringify(object), revision: this.#revision };
  }

  #publish(change: Change): void {
    this.#history.add(change);
    for (const listener of this.#listeners) listener(change);
  }
}

/** `namespace/name` (`name` alone when cluster-scoped), in whose order lists come and continue tokens point. */
export function storageKey({ namespace, name }: ObjectKey): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The key an object is stored under. */
export function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

function byKey([a]: [string, Stored], [b]: [string, Stored]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
