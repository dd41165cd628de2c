import type { KubeObject } from "../resources/object.ts";
import { buildBlock, type CloneOrder } from "./build.ts";
import { type ContextSource, loadContext } from "./context.ts";
import type { RuleError } from "./errors.ts";
import { buildForEach } from "./for-each.ts";
import { type MatchResult, matchRule, needsNamespaceLabels } from "./match.ts";
import { type CheckedCondition, checkPreconditions, type PreconditionsResult } from "./preconditions.ts";
import type { ChangeRequest } from "./request.ts";
import { requestDocument } from "./request-document.ts";
import type { LeaveOut } from "./resource-filters.ts";
import type { Policy, Rule } from "./rule-model.ts";
import type { ExpressionCache, Scope } from "./substitute.ts";

/**
 * What one rule makes of one event. `targets` are whole, `clones` are copied from the cluster when they are written. `errors`
 * are those of single foreach entries and items; the others go on. `stopped matching` only of a rule that synchronizes:
 * what it generated for the trigger goes.
 */
export type Verdict =
  | { outcome: "not matched"; because: string }
  | { outcome: "stopped matching"; because: string }
  | { outcome: "preconditions not met"; checked: CheckedCondition[] }
  | {
      outcome: "generate";
      checked: CheckedCondition[];
      targets: KubeObject[];
      clones: CloneOrder[];
      errors: RuleError[];
    };

/** What evaluating a rule needs besides the policy and the event. */
export interface EvaluationInputs {
  source: ContextSource;
  now: () => Date;
  expressions: ExpressionCache;
  leaveOut: LeaveOut;
}

/**
 * Match, context, preconditions, build: the story of one rule and one event. Asks the cluster only for what the rule's
 * context and namespaceSelector name, and only once everything else matches.
 * @throws RuleError when a variable cannot be resolved or the target cannot be built
 */
export async function evaluateRule(
  policy: Policy,
  rule: Rule,
  request: ChangeRequest,
  inputs: EvaluationInputs,
  signal?: AbortSignal,
): Promise<Verdict> {
  const leftOut = request.operation === "" ? undefined : inputs.leaveOut(request);
  if (leftOut !== undefined) return { outcome: "not matched", because: leftOut };
  const match = await matchRequest(policy, rule, request, inputs.source, signal);
  if (!match.matched) return leaveOrRemove(policy, rule, request, match.because, inputs.source, signal);
  if (request.operation === "DELETE" && !namesDelete(rule))
    return { outcome: rule.synchronize ? "stopped matching" : "not matched", because: NO_DELETE };
  const { scope, met, checked } = await checkRequest(policy, rule, request, inputs, signal);
  if (!met) {
    const { oldObject } = request;
    if (!rule.synchronize || request.operation !== "UPDATE" || oldObject === undefined)
      return { outcome: "preconditions not met", checked };
    const before = await checkRequest(policy, rule, { ...request, object: oldObject }, inputs, signal);
    if (!before.met) return { outcome: "preconditions not met", checked };
    return { outcome: "stopped matching", because: "the preconditions were met before the change" };
  }
  const [block] = rule.generate;
  if (block !== undefined && block.each === undefined) {
    const built = buildBlock({ policy, rule, block, request }, scope);
    const parts = "object" in built ? { targets: [built.object], clones: [] } : { targets: [], clones: [built.clone] };
    return { outcome: "generate", checked, ...parts, errors: [] };
  }
  const built = await buildForEach({ policy, rule, request }, scope, inputs.source, signal);
  return { outcome: "generate", checked, ...built };
}

/** Loads the context of a request and checks the rule's preconditions on it. */
async function checkRequest(
  policy: Policy,
  rule: Rule,
  request: ChangeRequest,
  inputs: EvaluationInputs,
  signal?: AbortSignal,
): Promise<PreconditionsResult & { scope: Scope }> {
  const { context, preconditions, generate } = rule;
  const document = requestDocument(request);
  const run = { ...inputs, environment: { now: inputs.now, spent: { steps: 0 } } };
  const scope = await loadContext(policy, { context, users: [preconditions, generate] }, document, run, signal);
  return { scope, ...checkPreconditions(preconditions, scope) };
}

/** A change that the rule does not want removes what it generated, where it synchronizes and wanted the object before. */
async function leaveOrRemove(
  policy: Policy,
  rule: Rule,
  request: ChangeRequest,
  because: string,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<Verdict> {
  const { operation, oldObject } = request;
  if (!rule.synchronize || operation !== "UPDATE" || oldObject === undefined)
    return { outcome: "not matched", because };
  const before = await matchRequest(policy, rule, { ...request, object: oldObject }, source, signal);
  return { outcome: before.matched ? "stopped matching" : "not matched", because };
}

/** Namespace labels are only read when all else matches: a change that no rule wants costs no request. */
async function matchRequest(
  policy: Policy,
  rule: Rule,
  { operation, type, object }: ChangeRequest,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<MatchResult> {
  const subject = { operation, type, object, namespaceLabels: undefined };
  if (!needsNamespaceLabels(rule)) return matchRule(policy, rule, subject);
  const first = matchRule(policy, { ...rule, exclude: undefined }, subject);
  if (!first.matched) return first;
  return matchRule(policy, rule, { ...subject, namespaceLabels: await labelsOfNamespace(object, source, signal) });
}

async function labelsOfNamespace({ metadata }: KubeObject, source: ContextSource, signal?: AbortSignal) {
  const { namespace = "" } = metadata;
  return namespace === "" ? {} : await source.namespaceLabels(namespace, signal);
}

const NO_DELETE = "a deletion generates only where match.operations names DELETE";

function namesDelete({ match }: Rule): boolean {
  return match.filters.some(({ operations }) => operations.includes("DELETE"));
}
