import { describeType, type FieldReader, type Fields, isObject, FieldReader as Reader } from "../resources/fields.ts";
import type { KubeObject } from "../resources/object.ts";
import { checkBounds } from "./check-bounds.ts";
import { checkExpressions } from "./check-expressions.ts";
import { PolicyError } from "./errors.ts";
import { parseContext } from "./parse-context.ts";
import { flag, refuseKnown, refuseUnknown } from "./parse-fields.ts";
import { parseGenerate } from "./parse-generate.ts";
import { parseFilterGroup } from "./parse-match.ts";
import { parsePreconditions } from "./parse-preconditions.ts";
import type { Policy, Rule } from "./rule-model.ts";

const API_VERSIONS = ["kyverno.io/v1", "kyverno.io/v2beta1"];

/** Fields of spec that say nothing about generating, or nothing that a watch could do otherwise. */
const INERT_SPEC = [
  "admission",
  "background",
  "emitWarning",
  "failurePolicy",
  "mutateExistingOnPolicyUpdate",
  "schemaValidation",
  "validationFailureAction",
  "validationFailureActionOverrides",
  "webhookConfiguration",
  "webhookTimeoutSeconds",
];

/** Fields that Kyverno refuses beside generate rules, and what to write. */
const REFUSED_SPEC = {
  generateExistingOnPolicyUpdate: "is refused by Kyverno, too: write generateExisting: true, in the rule or in spec",
};
const REFUSED_RULE = {
  celPreconditions: "cannot stand in a generate rule, in Kyverno neither: write preconditions",
};

/** Opts a policy in to Kyverno's way with values: expressions that come out of them are evaluated. */
export const EVALUATE_VALUES = "courier.io/evaluate-values";

/** Rule actions other than generate: such rules are for an admission controller. */
const OTHER_ACTIONS = ["validate", "mutate", "verifyImages"];

/** The origin of policies that were not read from a file. */
export const FROM_CLUSTER = "cluster";

/** Whether an object is a policy of the kinds this front end reads, and has a generate rule. */
export function isGeneratePolicy(value: unknown): boolean {
  if (!isObject(value) || !["ClusterPolicy", "Policy"].includes(String(value["kind"]))) return false;
  const spec = value["spec"];
  const rules = isObject(spec) ? spec["rules"] : undefined;
  return Array.isArray(rules) && rules.some((rule) => isObject(rule) && rule["generate"] !== undefined);
}

/**
 * Reads a kyverno.io ClusterPolicy or Policy into the rule model.
 * @param origin `cluster`, or `file:line`
 * @throws PolicyError with every field that is wrong or that this generator cannot do
 */
export function parsePolicy(object: KubeObject, origin = FROM_CLUSTER): Policy {
  const reader = new Reader();
  const { apiVersion, kind, metadata } = object;
  const problem = (path: string, message: string) => reader.problems.push({ path, message });
  if (!API_VERSIONS.includes(apiVersion))
    problem("apiVersion", `must be one of ${API_VERSIONS.join(", ")} and is ${apiVersion}`);
  if (kind !== "ClusterPolicy" && kind !== "Policy") problem("kind", `must be ClusterPolicy or Policy and is ${kind}`);
  const name = metadata?.name ?? "";
  if (name === "") problem("metadata.name", "is missing");
  if (name.length > 63)
    problem("metadata.name", `has ${name.length} characters: it becomes a label of what is generated, which takes 63`);
  const spec = reader.object({ ...object }, "", "spec") ?? {};
  const warnings: string[] = [];
  const rules = parseRules(spec, reader, warnings);
  const policy: Policy = {
    kind: kind === "Policy" ? "Policy" : "ClusterPolicy",
    apiVersion,
    name,
    namespace: kind === "Policy" ? (metadata?.namespace ?? "default") : "",
    uid: metadata?.uid ?? "",
    generation: metadata?.generation ?? 0,
    serverSideApply: flag(spec, "spec", "useServerSideApply", false, reader),
    applyFirstRuleOnly: parseApplyRules(spec, reader),
    evaluatesValues: parseEvaluateValues(object, warnings, reader),
    rules,
    warnings,
    origin,
    document: documentOf(object),
  };
  for (const rule of rules) {
    checkExpressions(rule, reader);
    checkBounds(policy, rule, reader);
  }
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  return policy;
}

function documentOf({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  const { name, namespace, uid, generation, annotations: all } = metadata ?? {};
  const optIn = all?.[EVALUATE_VALUES];
  const annotations = optIn === undefined ? undefined : { [EVALUATE_VALUES]: optIn };
  const kept = Object.entries({ name, namespace, uid, generation, annotations });
  const given = kept.filter(([, value]) => value !== undefined);
  return { apiVersion, kind, metadata: Object.fromEntries(given), spec };
}

function parseEvaluateValues({ metadata }: KubeObject, warnings: string[], reader: FieldReader): boolean {
  const path = `metadata.annotations["${EVALUATE_VALUES}"]`;
  const value: unknown = metadata?.annotations?.[EVALUATE_VALUES] ?? "false";
  if (value !== "true" && value !== "false")
    reader.problems.push({ path, message: `must be "true" or "false" and is ${JSON.stringify(value)}` });
  if (value === "true")
    warnings.push(
      `${path}: who writes an object that the rules read can write expressions that run as this policy's own`,
    );
  return value === "true";
}

function parseApplyRules(spec: Fields, reader: FieldReader): boolean {
  const value = reader.text(spec, "spec", "applyRules") ?? "All";
  if (value !== "All" && value !== "One")
    reader.problems.push({ path: "spec.applyRules", message: `must be All or One and is "${value}"` });
  return value === "One";
}

function parseRules(spec: Fields, reader: FieldReader, warnings: string[]): Rule[] {
  refuseKnown(spec, "spec", REFUSED_SPEC, reader);
  const known = ["rules", "applyRules", "generateExisting", "useServerSideApply", ...INERT_SPEC];
  refuseUnknown(spec, "spec", [...known, ...Object.keys(REFUSED_SPEC)], reader);
  refuseAdmission(spec, reader);
  const existing = flag(spec, "spec", "generateExisting", false, reader);
  const names = new Set<string>();
  return reader.list(spec, "spec", "rules").flatMap((item, index) => {
    const path = `spec.rules[${index}]`;
    if (!isObject(item)) {
      reader.problems.push({ path, message: `must be an object and is ${describeType(item)}` });
      return [];
    }
    if (item["generate"] === undefined) {
      warnings.push(`${path} has no generate block: a rule of another kind, left to an admission controller`);
      return [];
    }
    const rule = parseRule(item, path, existing, reader, warnings);
    if (names.has(rule.name)) reader.problems.push({ path: `${path}.name`, message: `"${rule.name}" is used twice` });
    names.add(rule.name);
    return [rule];
  });
}

/** What of the admission webhook would decide about generating. */
function refuseAdmission(spec: Fields, reader: FieldReader): void {
  if (spec["admission"] === false)
    reader.problems.push({
      path: "spec.admission",
      message: "is false, which Kyverno refuses beside generate rules: they act on admission, remove it",
    });
  const webhook = spec["webhookConfiguration"];
  const conditions = isObject(webhook) ? webhook["matchConditions"] : undefined;
  if (Array.isArray(conditions) && conditions.length > 0)
    reader.problems.push({
      path: "spec.webhookConfiguration.matchConditions",
      message: "cannot be evaluated, a watch sees no admission request: write preconditions",
    });
}

/** `reportProperties` is about the reports of a Kyverno. */
const RULE_FIELDS = [
  "name",
  "match",
  "exclude",
  "context",
  "preconditions",
  "generate",
  "skipBackgroundRequests",
  "reportProperties",
];

/** @param existing what the policy says about rules that do not say themselves whether they generate for what exists */
function parseRule(rule: Fields, path: string, existing: boolean, reader: FieldReader, warnings: string[]): Rule {
  const name = reader.text(rule, path, "name") ?? "";
  if (name === "" || name.length > 63)
    reader.problems.push({ path: `${path}.name`, message: "must be a name of 1 to 63 characters" });
  for (const action of OTHER_ACTIONS)
    if (rule[action] !== undefined)
      reader.problems.push({ path: `${path}.${action}`, message: "stands beside generate: a rule has one action" });
  refuseKnown(rule, path, REFUSED_RULE, reader);
  refuseUnknown(rule, path, [...RULE_FIELDS, ...OTHER_ACTIONS, ...Object.keys(REFUSED_RULE)], reader);
  const match = parseFilterGroup(rule["match"], `${path}.match`, reader);
  if (match === undefined) reader.problems.push({ path: `${path}.match`, message: "is missing or empty" });
  else if (match.filters.every(({ kinds }) => kinds.length === 0))
    reader.problems.push({ path: `${path}.match`, message: "names no kinds: it matches nothing" });
  const exclude = parseFilterGroup(rule["exclude"], `${path}.exclude`, reader);
  if ([...(match?.filters ?? []), ...(exclude?.filters ?? [])].some(({ hasUserInfo }) => hasUserInfo))
    warnings.push(
      `${path} filters by users: a watch does not know them, so match ignores them and exclude excludes nothing`,
    );
  const generated = parseGenerate(rule, path, existing, reader);
  const operations = match?.filters.every((filter) => filter.operations.length > 0) ?? false;
  if (generated.synchronize && !operations && generated.generate.some(({ kind }) => kind === "NotificationMessage"))
    warnings.push(
      `${path} synchronizes NotificationMessages: one that was delivered is deleted, and would be made and sent again, say synchronize: false`,
    );
  const skip = rule["skipBackgroundRequests"];
  if (skip !== undefined && skip !== null && typeof skip !== "boolean")
    reader.problems.push({
      path: `${path}.skipBackgroundRequests`,
      message: `must be true or false and is ${describeType(skip)}`,
    });
  return {
    name,
    path,
    match: match ?? { mode: "any", filters: [] },
    exclude,
    context: parseContext(rule, path, reader),
    preconditions: parsePreconditions(rule["preconditions"], `${path}.preconditions`, reader),
    skipOwnWrites: skip !== false,
    ...generated,
  };
}
