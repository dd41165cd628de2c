import type { Json, KubeObject } from "../resources/object.ts";

/**
 * What a policy means, whatever language it was written in. A front end (`parse-policy.ts` for kyverno.io) makes it;
 * matching, substitution and building read only this.
 */
export interface Policy {
  kind: "ClusterPolicy" | "Policy";
  apiVersion: string;
  name: string;
  /** "" for a ClusterPolicy. A Policy reaches only its own namespace. */
  namespace: string;
  uid: string;
  generation: number;
  /** Whether targets are written by server-side apply, so that fields of others stay. */
  serverSideApply: boolean;
  /** Whether only the first rule that applies to an event is used. */
  applyFirstRuleOnly: boolean;
  /** Whether expressions that come out of values are evaluated in turn, as Kyverno does; only where the author says so. */
  evaluatesValues: boolean;
  rules: Rule[];
  /** What is different here from what the author may expect; told once, never an obstacle. */
  warnings: string[];
  /** Where the policy was read: `cluster` or `file:line`. */
  origin: string;
  /** As it was written, without what the cluster keeps beside: what reading it once more takes. */
  document: KubeObject;
}

export interface Rule {
  /** Field path in the policy: `spec.rules[0]`. */
  path: string;
  name: string;
  match: FilterGroup;
  exclude: FilterGroup | undefined;
  context: ContextEntry[];
  preconditions: Preconditions;
  /** Whether changes made by this generator itself leave the rule alone. */
  skipOwnWrites: boolean;
  /** Whether what exists when the policy comes, and every hour after, generates too. */
  generateExisting: boolean;
  /** Whether targets follow their trigger, their clone source and the rule, and are restored when someone changes them. */
  synchronize: boolean;
  /** Whether targets stay when the rule or its policy is deleted. */
  orphanOnPolicyDelete: boolean;
  /** What is generated; with foreach, what each of its items starts from. */
  generate: GenerateBlock[];
}

/** Filters of which any, or all, must match. */
export interface FilterGroup {
  mode: "any" | "all";
  filters: ResourceFilter[];
}

export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** Attributes that must all match; the items of one attribute are alternatives, an empty one is no condition. */
export interface ResourceFilter {
  kinds: KindSelector[];
  names: string[];
  namespaces: string[];
  annotations: Record<string, string>;
  selector: LabelSelector | undefined;
  namespaceSelector: LabelSelector | undefined;
  operations: string[];
  /** Whether it names users: such a filter is met in match and never met in exclude, since a watch does not know them. */
  hasUserInfo: boolean;
}

/** Globs for group, version and kind. */
export interface KindSelector {
  group: string;
  version: string;
  kind: string;
}

export interface LabelSelector {
  matchLabels: Record<string, string>;
  matchExpressions: LabelRequirement[];
}

export interface LabelRequirement {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  values: string[];
}

/** `any` and `all` are both required where both are given. */
export interface Preconditions {
  any: Condition[] | undefined;
  all: Condition[] | undefined;
}

export interface Condition {
  key: Json;
  operator: Operator;
  value: Json;
  message: string;
  /** Field path in the policy, for traces. */
  path: string;
}

export const OPERATORS = [
  "Equal",
  "Equals",
  "NotEqual",
  "NotEquals",
  "In",
  "AnyIn",
  "AllIn",
  "NotIn",
  "AnyNotIn",
  "AllNotIn",
  "GreaterThan",
  "GreaterThanOrEquals",
  "LessThan",
  "LessThanOrEquals",
  "DurationGreaterThan",
  "DurationGreaterThanOrEquals",
  "DurationLessThan",
  "DurationLessThanOrEquals",
] as const;
export type Operator = (typeof OPERATORS)[number];

/** A named value that expressions of the rule can use. */
export type ContextEntry = { name: string; path: string } & (
  | { type: "variable"; value: Json | undefined; jmesPath: string | undefined; fallback: Json | undefined }
  | { type: "configMap"; configMapName: string; namespace: string }
  | { type: "apiCall"; urlPath: string; jmesPath: string | undefined; fallback: Json | undefined }
  /** `reference` is `entry` or `entry.projection`. */
  | { type: "globalReference"; reference: string; jmesPath: string | undefined }
);

/** Items to build a block for, each with a context and preconditions of its own. */
export interface ForEach {
  /** JMESPath on the rule's context, without braces. */
  list: string;
  context: ContextEntry[];
  preconditions: Preconditions;
}

/** What to generate; every text may hold `{{ expressions }}`. */
export interface GenerateBlock {
  /** Field path in the policy. */
  path: string;
  /** Set where it is an entry of foreach: the block is built once for each item. */
  each: ForEach | undefined;
  apiVersion: string;
  kind: string;
  /** "" for a cluster-scoped target. */
  namespace: string;
  /** "" for a cloneList, whose targets are named as their sources. */
  name: string;
  content: BlockContent;
}

/** What the target is made of: written in the policy, or copied from what is in the cluster. */
export type BlockContent =
  | { type: "data"; data: { [key: string]: Json } }
  | { type: "clone"; namespace: string; name: string }
  | { type: "cloneList"; namespace: string; kinds: string[]; selector: LabelSelector | undefined };
