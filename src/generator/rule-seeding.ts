import type { ResourceType } from "../resources/kinds.ts";
import { covers, overlaps, planScopes, type Scope } from "./reach.ts";
import type { RuleAge, RuleAges } from "./rule-ages.ts";
import { type ScopedWatch, stopWatches, troubleOf } from "./scoped-watch.ts";

/** One round of lists from which rules that came learn what there is. */
export class RuleSeeding {
  /** The lists that each rule needs. */
  readonly #needs: ReadonlyMap<RuleAge, readonly ScopedWatch[]>;
  readonly #ages: RuleAges;
  readonly #lists: readonly ScopedWatch[];
  /** Watches that are there for their list alone. */
  readonly #own: readonly ScopedWatch[];
  /** As of which version each list was complete. */
  readonly #versions = new Map<ScopedWatch, string>();
  #progress = Promise.withResolvers<void>();

  /**
   * @param listing watches of this kind whose first lists are under way
   * @param open makes a watch for what they do not cover
   */
  constructor(
    ages: RuleAges,
    type: ResourceType,
    listing: readonly ScopedWatch[],
    open: (scope: Scope) => ScopedWatch,
  ) {
    this.#ages = ages;
    const rules = [...ages.unsettled];
    const isCovered = (scope: Scope) => listing.some((watch) => covers(watch.scope, scope));
    const subjects = rules.map(({ subject }) => subject);
    this.#own = planScopes(subjects, type)
      .filter((scope) => !isCovered(scope))
      .map(open);
    this.#lists = [...listing, ...this.#own];
    this.#needs = new Map(rules.map((age) => [age, this.#listsOf(planScopes([age.subject], type))]));
    this.#settle(); // what can match nothing of the kind
  }

  /** Opens the lists that no watch makes anyway. Apart from the constructor, since they may be told of before this returns. */
  start(): void {
    for (const watch of this.#own) watch.start();
  }

  /** Whether a list is under way; one that failed waits for its next try. */
  get isBusy(): boolean {
    return this.#lists.some((watch) => this.#isUnderWay(watch));
  }

  /** What the API server says against a list. */
  get trouble(): string | undefined {
    return troubleOf(this.#lists.filter((watch) => !this.#versions.has(watch)));
  }

  /** Whether the watch is there for its list alone. */
  hasOwn(watch: ScopedWatch): boolean {
    return this.#own.includes(watch);
  }

  /** Whether the watch has yet to complete a list of this round. */
  awaits(watch: ScopedWatch): boolean {
    return this.#lists.includes(watch) && !this.#versions.has(watch);
  }

  /** Whether a list is under way without which the rule does not look at its objects. */
  isLearning(age: RuleAge): boolean {
    return this.#ages.unsettled.has(age) && (this.#needs.get(age) ?? []).some((watch) => this.#isUnderWay(watch));
  }

  /** Resolves when a list is complete or has failed, and at the end. */
  get progress(): Promise<void> {
    return this.#progress.promise;
  }

  /** To be called when a watch has listed, or is in trouble. */
  note(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers<void>();
  }

  /** A list is complete: rules that waited for no other look at their objects from now on. */
  complete(watch: ScopedWatch, version: string): void {
    if (!this.#lists.includes(watch) || this.#versions.has(watch)) return;
    this.#versions.set(watch, version);
    if (this.#own.includes(watch)) watch.stop();
    this.#settle();
    this.note();
  }

  /** Ends the lists that are under way, and waits for what they tell. */
  async stop(): Promise<void> {
    this.note();
    await stopWatches(this.#own);
  }

  #settle(): void {
    for (const [age, lists] of this.#needs) {
      const listed = lists.flatMap((list) => {
        const version = this.#versions.get(list);
        return version === undefined ? [] : { scope: list.scope, version };
      });
      if (listed.length === lists.length) this.#ages.settle(age, listed);
    }
  }

  #listsOf(scopes: readonly Scope[]): ScopedWatch[] {
    return this.#lists.filter((watch) => scopes.some((scope) => overlaps(watch.scope, scope)));
  }

  #isUnderWay(watch: ScopedWatch): boolean {
    return watch.isListing && !watch.stopped && !this.#versions.has(watch);
  }
}
