import type { KubeObject } from "../resources/object.ts";
import type { KnownSource, RecordedChange, WatchPosition } from "./known-source.ts";
import { type Finding, ObjectLedger } from "./object-ledger.ts";
import type { ServedType } from "./ports.ts";
import type { SettledObjects } from "./progress.ts";
import { type PolicyRule, planScopes, type Scope } from "./reach.ts";
import type { Policy } from "./rule-model.ts";
import { RuleSeeding } from "./rule-seeding.ts";
import { type ObjectEvent, ScopedWatch } from "./scoped-watch.ts";
import type { TypeSourceOptions } from "./source-change.ts";
import { UnderWay } from "./under-way.ts";
import { WatchSet } from "./watch-set.ts";

/** How long the watches may take to tell what the lists of new rules named. */
const CATCH_UP_MS = 2_000;

const OPERATIONS = { Added: "CREATE", Modified: "UPDATE", Deleted: "DELETE" } as const;

/**
 * Watches one kind for the rules that may match it, and turns what the watches say into admission requests. A rule that comes
 * learns what there is from a list, and looks at what happens after it; the watches of the others go on. Rules that come while lists
 * are under way wait for the next ones.
 */
export class TypeSource {
  readonly #options: TypeSourceOptions;
  readonly #ledger: ObjectLedger;
  readonly #underWay: UnderWay;
  readonly #watches: WatchSet;
  /** What a process before this one had under way; empty once it has begun again. */
  #interrupted: readonly RecordedChange[];
  #seeding: RuleSeeding | undefined;
  /** Whether rules came since the last plan. */
  #isPlanned = true;
  /** Whether an object that a first list names may have been there before a checkpoint that has no room for it. */
  #mayBeForgotten: boolean;
  #catchingUp: NodeJS.Timeout | undefined;
  /** What is to be waited for at the end. */
  #ending: Promise<unknown> = Promise.resolve();

  /** @param known what a checkpoint knows of the kind: the source goes on from there */
  constructor(options: TypeSourceOptions, known?: KnownSource) {
    this.#options = options;
    this.#ledger = new ObjectLedger(options.type, known);
    this.#underWay = new UnderWay(this.#ledger, options);
    this.#interrupted = known?.open ?? [];
    this.#mayBeForgotten = known?.isPartial === true;
    const positions = known?.isPartial === true ? [] : known?.positions;
    this.#watches = new WatchSet((scope, after) => this.#watchOf(scope, after), positions);
  }

  get type(): ServedType {
    return this.#options.type;
  }

  /** Rules that may match objects of the kind, in declaration order. */
  get rules(): readonly PolicyRule[] {
    return this.#ledger.rules;
  }

  /** The rules that look at their objects already, as they do. */
  get settledRules(): readonly PolicyRule[] {
    return this.#ledger.ages.settled();
  }

  /** Those of the rules that may match this object, in declaration order. */
  rulesFor(object: KubeObject): PolicyRule[] {
    return this.#ledger.rulesFor(object);
  }

  /** The objects that a rule may match, as last seen. */
  objects(): KubeObject[] {
    return [...this.#ledger.seen.values()].map(({ object }) => object);
  }

  /** The object of this UID as last seen; undefined once it is gone or about to go. */
  latest(uid: string): KubeObject | undefined {
    const object = this.#ledger.seen.get(uid)?.object;
    return object?.metadata.deletionTimestamp === undefined ? object : undefined;
  }

  /** Why not all rules, or those of one policy, are followed yet; undefined once they are. */
  missing(policy?: Policy): string | undefined {
    const { trouble } = this;
    if (trouble !== undefined) return trouble;
    const { plural } = this.#options.type;
    const isAsked = ({ subject }: { subject: PolicyRule }) => policy === undefined || subject.policy === policy;
    const isListed = this.#isSynced(policy) && ![...this.#ledger.ages.unsettled].some(isAsked);
    if (!isListed) return `the first list of ${plural} is not complete`;
    return this.#ledger.isCaughtUp ? undefined : `the watch of ${plural} is behind their list`;
  }

  /** What the API server says against a watch; undefined while all goes well. */
  get trouble(): string | undefined {
    return this.#watches.trouble ?? this.#seeding?.trouble;
  }

  /** Up to where the changes of each scope are done; undefined while that is not known. */
  positions(): WatchPosition[] | undefined {
    return this.#watches.positions();
  }

  /** The UIDs of objects whose changes are under way. */
  openUids(): Iterable<string> {
    return this.#underWay.progress.uids();
  }

  /** What is done of all that was seen. */
  get done(): SettledObjects {
    return this.#underWay.progress;
  }

  /** Follows `rules` from now on. */
  follow(rules: readonly PolicyRule[]): void {
    this.#ledger.follow(rules);
    const interrupted = this.#interrupted;
    this.#interrupted = [];
    for (const change of interrupted) this.#resume(change);
    this.#isPlanned = false;
    this.#plan();
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    clearTimeout(this.#catchingUp);
    await Promise.all([this.#watches.stop(), this.#seeding?.stop(), this.#ending]);
  }

  #resume(change: RecordedChange): void {
    const rules = this.#ledger.rulesConcerned(change.object, change.changedAt ?? "");
    if (rules.length > 0) this.#underWay.resume(change, this.#options.type, rules);
  }

  #isSynced(policy: Policy | undefined): boolean {
    if (policy === undefined || this.#watches.isSynced()) return this.#watches.isSynced();
    const rules = this.rules.filter((subject) => subject.policy === policy);
    return this.#watches.isSynced(planScopes(rules, this.#options.type));
  }

  /** Opens and closes watches, and begins the lists that new rules need; later where lists are under way. */
  #plan(): void {
    if (this.#isPlanned || this.#seeding?.isBusy === true) return;
    this.#isPlanned = true;
    const { type } = this.#options;
    const before = this.#seeding;
    this.#watches.follow(planScopes(this.#ledger.rules, type));
    const open = (scope: Scope) => this.#watchOf(scope, undefined);
    this.#seeding = new RuleSeeding(this.#ledger.ages, type, this.#watches.listing(), open);
    this.#ending = Promise.all([this.#ending, before?.stop()]);
    this.#watches.start();
    this.#seeding.start();
  }

  #watchOf(scope: Scope, after: string | undefined): ScopedWatch {
    const { type, watch, onGap } = this.#options;
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
    if ((type === "Listed" || onPassedOver !== undefined) && !this.#ledger.mayMatch(object)) {
      if (type === "Listed") return;
      const request = { operation: OPERATIONS[type], type: this.#options.type, object, oldObject: undefined };
      await onPassedOver?.(this.rules, request);
    }
    if (this.#seeding?.hasOwn(watch)) return this.#finish(this.#ledger.learn(object), watch);
    if (this.#seeding?.awaits(watch) !== true) await this.#untilLearnt(object);
    if (watch.stopped) return;
    const isFirst = type === "Listed" && !watch.synced && this.#mayBeForgotten;
    const finding =
      type === "Deleted"
        ? this.#ledger.forget(object, object.metadata.resourceVersion ?? "")
        : this.#ledger.see(object, type !== "Modified" && !isFirst);
    await this.#finish(finding, watch);
  }

  /** Of what a list under way may name it is not known yet whether it happened before the rule that the list is for. */
  async #untilLearnt(object: KubeObject): Promise<void> {
    const isLearning = (seeding: RuleSeeding) =>
      this.#ledger.rulesFor(object).some((rule) => {
        const age = this.#ledger.ages.newest(rule);
        return age !== undefined && seeding.isLearning(age);
      });
    while (this.#seeding !== undefined && isLearning(this.#seeding)) await this.#seeding.progress;
  }

  /** Hands on what a word of a watch means. */
  async #finish(finding: Finding | undefined, watch?: ScopedWatch): Promise<void> {
    this.#noteCaughtUp();
    if (finding === undefined) return;
    const { onPassedOver, onSettled } = this.#options;
    const { uid, before, change } = finding;
    if (change === undefined) return onSettled?.(uid, finding.isFinal === true);
    const { request, rules } = change;
    if (rules.length === 0) onSettled?.(uid, false);
    else await this.#underWay.take({ uid, before, request, rules }, watch);
    if (onPassedOver === undefined) return;
    const asked = new Set(this.rulesFor(request.object));
    await onPassedOver(
      this.rules.filter((rule) => !asked.has(rule)),
      request,
    );
  }

  async #finishList(watch: ScopedWatch, version: string): Promise<void> {
    if (this.#seeding?.hasOwn(watch) !== true) await this.#forgetUnlisted(watch, version);
    this.#seeding?.complete(watch, version);
    if (this.#ledger.isCaughtUp) return;
    clearTimeout(this.#catchingUp);
    this.#catchingUp = setTimeout(() => {
      this.#ending = Promise.all([this.#ending, this.#catchUp()]);
    }, CATCH_UP_MS);
  }

  /** What a whole list did not name is gone. */
  async #forgetUnlisted(watch: ScopedWatch, version: string): Promise<void> {
    for (const { object } of [...this.#ledger.seen.values()])
      if (watch.lacks(object, version)) await this.#finish(this.#ledger.forget(object, version), watch);
  }

  /** What lists named and the watches have not told in time is taken from the lists. */
  async #catchUp(): Promise<void> {
    for (const object of this.#ledger.ahead) await this.#finish(this.#ledger.see(object, true));
  }

  #noteCaughtUp(): void {
    if (this.#catchingUp === undefined || !this.#ledger.isCaughtUp) return;
    clearTimeout(this.#catchingUp);
    this.#catchingUp = undefined;
    this.#options.onState();
  }

  #noteState(): void {
    this.#seeding?.note();
    this.#watches.retire();
    if (this.#watches.isSynced()) this.#mayBeForgotten = false;
    this.#plan();
    this.#options.onState();
  }
}
