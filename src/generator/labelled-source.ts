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
  /** Called when what a checkpoint would say of an object has changed. */
  onSeen(uid: string): void;
}

/**
 * Follows the objects of one kind that bear certain labels, and remembers their metadata. Changes of watches lose nothing:
 * what was seen is compared with the first list of a new one.
 */
export class LabelledSource {
  readonly #options: LabelledSourceOptions;
  readonly #seen = new Map<string, KubeObject>();
  /** What a generator before this one saw and no list has named yet: what none names is gone. */
  readonly #recalled: Map<string, KubeObject>;
  readonly #compared = Promise.withResolvers<void>();
  /** UIDs of objects that bear the labels no more, with the version of their end. */
  readonly #gone = new Map<string, string>();
  #watches: ScopedWatch[] = [];

  /** @param recalled what a generator before this one saw */
  constructor(options: LabelledSourceOptions, recalled: readonly KubeObject[] = []) {
    this.#options = options;
    this.#recalled = new Map(recalled.map((object) => [object.metadata.uid ?? "", object]));
    if (recalled.length === 0) this.#compared.resolve();
  }

  get type(): ServedType {
    return this.#options.type;
  }

  /** The objects with their metadata as last seen, and nothing else. */
  objects(): KubeObject[] {
    return [...this.#seen.values(), ...this.#recalled.values()];
  }

  /** Resolves once it was told what of that which a generator before this one saw is gone, or that cannot be known now. */
  get compared(): Promise<void> {
    return this.#compared.promise;
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
    for (const known of [this.#seen, this.#recalled])
      for (const [uid, object] of known) if (!isFollowed(object)) known.delete(uid);
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
    this.#recalled.delete(uid);
    this.#options.onSeen(uid);
  }

  async stop(): Promise<void> {
    this.#compared.resolve();
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
        for (const object of this.objects()) if (listed.lacks(object, version)) await this.#forget(object, version);
      },
      onState: () => {
        this.#noteCompared();
        onState();
      },
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
    const before = this.#seen.get(uid) ?? this.#recalled.get(uid);
    this.#seen.delete(uid);
    this.#recalled.delete(uid);
    if (before !== undefined) this.#options.onSeen(uid);
    this.#gone.set(uid, version);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MAX_GONE && oldest !== undefined) this.#gone.delete(oldest);
    if (before !== undefined) await this.#options.onChange({ type: "gone", object, before });
  }

  #noteCompared(): void {
    if (this.missing === undefined) this.#recalled.clear();
    if (this.missing === undefined || this.trouble !== undefined) this.#compared.resolve();
  }

  #isNews(uid: string, version: string): boolean {
    const known = [this.#seen.get(uid)?.metadata.resourceVersion, this.#gone.get(uid)];
    return known.every((each) => each === undefined || !isStale(version, each));
  }
}
