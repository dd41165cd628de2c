import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { isStale, newestVersion } from "./change.ts";
import { covers, mayMatch, type PolicyRule, type Scope } from "./reach.ts";

/** How often the match of a rule may be edited before its objects are known again, and it still goes on with those of before. */
const MAX_EDITS = 8;

/** For a rule that looked at its objects before this process began. */
const EVER: readonly ListedScope[] = [{ scope: {}, version: "" }];

/** What a list of a scope named is known as of its version. */
export interface ListedScope {
  scope: Partial<Scope>;
  version: string;
}

/** A rule for as long as it matches the same. */
export interface RuleAge {
  subject: PolicyRule;
  readonly match: string;
  /** The lists that named all that it may match; undefined before. */
  since: readonly ListedScope[] | undefined;
}

/**
 * Since when each rule looks at each object: what happened up to then was there before the rule, whichever watch tells of it, and
 * however late. One whose `match` was edited goes on with the objects that it matched before.
 */
export class RuleAges {
  readonly #type: ResourceType;
  #ages: Map<string, RuleAge[]>;
  #bySubject = new Map<PolicyRule, RuleAge[]>();
  #unsettled = new Set<RuleAge>();

  /** @param known rules that looked at their objects already, before a restart */
  constructor(type: ResourceType, known: readonly PolicyRule[]) {
    this.#type = type;
    this.#ages = new Map(known.map((subject) => [idOf(subject), [{ subject, match: matchOf(subject), since: EVER }]]));
  }

  /** Takes these rules for those that there are. */
  follow(rules: readonly PolicyRule[]): void {
    const before = this.#ages;
    this.#bySubject = new Map(rules.map((subject) => [subject, renew(before.get(idOf(subject)) ?? [], subject)]));
    this.#ages = new Map([...this.#bySubject].map(([subject, ages]) => [idOf(subject), ages]));
    const newest = [...this.#bySubject.values()].flatMap((ages) => ages.at(-1) ?? []);
    this.#unsettled = new Set(newest.filter(({ since }) => since === undefined));
  }

  /** Rules of whose objects some are not known yet. */
  get unsettled(): ReadonlySet<RuleAge> {
    return this.#unsettled;
  }

  /** These lists named all that the rule may match. */
  settle(age: RuleAge, lists: readonly ListedScope[]): void {
    age.since ??= lists;
    this.#unsettled.delete(age);
  }

  /** The rule as it matches now; undefined where it is not followed. */
  newest(subject: PolicyRule): RuleAge | undefined {
    return this.#bySubject.get(subject)?.at(-1);
  }

  /** The rules that look at their objects, as they do: one that is being edited as it was before. */
  settled(): PolicyRule[] {
    return [...this.#bySubject.values()].flatMap(
      (ages) => ages.findLast(({ since }) => since !== undefined)?.subject ?? [],
    );
  }

  /** Whether the rule, which may match the object, looks at it already. */
  looksAt(subject: PolicyRule, object: KubeObject): boolean {
    return this.#sinceOf(subject, object) !== undefined;
  }

  /** Whether what became of the object at `version` concerns the rule. */
  concerns(subject: PolicyRule, object: KubeObject, version: string): boolean {
    const since = this.#sinceOf(subject, object);
    return since !== undefined && !isStale(version, since);
  }

  #sinceOf(subject: PolicyRule, object: KubeObject): string | undefined {
    const ages = this.#bySubject.get(subject) ?? [];
    const matched = (age: RuleAge) => age.subject === subject || mayMatch(age.subject, this.#type, object);
    const [first] = ages
      .slice(ages.findLastIndex((age) => !matched(age)) + 1)
      .filter(({ since }) => since !== undefined);
    const { namespace = "", name = "" } = object.metadata;
    const versions = first?.since?.flatMap(({ scope, version }) => (covers(scope, { namespace, name }) ? version : []));
    return versions === undefined ? undefined : (newestVersion(versions) ?? "");
  }
}

/** The age that is settled and those after it: what an edit let go of is not known any more, should a later one match it again. */
function renew(ages: readonly RuleAge[], subject: PolicyRule): RuleAge[] {
  const match = matchOf(subject);
  const newest = ages.at(-1);
  if (newest?.match === match) {
    newest.subject = subject;
    return [...ages];
  }
  const settled = ages.findLastIndex(({ since }) => since !== undefined);
  const kept = settled === -1 || ages.length - settled > MAX_EDITS ? [] : ages.slice(settled);
  return [...kept, { subject, match, since: undefined }];
}

function matchOf({ rule }: PolicyRule): string {
  return JSON.stringify(rule.match);
}

function idOf({ policy: { kind, namespace, name, uid }, rule }: PolicyRule): string {
  return [kind, namespace, name, uid, rule.name].join("/");
}
