import { isDeepStrictEqual } from "node:util";
import { apiVersionOf } from "../resources/kinds.ts";
import { CLONE_SOURCE_LABEL, downstreamScopeSelector, MADE_BY_A_RULE } from "./downstream.ts";
import { isRewritten } from "./existing-schedule.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { LabelScope } from "./labelled-source.ts";
import type { ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { Policy, Rule } from "./rule-model.ts";

/** Watches of one kind. */
export interface PlannedSource {
  type: ServedType;
  scopes: LabelScope[];
}

/** What has to be watched so that targets follow, by kind. */
export interface SyncPlan {
  downstream: Map<string, PlannedSource>;
  cloneSources: Map<string, PlannedSource>;
}

const MAX_WATCHES = 20;

/** The narrowest few watches that see what synchronized rules made, and what they copied. Pure. */
export function planSync(policies: readonly Policy[], catalog: KindCatalog): SyncPlan {
  const downstream = new Map<string, { type: ServedType; namespaces: Set<string>; policies: Set<string> }>();
  const sources = new Map<string, { type: ServedType; namespaces: Set<string>; policies: Set<string> }>();
  for (const policy of policies)
    for (const rule of policy.rules.filter(({ synchronize }) => synchronize))
      for (const block of rule.generate)
        for (const type of catalog.targetTypes({ ...rule, generate: [block] })) {
          add(downstream, type, policy, type.namespaced ? block.namespace : "");
          if (block.content.type !== "data") add(sources, type, policy, type.namespaced ? block.content.namespace : "");
        }
  const scopesOf =
    (select: (policies: string[]) => string) =>
    (entry: typeof downstream extends Map<string, infer V> ? V : never) => ({
      type: entry.type,
      scopes: narrow(entry.namespaces).map((namespace) => ({
        namespace,
        labelSelector: select([...entry.policies].sort()),
      })),
    });
  return {
    downstream: mapValues(downstream, scopesOf(downstreamScopeSelector)),
    cloneSources: mapValues(
      sources,
      scopesOf(() => CLONE_SOURCE_LABEL),
    ),
  };
}

/** Where rules without `synchronize` make what they make, by kind. Pure. */
export function planTargets(policies: readonly Policy[], catalog: KindCatalog): PlannedSource[] {
  const targets = new Map<string, { type: ServedType; namespaces: Set<string>; policies: Set<string> }>();
  for (const policy of policies)
    for (const rule of policy.rules.filter(({ synchronize }) => !synchronize))
      for (const block of rule.generate)
        for (const type of catalog.targetTypes({ generate: [block] }))
          add(targets, type, policy, type.namespaced ? block.namespace : "");
  const scopesOf = (namespaces: ReadonlySet<string>) =>
    narrow(namespaces).map((namespace) => ({ namespace, labelSelector: MADE_BY_A_RULE }));
  return [...targets.values()].map(({ type, namespaces }) => ({ type, scopes: scopesOf(namespaces) }));
}

/** Where a rule makes what it makes of a kind: the namespaces that it names in plain text; "" for all. Pure. */
export function targetNamespaces({ policy, rule }: PolicyRule, type: ServedType, catalog: KindCatalog): string[] {
  const targets = new Map<string, { type: ServedType; namespaces: Set<string>; policies: Set<string> }>();
  for (const block of rule.generate)
    if (
      catalog.targetTypes({ generate: [block] }).some(({ group, kind }) => group === type.group && kind === type.kind)
    )
      add(targets, type, policy, type.namespaced ? block.namespace : "");
  const [entry] = targets.values();
  return narrow(entry?.namespaces ?? new Set([policy.namespace]));
}

function add(
  plan: Map<string, { type: ServedType; namespaces: Set<string>; policies: Set<string> }>,
  type: ServedType,
  policy: Policy,
  namespace: string,
): void {
  const key = `${apiVersionOf(type)}/${type.kind}`;
  const entry = plan.get(key) ?? { type, namespaces: new Set<string>(), policies: new Set<string>() };
  plan.set(key, entry);
  entry.policies.add(policy.name);
  entry.namespaces.add(namespace.includes("{{") ? policy.namespace : namespace);
}

function narrow(namespaces: ReadonlySet<string>): string[] {
  return namespaces.has("") || namespaces.size > MAX_WATCHES ? [""] : [...namespaces].sort();
}

function mapValues<V, W>(map: Map<string, V>, to: (value: V) => W): Map<string, W> {
  return new Map([...map].map(([key, value]) => [key, to(value)]));
}

/** What a change of a policy means for what one of its rules made; `begun`: it did not synchronize before. */
export type RuleChange = "none" | "removed" | "retargeted" | "rerun" | "begun";

/** @param next the rule of the same name after the change; undefined where the rule or the policy is gone */
export function compareRules(rule: Rule, next: Rule | undefined): RuleChange {
  const isMoved = !isDeepStrictEqual(rule.generate.map(destinationOf), next?.generate.map(destinationOf));
  const isData = next !== undefined && isRewritten(next);
  if (!rule.synchronize) return isData && !isMoved ? "begun" : "none";
  if (next === undefined) return rule.orphanOnPolicyDelete || !goesWithPolicy(rule) ? "none" : "removed";
  if (isMoved) return "retargeted";
  const isChanged = !isDeepStrictEqual({ ...rule, path: "" }, { ...next, path: "" });
  return isChanged && isData ? "rerun" : "none";
}

/** Copies of single objects outlive their policy, as Kyverno's conformance tests want it. */
function goesWithPolicy({ generate }: Rule): boolean {
  return generate.some(({ content }) => content.type !== "clone");
}

function destinationOf({ apiVersion, kind, namespace, name, content }: Rule["generate"][number]): object {
  return { apiVersion, kind, namespace, name, content: content.type === "data" ? "" : content };
}
