import type { KubeObject } from "../resources/object.ts";
import {
  isStale,
  rememberObject,
  requestForCreate,
  requestForDelete,
  requestForUpdate,
  type SeenObject,
} from "./change.ts";
import type { ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { RuleAges } from "./rule-ages.ts";
import { RuleIndex } from "./rule-index.ts";

const MAX_DELETED = 10_000;

/** What there was of a kind. */
export interface LedgerStart {
  rules: readonly PolicyRule[];
  objects: readonly SeenObject[];
  deleted: readonly (readonly [uid: string, version: string])[];
}

/** What a watch's word changes: what is remembered of an object, and for some rules the object itself. */
export interface Finding {
  uid: string;
  before: SeenObject | undefined;
  change?: { request: ChangeRequest; rules: PolicyRule[] };
  /** Whether a look at the change after a restart would be wrong, though no rule has to look at it now. */
  isFinal?: boolean;
}

/**
 * What is known of each object that a rule may match, and what the words of watches mean for the rules. Several watches may
 * tell of an object, each in order, one late: a version counts once. Holds no watch and waits for nothing.
 */
export class ObjectLedger {
  readonly #type: ServedType;
  readonly #seen = new Map<string, SeenObject>();
  /** UIDs of objects that are gone, with the version of their end; "" where that is not known. */
  readonly #deleted = new Map<string, string>();
  /** Objects as lists named them of which the watches of other rules have not told so far. */
  readonly #ahead = new Map<string, KubeObject>();
  readonly ages: RuleAges;
  #rules: readonly PolicyRule[] = [];
  #index: RuleIndex;

  constructor(type: ServedType, { rules, objects, deleted }: LedgerStart = { rules: [], objects: [], deleted: [] }) {
    this.#type = type;
    this.#index = new RuleIndex([], type);
    this.ages = new RuleAges(type, rules);
    for (const seen of objects) this.#seen.set(seen.object.metadata.uid ?? "", seen);
    for (const [uid, version] of deleted) this.#deleted.set(uid, version);
  }

  get rules(): readonly PolicyRule[] {
    return this.#rules;
  }

  /** Those of the rules that may match this object, in declaration order. */
  rulesFor(object: KubeObject): PolicyRule[] {
    return this.#index.rulesFor(object);
  }

  /** Those of the rules that may match the object and look at what became of it at `version`. */
  rulesConcerned(object: KubeObject, version: string): PolicyRule[] {
    return this.#concerned(this.rulesFor(object), object, version);
  }

  mayMatch(object: KubeObject): boolean {
    return this.#index.rulesFor(object).length > 0;
  }

  /** The objects as last seen, by UID. */
  get seen(): ReadonlyMap<string, SeenObject> {
    return this.#seen;
  }

  /** The ends of objects, by UID. */
  get deleted(): ReadonlyMap<string, string> {
    return this.#deleted;
  }

  /** What lists named and no watch told yet. */
  get ahead(): readonly KubeObject[] {
    return [...this.#ahead.values()];
  }

  /** Whether the watches have told all that the lists of new rules named. */
  get isCaughtUp(): boolean {
    return this.#ahead.size === 0;
  }

  /** Follows these rules from now on, and forgets what none of them may match. */
  follow(rules: readonly PolicyRule[]): void {
    this.#rules = rules;
    this.#index = new RuleIndex(rules, this.#type);
    this.ages.follow(rules);
    for (const [uid, { object }] of this.#seen) if (!this.mayMatch(object)) this.#seen.delete(uid);
    for (const [uid, object] of this.#ahead) if (!this.mayMatch(object)) this.#ahead.delete(uid);
  }

  /** An object as the list of new rules names it. What other rules look at already, their watch tells. */
  learn(object: KubeObject): Finding | undefined {
    const { uid = "", resourceVersion = "" } = object.metadata;
    const before = this.#seen.get(uid);
    if (this.#deleted.has(uid) || isKnown(before, resourceVersion)) return undefined;
    const rules = this.#index.rulesFor(object);
    if (rules.some((rule) => this.ages.looksAt(rule, object))) this.#ahead.set(uid, object);
    else if (rules.length > 0) {
      this.#remember(uid, rememberObject(object));
      return { uid, before };
    }
    return undefined;
  }

  /**
   * An object as a watch tells of it.
   * @param isNew whether it was created if it is not known: a watch tells that it was changed, or a list names it among many unknown
   */
  see(object: KubeObject, isNew: boolean): Finding | undefined {
    const { uid = "", resourceVersion = "" } = object.metadata;
    const before = this.#seen.get(uid);
    if (this.#deleted.has(uid) || isKnown(before, resourceVersion)) return undefined;
    const rules = this.rulesFor(object);
    if (rules.length === 0) return undefined;
    const next = rememberObject(object);
    this.#remember(uid, next);
    if (before === undefined && !isNew) return { uid, before };
    const request =
      before === undefined ? requestForCreate(next, this.#type) : requestForUpdate(before, next, this.#type);
    return this.#finding(request, { uid, before }, rules, resourceVersion);
  }

  /** An object is gone. @param version of its end; the version of the list that does not name it */
  forget({ metadata: { uid = "" } }: KubeObject, version: string): Finding | undefined {
    const before = this.#seen.get(uid);
    this.#seen.delete(uid);
    this.#ahead.delete(uid);
    this.#deleted.set(uid, version);
    const [oldest] = this.#deleted.keys();
    if (this.#deleted.size > MAX_DELETED && oldest !== undefined) this.#deleted.delete(oldest);
    if (before === undefined) return undefined;
    if (before.object.metadata.deletionTimestamp !== undefined) return { uid, before, isFinal: true };
    const request = requestForDelete(before, this.#type);
    return this.#finding(request, { uid, before }, this.rulesFor(request.object), version);
  }

  #remember(uid: string, next: SeenObject): void {
    this.#seen.set(uid, next);
    if (isKnown(next, this.#ahead.get(uid)?.metadata.resourceVersion)) this.#ahead.delete(uid);
  }

  /** @param rules those that may match the object */
  #finding(request: ChangeRequest | undefined, seen: Finding, rules: readonly PolicyRule[], version: string): Finding {
    if (request === undefined) return seen;
    const concerned = this.#concerned(rules, request.object, version);
    if (seen.before === undefined && concerned.length === 0) return seen;
    const changed = version === "" ? request : { ...request, changedAt: version };
    return { ...seen, change: { request: changed, rules: concerned } };
  }

  #concerned(rules: readonly PolicyRule[], object: KubeObject, version: string): PolicyRule[] {
    return rules.filter((rule) => this.ages.concerns(rule, object, version));
  }
}

function isKnown(seen: SeenObject | undefined, version = ""): boolean {
  return seen !== undefined && isStale(version, seen.object.metadata.resourceVersion ?? "");
}
