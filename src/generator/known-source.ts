import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { SeenObject } from "./change.ts";
import type { PolicyRule, Scope } from "./reach.ts";
import { RuleIndex } from "./rule-index.ts";

/** Up to where the changes of one scope are done. */
export interface WatchPosition extends Scope {
  resourceVersion: string;
}

/** What a checkpoint knows of one kind. */
export interface KnownSource {
  /** The rules that looked at it. */
  rules: readonly PolicyRule[];
  positions: readonly WatchPosition[];
  objects: readonly SeenObject[];
  /** UIDs of objects that were gone, with the version of their end. */
  deleted: readonly (readonly [uid: string, version: string])[];
  /** Whether objects had no room in the checkpoint. */
  isPartial: boolean;
}

/**
 * Where a source goes on after a restart, and which rules what happened meanwhile concerns: those that looked at the object
 * already. To a rule that came since, what it finds is how things were.
 */
export class ResumePoint {
  readonly #positions: readonly WatchPosition[];
  readonly #isPartial: boolean;
  readonly #index: RuleIndex;
  /** What each rule matched. */
  readonly #matches: ReadonlyMap<string, string>;

  constructor({ rules, positions, isPartial }: KnownSource, type: ResourceType) {
    this.#positions = positions;
    this.#isPartial = isPartial;
    this.#index = new RuleIndex(rules, type);
    this.#matches = new Map(rules.map((subject) => [keyOf(subject), JSON.stringify(subject.rule.match)]));
  }

  /** Whether an object that a first list names and nobody knows was created since. */
  get knowsObjects(): boolean {
    return !this.#isPartial;
  }

  /** The version after which a watch of this scope sees all that happened; undefined where it has to list. */
  positionOf(scope: Scope, rules: readonly PolicyRule[]): string | undefined {
    const sawAll = rules.every((each) => this.#matches.get(keyOf(each)) === JSON.stringify(each.rule.match));
    if (this.#isPartial || !sawAll) return undefined;
    const isSame = ({ namespace, name }: Scope) => namespace === scope.namespace && name === scope.name;
    return this.#positions.find(isSame)?.resourceVersion;
  }

  /** Those of the rules that looked at the object already. */
  knownOf(rules: readonly PolicyRule[], object: KubeObject): PolicyRule[] {
    const known = new Set(this.#index.rulesFor(object).map(keyOf));
    return rules.filter((rule) => known.has(keyOf(rule)));
  }
}

function keyOf({ policy: { kind, namespace, name, uid }, rule }: PolicyRule): string {
  return [kind, namespace, name, uid, rule.name].join("/");
}
