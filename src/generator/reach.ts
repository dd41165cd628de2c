import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { isGlob, matchAnyGlob } from "./glob.ts";
import { matchesKind } from "./kind-selector.ts";
import type { FilterGroup, Policy, ResourceFilter, Rule } from "./rule-model.ts";

/** A rule and the policy it stands in. */
export interface PolicyRule {
  policy: Policy;
  rule: Rule;
}

/** One watch of a kind: "" stands for all namespaces, for all names. */
export interface Scope {
  namespace: string;
  name: string;
}

const MAX_WATCHES = 20;
/** A filter stands for each of its namespaces with each of its names: two long lists would be millions. */
const MAX_REACHES = 1_000;

/** The filters of `match` that could let an object of `type` through. */
export function filtersFor({ mode, filters }: FilterGroup, type: ResourceType): ResourceFilter[] {
  const namesType = ({ kinds }: ResourceFilter) =>
    kinds.length === 0 ? mode === "all" && filters.length > 1 : kinds.some((selector) => matchesKind(selector, type));
  return mode === "any" ? filters.filter(namesType) : filters.every(namesType) ? filters : [];
}

/** Whether a rule may match an object at some time, judged by what never changes in it: kind, namespace, name. */
export function mayMatch({ policy, rule }: PolicyRule, type: ResourceType, object: KubeObject): boolean {
  const { name = "", namespace = "" } = object.metadata;
  if (policy.kind === "Policy" && namespace !== policy.namespace) return false;
  const filters = filtersFor(rule.match, type);
  const scope = type.kind === "Namespace" ? name : namespace;
  const admits = (filter: ResourceFilter) =>
    (filter.names.length === 0 || matchAnyGlob(filter.names, name)) &&
    (filter.namespaces.length === 0 || matchAnyGlob(filter.namespaces, scope));
  return filters.length > 0 && (rule.match.mode === "any" ? filters.some(admits) : filters.every(admits));
}

/** The narrowest few watches that see everything the rules may match. */
export function planScopes(rules: readonly PolicyRule[], type: ResourceType): Scope[] {
  const reaches = rules.flatMap((rule) => reachesOf(rule, type));
  const namespaces = new Set(reaches.map(({ namespace }) => namespace));
  const wide = namespaces.has("") || namespaces.size > MAX_WATCHES;
  return (wide ? [""] : [...namespaces].sort()).map((namespace) => {
    const names = new Set(reaches.filter((reach) => wide || reach.namespace === namespace).map(({ name }) => name));
    const [only = ""] = names;
    return { namespace, name: names.size === 1 ? only : "" };
  });
}

/** Whether an object may lie in both scopes. */
export function overlaps(one: Partial<Scope>, other: Partial<Scope>): boolean {
  const agree = (left = "", right = "") => left === "" || right === "" || left === right;
  return agree(one.namespace, other.namespace) && agree(one.name, other.name);
}

/** Whether every object of `inner` lies in `outer`. */
export function covers(outer: Partial<Scope>, inner: Partial<Scope>): boolean {
  const admits = (wide = "", narrow = "") => wide === "" || wide === narrow;
  return admits(outer.namespace, inner.namespace) && admits(outer.name, inner.name);
}

/** Every namespace and name that a rule pins; "" where it pins none, or where it pins very many of both. */
export function reachesOf({ policy, rule }: PolicyRule, type: ResourceType): Scope[] {
  const filters = filtersFor(rule.match, type);
  const used = rule.match.mode === "any" ? filters : filters.slice(0, 1);
  return used.flatMap((filter) => {
    const pinned = policy.kind === "Policy" ? [policy.namespace] : literals(filter.namespaces);
    const namespaces = type.namespaced ? pinned : [""];
    const pinnedNames = literals(filter.names);
    const names = namespaces.length * pinnedNames.length > MAX_REACHES ? [""] : pinnedNames;
    return namespaces.flatMap((namespace) => names.map((name) => ({ namespace, name })));
  });
}

function literals(patterns: readonly string[]): string[] {
  return patterns.length === 0 || patterns.some(isGlob) ? [""] : [...patterns];
}
