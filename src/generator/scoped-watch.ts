import type { KubeObject } from "../resources/object.ts";
import { isStale } from "./change.ts";
import { type GeneratorPorts, isApiError, type ServedType, type SourceEvent, type SourceState } from "./ports.ts";
import { describeRefusal, WATCH } from "./target-failure.ts";

/** What one watch sees: "" and absent stand for all namespaces, names, labels. */
export interface WatchScope {
  namespace: string;
  name?: string;
  labelSelector?: string;
}

/** An object as a list or a change names it. */
export type ObjectEvent = Exclude<SourceEvent, { type: "Synced" }>;

export interface ScopedWatchOptions {
  type: ServedType;
  scope: WatchScope;
  watch: GeneratorPorts["watch"];
  /** The version after which the watch begins, without a list; absent for a list. */
  after?: string;
  /** The watch waits for it. */
  onObject(event: ObjectEvent, watch: ScopedWatch): Promise<void>;
  /** A list is complete, as of `version`: what of the scope it did not name is gone. */
  onListed(watch: ScopedWatch, version: string): Promise<void>;
  /** Called when the watch is synced or in trouble. */
  onState(): void;
  /** The server does not remember all changes since the last one: a list follows. */
  onGap?(): void;
}

/** One watch of a source: what it has listed, whether it is synced, and what stands in its way. */
export class ScopedWatch {
  readonly #options: ScopedWatchOptions;
  readonly #stop = new AbortController();
  /** UIDs listed since the running list began. */
  readonly #listed = new Set<string>();
  readonly #held = new Set<{ position: string | undefined }>();
  #position: string | undefined;
  #synced = false;
  #isListing: boolean;
  #trouble: string | undefined;
  /** Resolves when the watch has ended. */
  done: Promise<void> = Promise.resolve();

  constructor(options: ScopedWatchOptions) {
    this.#options = options;
    this.#position = options.after;
    this.#isListing = options.after === undefined;
  }

  /** Opens the watch. Apart from the constructor, since the first state may be told before this returns. */
  start(): void {
    const { type, scope, watch, after } = this.#options;
    const { namespace, name = "", labelSelector = "" } = scope;
    const selection = {
      ...(namespace === "" ? {} : { namespace }),
      ...(name === "" ? {} : { fieldSelector: `metadata.name=${name}` }),
      ...(labelSelector === "" ? {} : { labelSelector }),
      ...(after === undefined ? {} : { resourceVersion: after }),
    };
    const handlers = {
      onEvent: (event: SourceEvent) => this.#take(event),
      onState: (state: SourceState) => this.#noteState(state),
      onPosition: (version: string) => {
        this.#position = version;
      },
    };
    this.done = watch(type, selection, handlers, this.#stop.signal);
  }

  get scope(): WatchScope {
    return this.#options.scope;
  }

  /** Whether a whole list was seen, or the watch goes on where another ended. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Whether the watch goes on where another was, and lists only if the API server does not remember that. */
  get resumes(): boolean {
    return this.#options.after !== undefined;
  }

  /** Whether a list is under way. */
  get isListing(): boolean {
    return this.#isListing;
  }

  /** What the API server says against the watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The version up to which every change is done; undefined before the first list. */
  get position(): string | undefined {
    const [oldest] = this.#held;
    return oldest === undefined ? this.#position : oldest.position;
  }

  /** The version up to which every change was told; undefined before the first list. */
  get toldUpTo(): string | undefined {
    return this.#position;
  }

  /** Whether a change that the watch brought is not done. */
  get isHeld(): boolean {
    return this.#held.size > 0;
  }

  /** Keeps the position before what the watch brings just now, until the returned function is called. */
  hold(): () => void {
    const held = { position: this.#position };
    this.#held.add(held);
    return () => this.#held.delete(held);
  }

  /**
   * Whether an object that was seen lies in the scope and was not named by the list that is just complete, as of `version`.
   * What another watch or an own write told of later than the list, the list cannot name.
   */
  lacks({ metadata }: KubeObject, version: string): boolean {
    const { namespace, name = "" } = this.#options.scope;
    const inScope = (namespace === "" || metadata.namespace === namespace) && (name === "" || metadata.name === name);
    return inScope && !this.#listed.has(metadata.uid ?? "") && isStale(metadata.resourceVersion ?? "", version);
  }

  /** Whether {@link stop} was called. */
  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends the watch; nothing is told any more. */
  stop(): void {
    this.#stop.abort();
  }

  #noteState(state: SourceState): void {
    const wasListing = this.#isListing;
    this.#isListing = state.phase === "listing";
    if (this.#isListing) this.#listed.clear();
    if (state.phase === "retrying" && isApiError(state.error) && state.error.code === 410) this.#options.onGap?.();
    const trouble = state.phase === "retrying" ? describeTrouble(state.error, this.#options) : undefined;
    const resumes = state.phase === "watching" && !this.#synced;
    if (this.#isListing || (trouble === this.#trouble && !resumes && !wasListing)) return;
    if (resumes) this.#synced = true;
    this.#trouble = trouble;
    this.#options.onState();
  }

  async #take(event: SourceEvent): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (event.type === "Synced") return this.#finishList(event.resourceVersion);
    const { uid } = event.object.metadata;
    if (event.type === "Listed" && uid !== undefined) this.#listed.add(uid);
    await this.#options.onObject(event, this);
  }

  async #finishList(version: string): Promise<void> {
    await this.#options.onListed(this, version);
    this.#listed.clear();
    this.#isListing = false;
    this.#synced = true;
    this.#position = version;
    this.#options.onState();
  }
}

/** Why some watch is not synced; undefined once every one is. @param what is listed, as people call it */
export function missingOf(watches: readonly ScopedWatch[], what: string): string | undefined {
  const waiting = watches.find(({ synced, trouble }) => !synced || trouble !== undefined);
  return waiting && (waiting.trouble ?? `the first list of ${what} is not complete`);
}

/** What the API server says against one of the watches. */
export function troubleOf(watches: readonly ScopedWatch[]): string | undefined {
  return watches.find(({ trouble }) => trouble !== undefined)?.trouble;
}

/** Ends watches, and waits for what they have under way. */
export async function stopWatches(watches: readonly ScopedWatch[]): Promise<void> {
  for (const watch of watches) watch.stop();
  await Promise.all(watches.map(({ done }) => done));
}

/** What stands in the way, and what to do where a right is missing. */
function describeTrouble(error: Error, { type, scope }: Pick<ScopedWatchOptions, "type" | "scope">): string {
  return isApiError(error) && error.code === 403 ? describeRefusal(error, type, scope, WATCH) : error.message;
}
