import type { KubeObject } from "../resources/object.ts";
import {
  isStale,
  rememberObject,
  requestForCreate,
  requestForDelete,
  requestForUpdate,
  type SeenObject,
} from "./change.ts";
import { type KnownSource, ResumePoint, type WatchPosition } from "./known-source.ts";
import type { GeneratorPorts, ServedType } from "./ports.ts";
import { Progress } from "./progress.ts";
import { mayMatch, type PolicyRule, planScopes, type Scope } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { RuleIndex } from "./rule-index.ts";
import { missingOf, type ObjectEvent, ScopedWatch, stopWatches, troubleOf } from "./scoped-watch.ts";

const MAX_DELETED = 10_000;
/** How many watches may linger after others took over. */
const MAX_LINGERING = 200;

const OPERATIONS = { Added: "CREATE", Modified: "UPDATE", Deleted: "DELETE" } as const;

/** A change with the rules that may match its object. */
export interface SourceChange {
  rules: readonly PolicyRule[];
  request: ChangeRequest;
  /** To be called when all that the change asks for is done. @param hadEffect whether something was written */
  finish(hadEffect: boolean): void;
}

export interface TypeSourceOptions {
  type: ServedType;
  watch: GeneratorPorts["watch"];
  /** Called for each change that a rule may match, in order; the watch waits for it. */
  onChange(change: SourceChange): Promise<void>;
  /** Called, where it is given, with the rules that pass over a change because of its object's namespace or name. */
  onPassedOver?: ((rules: readonly PolicyRule[], request: ChangeRequest) => Promise<void>) | undefined;
  /** Called when what a checkpoint would say of an object has changed; `hadEffect` if looking twice would be wrong. */
  onSettled?(uid: string, hadEffect: boolean): void;
  /** Called when a watch is synced or in trouble. */
  onState(): void;
  /** Changes since the last one seen are not remembered by the server, so that only their sum is seen. */
  onGap?(): void;
}

/**
 * Watches one kind for the rules that may match it, and turns what the watches say into admission requests. Only objects
 * that a rule may match are kept. The first list seeds, it changes nothing but what a checkpoint knows; later lists tell
 * what was missed.
 */
export class TypeSource {
  readonly #options: TypeSourceOptions;
  readonly #seen = new Map<string, SeenObject>();
  /** UIDs of objects that are gone, with the version of their end; "" where that is not known. */
  readonly #deleted = new Map<string, string>();
  readonly #progress = new Progress();
  /** Until the first watches are synced, where there is a checkpoint. */
  #resume: ResumePoint | undefined;
  #watches: ScopedWatch[] = [];
  #retired: ScopedWatch[] = [];
  #rules: readonly PolicyRule[] = [];
  #index: RuleIndex;
  /** Rules whose objects have all been seen: one of theirs that was not is new, whichever watch brings it. */
  #settled: readonly PolicyRule[] = [];
  #signature = "";

  /** @param known what a checkpoint knows of the kind: the source goes on from there */
  constructor(options: TypeSourceOptions, known?: KnownSource) {
    this.#options = options;
    this.#index = new RuleIndex([], options.type);
    if (known === undefined) return;
    this.#resume = new ResumePoint(known, options.type);
    for (const seen of known.objects) this.#seen.set(seen.object.metadata.uid ?? "", seen);
    for (const [uid, version] of known.deleted) this.#deleted.set(uid, version);
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

  /** Why the kind is not followed yet; undefined once every watch is synced. */
  get missing(): string | undefined {
    return missingOf(this.#watches, this.#options.type.plural);
  }

  /** What the API server says against a watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return troubleOf(this.#watches);
  }

  /** Up to where the changes of each scope are done; undefined while the watches change. */
  positions(): WatchPosition[] | undefined {
    if (this.missing !== undefined || this.#retired.some(({ isHeld }) => isHeld)) return undefined;
    return this.#watches.flatMap(({ scope, position = "" }) =>
      position === "" ? [] : [{ namespace: scope.namespace, name: scope.name ?? "", resourceVersion: position }],
    );
  }

  /** Where the oldest change began that is not done: "" where that is not known, undefined where all are done. */
  openSince(): string | undefined {
    const held = [...this.#watches, ...this.#retired]
      .filter(({ isHeld }) => isHeld)
      .map(({ position = "" }) => position);
    return held.reduce<string | undefined>(
      (oldest, each) => (oldest !== undefined && isStale(oldest, each) ? oldest : each),
      undefined,
    );
  }

  /** Every object as the last change left it before which all are done. */
  *settled(): Generator<SeenObject, void> {
    for (const [uid, seen] of this.#seen) {
      const settled = this.#progress.settled(uid, seen);
      if (settled !== undefined) yield settled;
    }
    for (const uid of this.#progress.uids()) {
      const settled = this.#seen.has(uid) ? undefined : this.#progress.settled(uid, undefined);
      if (settled !== undefined) yield settled;
    }
  }

  /** The ends of objects after a version, as far as they are done. */
  *deletedSince(version: string): Generator<[uid: string, version: string], void> {
    const open = new Set(this.#progress.uids());
    for (const [uid, at] of this.#deleted) if (!open.has(uid) && !isStale(at, version)) yield [uid, at];
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
    const kept = new Set(rules.map(keyOf));
    this.#settled = this.#settled.filter((rule) => kept.has(keyOf(rule)));
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
    const { type, watch, onGap } = this.#options;
    const after = this.#resume?.positionOf(scope, this.#rules);
    return new ScopedWatch({
      type,
      scope,
      watch,
      ...(after === undefined ? {} : { after }),
      onObject: (event, from) => this.#take(event, from),
      onListed: (from, version) => this.#finishList(from, version),
      onState: () => this.#noteState(),
      ...(onGap === undefined ? {} : { onGap }),
    });
  }

  async #take({ type, object }: ObjectEvent, watch: ScopedWatch): Promise<void> {
    const { onPassedOver } = this.#options;
    if (onPassedOver !== undefined && type !== "Listed" && !this.#mayMatch(object)) {
      const operation = OPERATIONS[type];
      await onPassedOver(this.#rules, { operation, type: this.#options.type, object, oldObject: undefined });
    }
    switch (type) {
      case "Deleted":
        return this.#forget(object, object.metadata.resourceVersion ?? "", watch);
      case "Listed":
        return this.#see(object, this.#isNewWhenListed(object, watch) ? "new" : "seed", watch);
      case "Added":
        return this.#see(object, this.#isNewWhenAdded(object, watch) ? "new" : "seed", watch);
      case "Modified":
        return this.#see(object, "seed", watch);
    }
  }

  /** `unknown` says what an object is that was never seen: created since, or there before anyone asked for it. */
  async #see(object: KubeObject, unknown: "new" | "seed", watch: ScopedWatch): Promise<void> {
    const { uid = "", resourceVersion = "" } = object.metadata;
    if (this.#deleted.has(uid) || !this.#mayMatch(object)) return;
    const old = this.#seen.get(uid);
    if (old !== undefined && isStale(resourceVersion, old.object.metadata.resourceVersion ?? "")) return;
    const next = rememberObject(object);
    this.#seen.set(uid, next);
    const { type } = this.#options;
    const isNew = old === undefined && unknown === "new";
    const request = old === undefined ? requestForCreate(next, type) : requestForUpdate(old, next, type);
    if (request === undefined || (old === undefined && !isNew)) this.#options.onSettled?.(uid, false);
    else await this.#emit(request, old, resourceVersion, watch);
  }

  async #forget({ metadata: { uid = "" } }: KubeObject, version: string, watch: ScopedWatch): Promise<void> {
    const old = this.#seen.get(uid);
    this.#seen.delete(uid);
    this.#deleted.set(uid, version);
    const [oldest] = this.#deleted.keys();
    if (this.#deleted.size > MAX_DELETED && oldest !== undefined) this.#deleted.delete(oldest);
    if (old === undefined) return;
    if (old.object.metadata.deletionTimestamp !== undefined) this.#options.onSettled?.(uid, true);
    else await this.#emit(requestForDelete(old, this.#options.type), old, version, watch);
  }

  async #emit(
    request: ChangeRequest,
    before: SeenObject | undefined,
    changedAt: string,
    watch: ScopedWatch,
  ): Promise<void> {
    const { onChange, onPassedOver, onSettled } = this.#options;
    const { uid = "" } = request.object.metadata;
    const all = this.#index.rulesFor(request.object);
    const rules = watch.synced ? all : (this.#resume?.knownOf(all, request.object) ?? all);
    await onPassedOver?.(
      this.#rules.filter((rule) => !all.includes(rule)),
      request,
    );
    if (rules.length === 0) return onSettled?.(uid, false);
    const release = watch.hold();
    const open = this.#progress.begin(uid, before);
    const finish = (hadEffect: boolean) => {
      release();
      this.#progress.end(open);
      onSettled?.(uid, hadEffect);
    };
    await onChange({ rules, request: changedAt === "" ? request : { ...request, changedAt }, finish });
  }

  /** What a whole list did not name is gone. */
  async #finishList(watch: ScopedWatch, version: string): Promise<void> {
    for (const { object } of [...this.#seen.values()])
      if (watch.lacks(object, version)) await this.#forget(object, version, watch);
  }

  #noteState(): void {
    if (this.#watches.every(({ synced }) => synced)) {
      this.#settled = this.#rules;
      this.#retireOld();
    }
    this.#options.onState();
  }

  #retireOld(): void {
    for (const retired of this.#retired) retired.stopSoon();
    for (const oldest of this.#retired.slice(0, -MAX_LINGERING)) oldest.stop();
    this.#retired = this.#retired.filter(({ stopped, isHeld }) => !stopped || isHeld);
    this.#resume = undefined;
  }

  #forgetUnmatched(): void {
    for (const [uid, { object }] of this.#seen) if (!this.#mayMatch(object)) this.#seen.delete(uid);
  }

  /**
   * Whether an object that is listed and was not seen is new. The list of a new watch may bring what was created a moment ago
   * before the old watch does.
   */
  #isNewWhenListed(object: KubeObject, { synced }: ScopedWatch): boolean {
    return synced || this.#resume?.knowsObjects === true || this.#isSettled(object);
  }

  /** An old watch may tell late of what was there before a rule came that alone may match it. */
  #isNewWhenAdded(object: KubeObject, watch: ScopedWatch): boolean {
    const isTakenOver = !this.#retired.includes(watch) || this.#watches.every(({ synced }) => synced);
    return isTakenOver || this.#isSettled(object);
  }

  #isSettled(object: KubeObject): boolean {
    return this.#settled.some((rule) => mayMatch(rule, this.#options.type, object));
  }

  #mayMatch(object: KubeObject): boolean {
    return this.#index.rulesFor(object).length > 0;
  }
}

/** The same for a rule that looks at the same objects, be its policy edited elsewhere. */
function keyOf({ policy, rule }: PolicyRule): string {
  return JSON.stringify([policy.namespace, policy.name, rule.match]);
}
