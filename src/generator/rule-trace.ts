import type { Logger } from "../observe/logger.ts";
import { RuleError } from "./errors.ts";
import { type EvaluationInputs, evaluateRule, type Verdict } from "./evaluate-rule.ts";
import { explainRule, type RuleExplanation } from "./explain.ts";
import { formatExplanation } from "./explain-text.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { factsOf } from "./retries.ts";

/** Evaluates rules, and at level debug logs for each what `courier explain` says. Costs nothing at other levels. */
export class RuleTrace {
  readonly #inputs: EvaluationInputs;
  readonly #logger: Logger;

  constructor(inputs: EvaluationInputs, logger: Logger) {
    this.#inputs = inputs;
    this.#logger = logger;
  }

  get isOn(): boolean {
    return this.#logger.isLevelEnabled("debug");
  }

  /** As {@link evaluateRule}. @throws RuleError */
  async evaluate(subject: PolicyRule, request: ChangeRequest, signal: AbortSignal): Promise<Verdict> {
    const { policy, rule } = subject;
    if (!this.isOn) return evaluateRule(policy, rule, request, this.#inputs, signal);
    const { verdict, explanation } = await explainRule(policy, rule, request, this.#inputs, signal);
    this.#log(subject, request, explanation);
    if (verdict instanceof RuleError) throw verdict;
    return verdict;
  }

  /** Tells why rules pass over a change that their kind, namespaces or names leave out, so that they are not evaluated. */
  async passedOver(rules: readonly PolicyRule[], request: ChangeRequest, signal: AbortSignal): Promise<void> {
    for (const subject of rules) {
      const { policy, rule } = subject;
      const { explanation } = await explainRule(policy, rule, request, this.#inputs, signal);
      this.#log(subject, request, explanation);
    }
  }

  #log(subject: PolicyRule, request: ChangeRequest, explanation: RuleExplanation): void {
    const shown = touchesSecrets(subject, request) ? withoutContent(explanation) : withoutSecrets(explanation);
    const trace = formatExplanation(shown, (_, text) => text);
    const because = shown.because === undefined ? {} : { because: shown.because };
    this.#logger.debug({ ...factsOf(subject, request), ...because, trace }, MESSAGES[shown.outcome]);
  }
}

const MESSAGES: Record<RuleExplanation["outcome"], string> = {
  generate: "rule matched, target built",
  "not matched": "rule not matched",
  "stopped matching": "rule stopped matching",
  "preconditions not met": "rule matched, preconditions not met",
  failed: "rule cannot be evaluated",
  "not evaluated": "rule not evaluated",
};

/** Whether what the rule sees may come from a Secret: the trigger is one, or an API call may read some. */
function touchesSecrets({ rule }: PolicyRule, { type }: ChangeRequest): boolean {
  if (type.group === "" && type.kind === "Secret") return true;
  const contexts = [rule, ...rule.generate.flatMap(({ each }) => each ?? [])].flatMap(({ context }) => context);
  return contexts.some((entry) => entry.type === "apiCall" && /secrets|\{\{/.test(entry.urlPath));
}

const HIDDEN = "(may come from a Secret, is not logged: see courier explain)";

/** The explanation without a value that was read or made. */
function withoutContent(explanation: RuleExplanation): RuleExplanation {
  const { match, exclude, context, preconditions, targets } = explanation;
  const hide = (group: RuleExplanation["match"]) => ({
    ...group,
    filters: group.filters.map((filter) => ({
      ...filter,
      attributes: filter.attributes.map((each) =>
        each.attribute === "annotations" ? { ...each, seen: HIDDEN } : each,
      ),
    })),
  });
  return {
    ...explanation,
    because: explanation.because === undefined ? undefined : HIDDEN,
    match: hide(match),
    exclude: exclude && hide(exclude),
    context: context.map((entry) => ({ ...entry, value: HIDDEN, error: undefined })),
    preconditions: preconditions.map((condition) => ({ ...condition, key: HIDDEN, value: HIDDEN })),
    targets: targets.map(identityAlone),
    errors: explanation.errors.map(() => HIDDEN),
  };
}

/** The explanation with no more of a Secret that would be made than which. */
function withoutSecrets(explanation: RuleExplanation): RuleExplanation {
  const targets = explanation.targets.map((target) => (target.kind === "Secret" ? identityAlone(target) : target));
  return { ...explanation, targets };
}

function identityAlone({ apiVersion, kind, metadata: { namespace, name } }: RuleExplanation["targets"][number]) {
  return { apiVersion, kind, metadata: { ...(name && { name }), ...(namespace && { namespace }) } };
}
