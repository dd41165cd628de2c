import type { KubeObject } from "../resources/object.ts";
import { buildTarget } from "./build.ts";
import { type ContextSource, loadContext } from "./context.ts";
import type { RuleError } from "./errors.ts";
import { buildForEach } from "./for-each.ts";
import { type MatchResult, matchRule, needsNamespaceLabels } from "./match.ts";
import { type CheckedCondition, checkPreconditions } from "./preconditions.ts";
import type { ChangeRequest } from "./request.ts";
import { requestDocument } from "./request-document.ts";
import type { Policy, Rule } from "./rule-model.ts";
import type { ExpressionCache } from "./substitute.ts";

/** What one rule makes of one event. `errors` are those of single foreach entries and items; the others go on. */
export type Verdict =
  | { outcome: "not matched"; because: string }
  | { outcome: "preconditions not met"; checked: CheckedCondition[] }
  | { outcome: "generate"; checked: CheckedCondition[]; targets: KubeObject[]; errors: RuleError[] };

/** What evaluating a rule needs besides the policy and the event. */
export interface EvaluationInputs {
  source: ContextSource;
  now: () => Date;
  expressions: ExpressionCache;
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
  const { operation } = request;
  const match = await matchRequest(policy, rule, request, inputs.source, signal);
  if (!match.matched) return { outcome: "not matched", because: match.because };
  if (operation === "DELETE" && !namesDelete(rule)) return { outcome: "not matched", because: NO_DELETE };
  const { context, preconditions, generate } = rule;
  const document = requestDocument(request);
  const run = { ...inputs, environment: { now: inputs.now, spent: { steps: 0 } } };
  const scope = await loadContext(policy, { context, users: [preconditions, generate] }, document, run, signal);
  const { met, checked } = checkPreconditions(rule.preconditions, scope);
  if (!met) return { outcome: "preconditions not met", checked };
  const [block] = generate;
  if (block !== undefined && block.each === undefined)
    return {
      outcome: "generate",
      checked,
      targets: [buildTarget({ policy, rule, block, request }, scope)],
      errors: [],
    };
  const built = await buildForEach({ policy, rule, request }, scope, inputs.source, signal);
  return { outcome: "generate", checked, ...built };
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
