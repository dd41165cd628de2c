import type { Json, KubeObject } from "../resources/object.ts";
import { type CloneOrder, targetOfList } from "./build.ts";
import { type ContextSource, loadContext } from "./context.ts";
import { messageOf, RuleError } from "./errors.ts";
import { type EvaluationInputs, evaluateRule, type Verdict } from "./evaluate-rule.ts";
import { type ExplainedGroup, explainGroup } from "./explain-match.ts";
import type { CheckedCondition } from "./preconditions.ts";
import type { ChangeRequest } from "./request.ts";
import { requestDocument } from "./request-document.ts";
import type { Policy, Preconditions, Rule } from "./rule-model.ts";

/** What one rule makes of one change, and all that led to it. */
export interface RuleExplanation {
  policy: string;
  rule: string;
  /** Where the policy was read: `file:line`. */
  origin: string;
  outcome: "generate" | "not matched" | "stopped matching" | "preconditions not met" | "failed" | "not evaluated";
  /** Why, where the outcome is not to generate and the preconditions do not say it. */
  because: string | undefined;
  match: ExplainedGroup;
  exclude: ExplainedGroup | undefined;
  /** Entries that the rule's expressions mention; empty where the rule does not match. */
  context: ExplainedEntry[];
  /** Conditions that were looked at, both sides evaluated, in order. */
  preconditions: CheckedCondition[];
  /** Paths of conditions that were not looked at, because those before them decided. */
  notLookedAt: string[];
  targets: KubeObject[];
  /** What failed in single entries and items of foreach. */
  errors: string[];
}

export interface ExplainedEntry {
  name: string;
  path: string;
  /** Undefined where it could not be loaded. */
  value: Json | undefined;
  error: string | undefined;
}

/**
 * Takes a change through every rule of the policies as the generator does, and tells what decided. The verdict is
 * `evaluateRule`'s own; match and context are asked again, part by part, to show what they saw. Nothing is written.
 */
export async function explainChange(
  policies: readonly Policy[],
  request: ChangeRequest,
  inputs: EvaluationInputs,
  signal?: AbortSignal,
): Promise<RuleExplanation[]> {
  const explained: RuleExplanation[] = [];
  for (const policy of policies) {
    let applied: string | undefined;
    for (const rule of policy.rules) {
      const isOver = policy.applyFirstRuleOnly && applied !== undefined;
      const explanation = isOver
        ? notEvaluated(policy, rule, request, `applyRules is One and rule "${applied}" applied`)
        : (await explainRule(policy, rule, request, inputs, signal)).explanation;
      explained.push(explanation);
      if (APPLIED.includes(explanation.outcome)) applied ??= rule.name;
    }
  }
  return explained;
}

/** Outcomes after which `applyRules: One` leaves the policy's other rules alone. */
const APPLIED: readonly RuleExplanation["outcome"][] = ["generate", "stopped matching", "failed"];

/** What `evaluateRule` says of one rule and change, or the error that it throws, and what led to it. */
export async function explainRule(
  policy: Policy,
  rule: Rule,
  request: ChangeRequest,
  inputs: EvaluationInputs,
  signal?: AbortSignal,
): Promise<{ verdict: Verdict | RuleError; explanation: RuleExplanation }> {
  const answers = rememberAnswers(inputs.source);
  const run = { ...inputs, source: answers.source };
  let verdict: Verdict | RuleError;
  try {
    verdict = await evaluateRule(policy, rule, request, run, signal);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    verdict = error;
  }
  const isMatched = !(verdict instanceof RuleError) && verdict.outcome !== "not matched";
  const shown = frameOf(policy, rule, request, answers.namespaceLabels());
  const context = isMatched || verdict instanceof RuleError ? await explainContext(policy, rule, request, run) : [];
  return { verdict, explanation: explainVerdict(verdict, shown, context, rule.preconditions) };
}

/** @param shown the explanation as far as the verdict has no say */
function explainVerdict(
  verdict: Verdict | RuleError,
  shown: RuleExplanation,
  context: ExplainedEntry[],
  conditions: Preconditions,
): RuleExplanation {
  if (verdict instanceof RuleError) return { ...shown, outcome: "failed", because: verdict.message, context };
  if (verdict.outcome === "not matched") return { ...shown, outcome: verdict.outcome, because: verdict.because };
  if (verdict.outcome === "stopped matching")
    return { ...shown, outcome: verdict.outcome, because: `${verdict.because}: what it generated is deleted`, context };
  const checked = verdict.checked;
  const looked = { ...shown, context, preconditions: checked, notLookedAt: restOf(conditions, checked) };
  if (verdict.outcome !== "generate") return { ...looked, outcome: verdict.outcome };
  const { clones, errors } = verdict;
  const targets = [...verdict.targets, ...clones.map(outlineOf)];
  return { ...looked, outcome: "generate", targets, errors: errors.map(messageOf) };
}

/** What is known of a copy without reading its source. */
function outlineOf(order: CloneOrder): KubeObject {
  const { apiVersion, kind, namespace, name } = order.type === "clone" ? order.target : targetOfList(order);
  return { apiVersion, kind, metadata: { name, namespace, labels: order.labels } };
}

function notEvaluated(policy: Policy, rule: Rule, request: ChangeRequest, because: string): RuleExplanation {
  return { ...frameOf(policy, rule, request, undefined), because };
}

function frameOf(
  policy: Policy,
  rule: Rule,
  request: ChangeRequest,
  namespaceLabels: Record<string, string> | undefined,
): RuleExplanation {
  const explain = (part: "match" | "exclude") => explainGroup(policy, rule, part, { ...request, namespaceLabels });
  return {
    policy: `${policy.kind} "${policy.namespace === "" ? "" : `${policy.namespace}/`}${policy.name}"`,
    rule: rule.name,
    origin: policy.origin,
    outcome: "not evaluated",
    because: undefined,
    match: explain("match"),
    exclude: rule.exclude === undefined ? undefined : explain("exclude"),
    context: [],
    preconditions: [],
    notLookedAt: [],
    targets: [],
    errors: [],
  };
}

function restOf({ any = [], all = [] }: Preconditions, checked: readonly CheckedCondition[]): string[] {
  const seen = new Set(checked.map(({ path }) => path));
  return [...any, ...all].map(({ path }) => path).filter((path) => !seen.has(path));
}

/** Loads the context as `evaluateRule` does, with the answers that it was given. Only random() may differ. */
async function explainContext(
  policy: Policy,
  rule: Rule,
  request: ChangeRequest,
  { source, now, expressions }: EvaluationInputs,
): Promise<ExplainedEntry[]> {
  const { context, preconditions, generate } = rule;
  const run = { source, expressions, environment: { now, spent: { steps: 0 } } };
  const users = [preconditions, generate];
  const { document, failures } = await loadContext(policy, { context, users }, requestDocument(request), run);
  return context.flatMap(({ name, path }): ExplainedEntry[] => {
    const error = failures.get(name)?.message;
    if (error !== undefined) return [{ name, path, value: undefined, error }];
    const value = document[name];
    return value === undefined ? [] : [{ name, path, value, error: undefined }];
  });
}

/** A source that gives the same answer to the same question, and tells the namespace labels it was asked for. */
function rememberAnswers(source: ContextSource) {
  const answers = new Map<string, Promise<unknown>>();
  let labels: Record<string, string> | undefined;
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const known = answers.get(key) ?? ask();
    answers.set(key, known);
    return known as Promise<T>;
  };
  const remembered: ContextSource = {
    ...source,
    configMap: (namespace, name, signal) =>
      once(`configMap ${namespace}/${name}`, () => source.configMap(namespace, name, signal)),
    apiCall: (path, signal) => once(`GET ${path}`, () => source.apiCall(path, signal)),
    globalEntry: (name, signal) => once(`entry ${name}`, () => source.globalEntry(name, signal)),
    globalData: (entry, signal) => once(`data of ${entry.name}`, () => source.globalData(entry, signal)),
    async namespaceLabels(namespace, signal) {
      labels = await once(`labels ${namespace}`, () => source.namespaceLabels(namespace, signal));
      return labels;
    },
  };
  return { source: remembered, namespaceLabels: () => labels };
}
