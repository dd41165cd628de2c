import type { KubeObject } from "../resources/object.ts";
import { isStale } from "./change.ts";
import type { GeneratorPorts, ServedType } from "./ports.ts";
import { missingOf, ScopedWatch, stopWatches, troubleOf } from "./scoped-watch.ts";

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

/** Follows the objects of one kind that bear certain labels, and remembers their metadata. Changes of watches lose nothing. */
export class LabelledSource {
  readonly #options: LabelledSourceOptions;
  readonly #seen = new Map<string, KubeObject>();
  #watches: ScopedWatch[] = [];
  #signature = "";

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
    const signature = JSON.stringify(scopes);
    if (signature === this.#signature) return;
    this.#signature = signature;
    for (const watch of this.#watches) watch.stop();
    const isFollowed = ({ metadata }: KubeObject) =>
      scopes.some(({ namespace }) => namespace === "" || metadata.namespace === namespace);
    for (const [uid, object] of this.#seen) if (!isFollowed(object)) this.#seen.delete(uid);
    this.#watches = scopes.map((scope) => this.#watchOf(scope));
    for (const watch of this.#watches) watch.start();
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
      onListed: async (listed) => {
        for (const object of [...this.#seen.values()]) if (listed.lacks(object)) await this.#forget(object);
      },
      onState,
    });
  }

  async #see(object: KubeObject): Promise<void> {
    const { uid = "", resourceVersion: version = "" } = object.metadata;
    const before = this.#seen.get(uid);
    if (before !== undefined && isStale(version, before.metadata.resourceVersion ?? "")) return;
    const { apiVersion, kind, metadata } = object;
    const { managedFields: _, ...kept } = metadata;
    this.#seen.set(uid, { apiVersion, kind, metadata: kept });
    const type = before === undefined ? "appeared" : "changed";
    await this.#options.onChange({ type, object, before: before ?? object });
  }

  async #forget(object: KubeObject): Promise<void> {
    const { uid = "" } = object.metadata;
    const before = this.#seen.get(uid);
    this.#seen.delete(uid);
    if (before !== undefined) await this.#options.onChange({ type: "gone", object, before });
  }
}
