import type { KubeObject } from "../resources/object.ts";
import {
  isStale,
  rememberObject,
  requestForCreate,
  requestForDelete,
  requestForUpdate,
  type SeenObject,
} from "./change.ts";
import type { GeneratorPorts, ServedType, SourceEvent, SourceState } from "./ports.ts";
import { type PolicyRule, planScopes, type Scope } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { RuleIndex } from "./rule-index.ts";

const MAX_DELETED = 10_000;

export interface TypeSourceOptions {
  type: ServedType;
  watch: GeneratorPorts["watch"];
  /** Called for each change that a rule may match, in order; the watch waits for it. */
  onChange(request: ChangeRequest): Promise<void>;
  /** Called when a watch is synced or in trouble. */
  onState(): void;
}

interface ScopeWatch {
  scope: Scope;
  synced: boolean;
  trouble: string | undefined;
  /** UIDs listed since the running list began. */
  listed: Set<string>;
  stop: AbortController;
  done: Promise<void>;
}

/**
 * Watches one kind for the rules that may match it, and turns what the watches say into admission requests. Only objects
 * that a rule may match are kept. The first list seeds, it changes nothing; later lists tell what was missed.
 */
export class TypeSource {
  readonly #options: TypeSourceOptions;
  readonly #seen = new Map<string, SeenObject>();
  readonly #deleted = new Set<string>();
  #watches: ScopeWatch[] = [];
  #retired: ScopeWatch[] = [];
  #rules: readonly PolicyRule[] = [];
  #index: RuleIndex;
  #signature = "";

  constructor(options: TypeSourceOptions) {
    this.#options = options;
    this.#index = new RuleIndex([], options.type);
  }

  get type(): ServedType {
    return this.#options.type;
  }

  /** Rules that may match objects of the kind, in declaration order. */
  get rules(): readonly PolicyRule[] {
    return this.#rules;
  }

  /** Those of the rules that may match this object, in declaration order. */
  rulesFor(object: KubeObject): PolicyRule[] {
    return this.#index.rulesFor(object);
  }

  /** The objects that a rule may match, as last seen. */
  objects(): KubeObject[] {
    return [...this.#seen.values()].map(({ object }) => object);
  }

  /** The object of this UID as last seen; undefined once it is gone or about to go. */
  latest(uid: string): KubeObject | undefined {
    const object = this.#seen.get(uid)?.object;
    return object?.metadata.deletionTimestamp === undefined ? object : undefined;
  }

  /** How many objects are remembered. */
  get size(): number {
    return this.#seen.size;
  }

  /** Why the kind is not followed yet; undefined once every watch is synced. */
  get missing(): string | undefined {
    const waiting = this.#watches.find(({ synced, trouble }) => !synced || trouble !== undefined);
    if (waiting === undefined) return undefined;
    return waiting.trouble ?? `the first list of ${this.#options.type.plural} is not complete`;
  }

  /** What the API server says against a watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return this.#watches.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  /** Follows `rules` from now on. New watches take over from the old ones once they are synced, so that nothing falls between. */
  follow(rules: readonly PolicyRule[]): void {
    const { type } = this.#options;
    this.#rules = rules;
    this.#index = new RuleIndex(rules, type);
    const scopes = planScopes(rules, type);
    const signature = JSON.stringify([scopes, rules.map(({ policy, rule }) => [policy.namespace, rule.match])]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#retired.push(...this.#watches);
    this.#watches = scopes.map((scope) => this.#open(scope));
    this.#forgetUnmatched();
    if (scopes.length === 0) this.#retireOld();
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    const watches = [...this.#watches, ...this.#retired];
    for (const { stop } of watches) stop.abort();
    await Promise.all(watches.map(({ done }) => done));
  }

  #open(scope: Scope): ScopeWatch {
    const { type, watch } = this.#options;
    const stop = new AbortController();
    const opened: ScopeWatch = {
      scope,
      synced: false,
      trouble: undefined,
      listed: new Set(),
      stop,
      done: Promise.resolve(),
    };
    const options = {
      ...(scope.namespace === "" ? {} : { namespace: scope.namespace }),
      ...(scope.name === "" ? {} : { fieldSelector: `metadata.name=${scope.name}` }),
    };
    const handlers = {
      onEvent: (event: SourceEvent) => this.#take(event, opened),
      onState: (state: SourceState) => this.#noteState(state, opened),
    };
    opened.done = watch(type, options, handlers, stop.signal);
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
    switch (event.type) {
      case "Synced":
        return this.#finishList(watch);
      case "Deleted":
        return this.#forget(event.object);
      case "Listed":
        if (event.object.metadata.uid !== undefined) watch.listed.add(event.object.metadata.uid);
        return this.#see(event.object, watch.synced ? "new" : "seed");
      case "Added":
        return this.#see(event.object, "new");
      case "Modified":
        return this.#see(event.object, "seed");
    }
  }

  /** `unknown` says what an object is that was never seen: created since, or there before anyone asked for it. */
  async #see(object: KubeObject, unknown: "new" | "seed"): Promise<void> {
    const { uid = "", resourceVersion = "" } = object.metadata;
    if (this.#deleted.has(uid) || !this.#mayMatch(object)) return;
    const old = this.#seen.get(uid);
    if (old !== undefined && isStale(resourceVersion, old.object.metadata.resourceVersion ?? "")) return;
    const next = rememberObject(object);
    this.#seen.set(uid, next);
    const { type } = this.#options;
    if (old !== undefined) await this.#emit(requestForUpdate(old, next, type));
    else if (unknown === "new") await this.#emit(requestForCreate(next, type));
  }

  async #forget({ metadata: { uid = "" } }: KubeObject): Promise<void> {
    this.#deleted.add(uid);
    const [oldest] = this.#deleted;
    if (this.#deleted.size > MAX_DELETED && oldest !== undefined) this.#deleted.delete(oldest);
    const old = this.#seen.get(uid);
    this.#seen.delete(uid);
    if (old !== undefined && old.object.metadata.deletionTimestamp === undefined)
      await this.#emit(requestForDelete(old, this.#options.type));
  }

  /** What a whole list did not name is gone. */
  async #finishList(watch: ScopeWatch): Promise<void> {
    for (const { object } of [...this.#seen.values()])
      if (inScope(object, watch.scope) && !watch.listed.has(object.metadata.uid ?? "")) await this.#forget(object);
    watch.listed.clear();
    watch.synced = true;
    this.#retireOld();
    this.#options.onState();
  }

  #retireOld(): void {
    if (!this.#watches.every(({ synced }) => synced)) return;
    for (const { stop } of this.#retired) stop.abort();
    this.#retired = [];
  }

  #forgetUnmatched(): void {
    for (const [uid, { object }] of this.#seen) if (!this.#mayMatch(object)) this.#seen.delete(uid);
  }

  #mayMatch(object: KubeObject): boolean {
    return this.#index.rulesFor(object).length > 0;
  }

  async #emit(request: ChangeRequest | undefined): Promise<void> {
    if (request !== undefined) await this.#options.onChange(request);
  }
}

function inScope({ metadata }: KubeObject, { namespace, name }: Scope): boolean {
  return (namespace === "" || metadata.namespace === namespace) && (name === "" || metadata.name === name);
}
