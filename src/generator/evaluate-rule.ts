import type { KubeObject } from "../resources/object.ts";
import { buildTarget } from "./build.ts";
import { type ContextSource, loadContext } from "./context.ts";
import { matchRule, needsNamespaceLabels } from "./match.ts";
import { type CheckedCondition, checkPreconditions } from "./preconditions.ts";
import type { ChangeRequest } from "./request.ts";
import { requestDocument } from "./request-document.ts";
import type { Policy, Rule } from "./rule-model.ts";
import type { ExpressionCache } from "./substitute.ts";

/** What one rule makes of one event. */
export type Verdict =
  | { outcome: "not matched"; because: string }
  | { outcome: "preconditions not met"; checked: CheckedCondition[] }
  | { outcome: "generate"; checked: CheckedCondition[]; target: KubeObject };

/** What evaluating a rule needs besides the policy and the event. */
export interface EvaluationInputs {
  source: ContextSource;
  environment: { now: () => Date };
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
  const namespaceLabels = needsNamespaceLabels(rule)
    ? await labelsOfNamespace(request, inputs.source, signal)
    : undefined;
  const { operation, type, object } = request;
  const match = matchRule(policy, rule, { operation, type, object, namespaceLabels });
  if (!match.matched) return { outcome: "not matched", because: match.because };
  if (operation === "DELETE" && !namesDelete(rule)) return { outcome: "not matched", because: NO_DELETE };
  const scope = await loadContext(policy, rule, requestDocument(request), inputs, signal);
  const { met, checked } = checkPreconditions(rule.preconditions, scope);
  if (!met) return { outcome: "preconditions not met", checked };
  return { outcome: "generate", checked, target: buildTarget(policy, rule, request, scope) };
}

async function labelsOfNamespace({ object }: ChangeRequest, source: ContextSource, signal?: AbortSignal) {
  const { namespace = "" } = object.metadata;
  return namespace === "" ? {} : await source.namespaceLabels(namespace, signal);
}

const NO_DELETE = "a deletion generates only where match.operations names DELETE";

function namesDelete({ match }: Rule): boolean {
  return match.filters.some(({ operations }) => operations.includes("DELETE"));
}
