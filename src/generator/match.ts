import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { matchAnyGlob, matchGlob } from "./glob.ts";
import { matchesKind } from "./kind-selector.ts";
import { matchLabels } from "./label-selector.ts";
import type { RequestOperation } from "./request.ts";
import type { FilterGroup, Policy, ResourceFilter, Rule } from "./rule-model.ts";

/** What match and exclude look at. */
export interface MatchSubject {
  operation: RequestOperation;
  type: Pick<ResourceType, "group" | "version" | "kind" | "namespaced">;
  object: KubeObject;
  /** Labels of the object's namespace; undefined while they are not known, then any namespaceSelector may match. */
  namespaceLabels: Readonly<Record<string, string>> | undefined;
}

/** Whether a rule wants an event, and if not, which part of it said no. */
export type MatchResult = { matched: true } | { matched: false; because: string };

const MATCHED: MatchResult = { matched: true };

/** Whether `rule` of `policy` is about this object: match, then exclude, then the bounds of a namespaced Policy. */
export function matchRule(policy: Policy, rule: Rule, subject: MatchSubject): MatchResult {
  const outside = outsidePolicyNamespace(policy, subject);
  if (outside !== undefined) return { matched: false, because: outside };
  const result = matchGroup(rule.match, subject);
  if (!result.matched || rule.exclude === undefined || !isExcluded(rule.exclude, subject)) return result;
  return { matched: false, because: "exclude: the object is excluded" };
}

/** A Policy sees only what lives in its own namespace. */
function outsidePolicyNamespace(policy: Policy, { object, type }: MatchSubject): string | undefined {
  if (policy.kind === "ClusterPolicy") return undefined;
  const namespace = object.metadata.namespace ?? "";
  if (type.namespaced && namespace === policy.namespace) return undefined;
  const where = type.namespaced ? `is in namespace "${namespace}"` : "is cluster-scoped";
  return `a Policy reaches only its own namespace "${policy.namespace}" and the object ${where}`;
}

function matchGroup({ mode, filters }: FilterGroup, subject: MatchSubject): MatchResult {
  const failures: string[] = [];
  for (const [index, filter] of filters.entries()) {
    const failure = failureOf(filter, subject);
    if (failure === undefined && mode === "any") return MATCHED;
    if (failure !== undefined) failures.push(`match.${mode}[${index}]: ${failure}`);
  }
  return failures.length === 0 && mode === "all" ? MATCHED : { matched: false, because: failures.join("; ") };
}

function isExcluded({ mode, filters }: FilterGroup, subject: MatchSubject): boolean {
  const applies = (filter: ResourceFilter) => !filter.hasUserInfo && failureOf(filter, subject) === undefined;
  return mode === "any" ? filters.some(applies) : filters.length > 0 && filters.every(applies);
}

/** The first attribute of `filter` that the subject does not have, in Kyverno's order; undefined when all match. */
function failureOf(filter: ResourceFilter, subject: MatchSubject): string | undefined {
  if (isEmpty(filter)) return "the filter is empty, which matches nothing";
  const { operation, type, object } = subject;
  const { name, generateName, namespace = "", annotations = {}, labels = {} } = object.metadata;
  const objectName = name || generateName || "";
  if (filter.operations.length > 0 && !filter.operations.includes(operation))
    return `operations ${list(filter.operations)} do not include ${operation || "a look at what exists"}`;
  if (filter.kinds.length > 0 && !filter.kinds.some((selector) => matchesKind(selector, type)))
    return `kinds do not include ${type.kind}`;
  if (filter.names.length > 0 && !matchAnyGlob(filter.names, objectName))
    return `names ${list(filter.names)} do not match "${objectName}"`;
  const scope = type.kind === "Namespace" ? objectName : namespace;
  if (filter.namespaces.length > 0 && !matchAnyGlob(filter.namespaces, scope))
    return `namespaces ${list(filter.namespaces)} do not match "${scope}"`;
  if (!matchAnnotations(filter.annotations, annotations))
    return `annotations ${JSON.stringify(filter.annotations)} do not match ${JSON.stringify(annotations)}`;
  if (filter.selector !== undefined && !matchLabels(filter.selector, labels))
    return `selector does not match the labels ${JSON.stringify(labels)}`;
  return namespaceFailure(filter, subject);
}

function namespaceFailure({ namespaceSelector }: ResourceFilter, subject: MatchSubject): string | undefined {
  if (namespaceSelector === undefined) return undefined;
  if (subject.type.kind === "Namespace") return "namespaceSelector never matches a Namespace";
  const labels = subject.namespaceLabels;
  if (labels === undefined) return undefined;
  if (matchLabels(namespaceSelector, labels)) return undefined;
  return `namespaceSelector does not match the namespace's labels ${JSON.stringify(labels)}`;
}

function matchAnnotations(wanted: Record<string, string>, given: Record<string, string>): boolean {
  const pairs = Object.entries(given);
  return Object.entries(wanted).every(([key, value]) =>
    pairs.some(([name, text]) => matchGlob(key, name) && matchGlob(value, text)),
  );
}

function isEmpty(filter: ResourceFilter): boolean {
  const { kinds, names, namespaces, annotations, selector, namespaceSelector, operations, hasUserInfo } = filter;
  const lists = [kinds, names, namespaces, operations, Object.keys(annotations)];
  return lists.every(({ length }) => length === 0) && !selector && !namespaceSelector && !hasUserInfo;
}

function list(items: readonly string[]): string {
  return `[${items.join(", ")}]`;
}

/** Whether deciding about the rule needs the labels of the object's namespace. */
export function needsNamespaceLabels({ match, exclude }: Rule): boolean {
  return [...match.filters, ...(exclude?.filters ?? [])].some(
    ({ namespaceSelector }) => namespaceSelector !== undefined,
  );
}
