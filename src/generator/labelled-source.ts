import type { KubeObject } from "../resources/object.ts";
import { isStale } from "./change.ts";
import type { GeneratorPorts, ServedType, SourceEvent, SourceState } from "./ports.ts";

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

interface ScopeWatch {
  scope: LabelScope;
  synced: boolean;
  trouble: string | undefined;
  listed: Set<string>;
  stop: AbortController;
  done: Promise<void>;
}

/** Follows the objects of one kind that bear certain labels, and remembers their metadata. Changes of watches lose nothing. */
export class LabelledSource {
  readonly #options: LabelledSourceOptions;
  readonly #seen = new Map<string, KubeObject>();
  #watches: ScopeWatch[] = [];
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
    const waiting = this.#watches.find(({ synced, trouble }) => !synced || trouble !== undefined);
    return waiting && (waiting.trouble ?? `the first list of generated ${this.#options.type.plural} is not complete`);
  }

  /** What the API server says against a watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return this.#watches.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  /** Follows these scopes from now on, which do not overlap. */
  follow(scopes: readonly LabelScope[]): void {
    const signature = JSON.stringify(scopes);
    if (signature === this.#signature) return;
    this.#signature = signature;
    for (const { stop } of this.#watches) stop.abort();
    for (const [uid, object] of this.#seen) if (!scopes.some((scope) => inScope(object, scope))) this.#seen.delete(uid);
    this.#watches = scopes.map((scope) => this.#open(scope));
  }

  async stop(): Promise<void> {
    for (const { stop } of this.#watches) stop.abort();
    await Promise.all(this.#watches.map(({ done }) => done));
  }

  #open(scope: LabelScope): ScopeWatch {
    const { type, watch } = this.#options;
    const stop = new AbortController();
    const done = Promise.resolve();
    const opened: ScopeWatch = { scope, synced: false, trouble: undefined, listed: new Set(), stop, done };
    const { namespace, labelSelector } = scope;
    const handlers = {
      onEvent: (event: SourceEvent) => (stop.signal.aborted ? undefined : this.#take(event, opened)),
      onState: (state: SourceState) => this.#noteState(state, opened),
    };
    opened.done = watch(type, { labelSelector, ...(namespace === "" ? {} : { namespace }) }, handlers, stop.signal);
    return opened;
  }

  #noteState(state: SourceState, watch: ScopeWatch): void {
    if (state.phase === "listing") watch.listed.clear();
    const trouble = state.phase === "retrying" ? state.error.message : undefined;
    if (state.phase === "listing" || trouble === watch.trouble) return;
    watch.trouble = trouble;
    this.#options.onState();
  }

  async #take(event: SourceEvent, watch: ScopeWatch): Promise<void> {
    if (event.type === "Synced") return this.#finishList(watch);
    const { uid = "" } = event.object.metadata;
    if (event.type === "Listed") watch.listed.add(uid);
    if (event.type === "Deleted") return this.#forget(uid, event.object);
    return this.#see(uid, event.object);
  }

  async #see(uid: string, object: KubeObject): Promise<void> {
    const before = this.#seen.get(uid);
    const version = object.metadata.resourceVersion ?? "";
    if (before !== undefined && isStale(version, before.metadata.resourceVersion ?? "")) return;
    const { apiVersion, kind, metadata } = object;
    const { managedFields: _, ...kept } = metadata;
    this.#seen.set(uid, { apiVersion, kind, metadata: kept });
    const type = before === undefined ? "appeared" : "changed";
    await this.#options.onChange({ type, object, before: before ?? object });
  }

  async #forget(uid: string, object: KubeObject): Promise<void> {
    const before = this.#seen.get(uid);
    this.#seen.delete(uid);
    if (before !== undefined) await this.#options.onChange({ type: "gone", object, before });
  }

  async #finishList(watch: ScopeWatch): Promise<void> {
    for (const [uid, object] of [...this.#seen])
      if (inScope(object, watch.scope) && !watch.listed.has(uid)) await this.#forget(uid, object);
    watch.listed.clear();
    watch.synced = true;
    this.#options.onState();
  }
}

function inScope({ metadata }: KubeObject, { namespace }: LabelScope): boolean {
  return namespace === "" || metadata.namespace === namespace;
}
