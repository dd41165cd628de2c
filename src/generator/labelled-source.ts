import type { KubeObject } from "../resources/object.ts";
import { isStale } from "./change.ts";
import type { GeneratorPorts, ServedType } from "./ports.ts";
import { missingOf, ScopedWatch, stopWatches, troubleOf } from "./scoped-watch.ts";

const MAX_GONE = 10_000;

/** One watch: "" stands for all namespaces. */
export interface LabelScope {
  namespace: string;
  labelSelector: string;
}

/** What happened to a labelled object; `object` as it came, `before` with its metadata as last seen. */
export interface LabelledChange {
  type: "appeared" | "changed" | "gone";
  object: KubeObject;
  before: KubeObject;
}

export interface LabelledSourceOptions {
  type: ServedType;
  watch: GeneratorPorts["watch"];
  /** Called for each change, in order; the watch waits for it. */
  onChange(change: LabelledChange): Promise<void>;
  /** Called when a watch is synced or in trouble. */
  onState(): void;
}

/**
 * Follows the objects of one kind that bear certain labels, and remembers their metadata. Changes of watches lose nothing:
 * what was seen is compared with the first list of a new one.
 */
export class LabelledSource {
  readonly #options: LabelledSourceOptions;
  readonly #seen = new Map<string, KubeObject>();
  /** UIDs of objects that bear the labels no more, with the version of their end. */
  readonly #gone = new Map<string, string>();
  #watches: ScopedWatch[] = [];

  constructor(options: LabelledSourceOptions) {
    this.#options = options;
  }

  get type(): ServedType {
    return this.#options.type;
  }

  /** The objects with their metadata as last seen, and nothing else. */
  objects(): KubeObject[] {
    return [...this.#seen.values()];
  }

  /** Why the labels are not followed yet; undefined once every watch is synced. */
  get missing(): string | undefined {
    return missingOf(this.#watches, `generated ${this.#options.type.plural}`);
  }

  /** What the API server says against a watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return troubleOf(this.#watches);
  }

  /** Follows these scopes from now on, which do not overlap. */
  follow(scopes: readonly LabelScope[]): void {
    const planned = new Map(scopes.map((scope) => [JSON.stringify(scope), scope]));
    const open = new Map(this.#watches.map((watch) => [JSON.stringify(watch.scope), watch]));
    for (const [key, watch] of open) if (!planned.has(key)) watch.stop();
    const isFollowed = ({ metadata }: KubeObject) =>
      scopes.some(({ namespace }) => namespace === "" || metadata.namespace === namespace);
    for (const [uid, object] of this.#seen) if (!isFollowed(object)) this.#seen.delete(uid);
    this.#watches = [...planned].map(([key, scope]) => open.get(key) ?? this.#watchOf(scope));
    for (const watch of this.#watches) if (!open.has(JSON.stringify(watch.scope))) watch.start();
  }

  /**
   * Remembers an object that was just written here, before a watch tells of it: a watch that opens anew may never tell, if it is
   * gone by then.
   */
  remember(object: KubeObject): void {
    const { uid = "", resourceVersion = "" } = object.metadata;
    if (!this.#isNews(uid, resourceVersion)) return;
    this.#gone.delete(uid);
    const { apiVersion, kind, metadata } = object;
    const { managedFields: _, ...kept } = metadata;
    this.#seen.set(uid, { apiVersion, kind, metadata: kept });
  }

  async stop(): Promise<void> {
    await stopWatches(this.#watches);
  }

  #watchOf(scope: LabelScope): ScopedWatch {
    const { type, watch, onState } = this.#options;
    return new ScopedWatch({
      type,
      scope,
      watch,
      onObject: ({ type: what, object }) => (what === "Deleted" ? this.#forget(object) : this.#see(object)),
      onListed: async (listed, version) => {
        for (const object of [...this.#seen.values()])
          if (listed.lacks(object, version)) await this.#forget(object, version);
      },
      onState,
    });
  }

  async #see(object: KubeObject): Promise<void> {
    const { uid = "", resourceVersion = "" } = object.metadata;
    if (!this.#isNews(uid, resourceVersion)) return;
    const before = this.#seen.get(uid);
    this.remember(object);
    const type = before === undefined ? "appeared" : "changed";
    await this.#options.onChange({ type, object, before: before ?? object });
  }

  async #forget(object: KubeObject, version = object.metadata.resourceVersion ?? ""): Promise<void> {
    const { uid = "" } = object.metadata;
    const before = this.#seen.get(uid);
    this.#seen.delete(uid);
    this.#gone.set(uid, version);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MAX_GONE && oldest !== undefined) this.#gone.delete(oldest);
    if (before !== undefined) await this.#options.onChange({ type: "gone", object, before });
  }

  #isNews(uid: string, version: string): boolean {
    const known = [this.#seen.get(uid)?.metadata.resourceVersion, this.#gone.get(uid)];
    return known.every((each) => each === undefined || !isStale(version, each));
  }
}
