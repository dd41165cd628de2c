import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { mayMatch, type PolicyRule, reachesOf } from "./reach.ts";

/**
 * Finds the rules that may match an object of one kind without asking each of them: hundreds of policies mostly name one
 * namespace each, and every change of the kind asks.
 */
export class RuleIndex {
  readonly #type: ResourceType;
  readonly #rules: readonly PolicyRule[];
  /** Positions in `#rules` by the namespace and name that a rule pins; "" stands for one that it does not pin. */
  readonly #positions = new Map<string, number[]>();

  constructor(rules: readonly PolicyRule[], type: ResourceType) {
    this.#type = type;
    this.#rules = rules;
    for (const [position, rule] of rules.entries()) {
      const keys = new Set(reachesOf(rule, type).map(({ namespace, name }) => keyOf(namespace, name)));
      for (const key of keys) {
        const known = this.#positions.get(key);
        if (known === undefined) this.#positions.set(key, [position]);
        else known.push(position);
      }
    }
  }

  /** The rules that may match the object at some time, in declaration order. */
  rulesFor(object: KubeObject): PolicyRule[] {
    const candidates = this.#candidates(object).flatMap((position) => this.#rules[position] ?? []);
    return candidates.filter((rule) => mayMatch(rule, this.#type, object));
  }

  #candidates({ metadata: { namespace = "", name = "" } }: KubeObject): number[] {
    const keys = [keyOf(namespace, name), keyOf(namespace, ""), keyOf("", name), keyOf("", "")];
    const positions = new Set(keys.flatMap((key) => this.#positions.get(key) ?? []));
    return [...positions].sort((left, right) => left - right);
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
