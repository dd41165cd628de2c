import type { Json } from "../resources/object.ts";
import { type MatchSubject, matchRule } from "./match.ts";
import type { KindSelector, Policy, ResourceFilter, Rule } from "./rule-model.ts";

/** `match` or `exclude`, filter by filter. */
export interface ExplainedGroup {
  mode: "any" | "all";
  filters: ExplainedFilter[];
}

export interface ExplainedFilter {
  /** Field path in the policy's rule: `match.any[0]`. */
  path: string;
  matched: boolean;
  attributes: ExplainedAttribute[];
}

/** One attribute of a filter: what it wants, and what the object has. */
export interface ExplainedAttribute {
  attribute: string;
  wanted: Json;
  seen: Json;
  /** Undefined where it was not looked at: the namespace's labels are read only when all else matches. */
  matched: boolean | undefined;
}

/** Asks `matchRule` about every filter and every attribute by itself, to tell which of them said no. */
export function explainGroup(
  policy: Policy,
  rule: Rule,
  part: "match" | "exclude",
  subject: MatchSubject,
): ExplainedGroup {
  const { mode, filters } = rule[part] ?? { mode: "any", filters: [] };
  const holds = (filter: ResourceFilter) => {
    const alone: Rule = { ...rule, match: { mode: "any", filters: [filter] }, exclude: undefined };
    // The bounds of a namespaced Policy are no attribute of the filter: they are told as the reason.
    return matchRule({ ...policy, kind: "ClusterPolicy" }, alone, subject).matched;
  };
  return {
    mode,
    filters: filters.map((filter, index) => ({
      path: `${part}.${mode}[${index}]`,
      matched: holds(filter) && !(part === "exclude" && filter.hasUserInfo),
      attributes: attributesOf(filter, subject).map(({ only, ...attribute }) => ({
        ...attribute,
        matched: attribute.seen === null ? undefined : holds({ ...EMPTY, ...only }),
      })),
    })),
  };
}

const EMPTY: ResourceFilter = {
  kinds: [],
  names: [],
  namespaces: [],
  annotations: {},
  selector: undefined,
  namespaceSelector: undefined,
  operations: [],
  hasUserInfo: false,
};

type AttributeQuestion = Omit<ExplainedAttribute, "matched"> & { only: Partial<ResourceFilter> };

/** The attributes that a filter sets, in the order in which Kyverno looks at them. */
function attributesOf(filter: ResourceFilter, subject: MatchSubject): AttributeQuestion[] {
  const { operations, kinds, names, namespaces, annotations, selector, namespaceSelector } = filter;
  const { operation, type, object, namespaceLabels } = subject;
  const { name, generateName, namespace = "", annotations: given = {}, labels = {} } = object.metadata;
  const objectName = name || generateName || "";
  const scope = type.kind === "Namespace" ? objectName : namespace;
  const questions: [boolean, AttributeQuestion][] = [
    [
      operations.length > 0,
      { attribute: "operations", wanted: operations, seen: operation || "none", only: { operations } },
    ],
    [kinds.length > 0, { attribute: "kinds", wanted: kinds.map(formatKind), seen: type.kind, only: { kinds } }],
    [names.length > 0, { attribute: "names", wanted: names, seen: objectName, only: { names } }],
    [namespaces.length > 0, { attribute: "namespaces", wanted: namespaces, seen: scope, only: { namespaces } }],
    [
      Object.keys(annotations).length > 0,
      { attribute: "annotations", wanted: annotations, seen: given, only: { annotations } },
    ],
    [
      selector !== undefined,
      { attribute: "selector", wanted: selector as unknown as Json, seen: labels, only: { selector } },
    ],
    [
      namespaceSelector !== undefined,
      {
        attribute: "namespaceSelector",
        wanted: namespaceSelector as unknown as Json,
        seen: type.kind === "Namespace" ? labels : (namespaceLabels ?? null),
        only: { namespaceSelector },
      },
    ],
  ];
  return questions.filter(([isSet]) => isSet).map(([, question]) => question);
}

function formatKind({ group, version, kind }: KindSelector): string {
  return [group, version, kind].filter((part, index) => index === 2 || part !== "*").join("/");
}
