import type { KubeObject } from "../resources/object.ts";
import {
  isStale,
  rememberObject,
  requestForCreate,
  requestForDelete,
  requestForUpdate,
  type SeenObject,
} from "./change.ts";
import type { GeneratorPorts, ServedType } from "./ports.ts";
import { type PolicyRule, planScopes, type Scope } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { RuleIndex } from "./rule-index.ts";
import { missingOf, type ObjectEvent, ScopedWatch, stopWatches, troubleOf } from "./scoped-watch.ts";

const MAX_DELETED = 10_000;

export interface TypeSourceOptions {
  type: ServedType;
  watch: GeneratorPorts["watch"];
  /** Called for each change that a rule may match, in order; the watch waits for it. */
  onChange(request: ChangeRequest): Promise<void>;
  /** Called when a watch is synced or in trouble. */
  onState(): void;
}

/**
 * Watches one kind for the rules that may match it, and turns what the watches say into admission requests. Only objects
 * that a rule may match are kept. The first list seeds, it changes nothing; later lists tell what was missed.
 */
export class TypeSource {
  readonly #options: TypeSourceOptions;
  readonly #seen = new Map<string, SeenObject>();
  readonly #deleted = new Set<string>();
  #watches: ScopedWatch[] = [];
  #retired: ScopedWatch[] = [];
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
    return missingOf(this.#watches, this.#options.type.plural);
  }

  /** What the API server says against a watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return troubleOf(this.#watches);
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
    this.#watches = scopes.map((scope) => this.#watchOf(scope));
    for (const watch of this.#watches) watch.start();
    this.#forgetUnmatched();
    if (scopes.length === 0) this.#retireOld();
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    await stopWatches([...this.#watches, ...this.#retired]);
  }

  #watchOf(scope: Scope): ScopedWatch {
    const { type, watch } = this.#options;
    return new ScopedWatch({
      type,
      scope,
      watch,
      onObject: (event, from) => this.#take(event, from),
      onListed: (from) => this.#finishList(from),
      onState: () => this.#noteState(),
    });
  }

  async #take({ type, object }: ObjectEvent, watch: ScopedWatch): Promise<void> {
    switch (type) {
      case "Deleted":
        return this.#forget(object);
      case "Listed":
        return this.#see(object, watch.synced ? "new" : "seed");
      case "Added":
        return this.#see(object, "new");
      case "Modified":
        return this.#see(object, "seed");
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
  async #finishList(watch: ScopedWatch): Promise<void> {
    for (const { object } of [...this.#seen.values()]) if (watch.lacks(object)) await this.#forget(object);
  }

  #noteState(): void {
    if (this.#watches.every(({ synced }) => synced)) this.#retireOld();
    this.#options.onState();
  }

  #retireOld(): void {
    for (const retired of this.#retired) retired.stop();
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
