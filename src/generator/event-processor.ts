import type { Logger } from "../observe/logger.ts";
import { formatTarget, identityOf, targetOfList } from "./build.ts";
import { isTargetOf } from "./downstream.ts";
import { RuleError } from "./errors.ts";
import { type EvaluationInputs, evaluateRule, type Verdict } from "./evaluate-rule.ts";
import type { FailureRecord } from "./failure-record.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { OwnWrites } from "./own-writes.ts";
import { formatCondition } from "./preconditions.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { factsOf, type TargetWriter } from "./target-writer.ts";

export interface EventProcessorOptions {
  inputs: EvaluationInputs;
  writer: TargetWriter;
  catalog: KindCatalog;
  failures: FailureRecord;
  ownWrites: OwnWrites;
  logger: Logger;
}

/** Takes one change through rules in declaration order, each for itself. */
export class EventProcessor {
  readonly #options: EventProcessorOptions;

  constructor(options: EventProcessorOptions) {
    this.#options = options;
  }

  /** Rejects only when `signal` aborts. */
  async process(rules: readonly PolicyRule[], request: ChangeRequest, signal: AbortSignal): Promise<void> {
    const finished = new Set<string>();
    for (const subject of rules) {
      const { policy } = subject;
      const key = `${policy.namespace}/${policy.name}`;
      if (finished.has(key)) continue;
      const applied = await this.#apply(subject, request, signal);
      if (applied && policy.applyFirstRuleOnly) finished.add(key);
    }
  }

  /** Whether the rule applied to the change, be it with success or not. */
  async #apply(subject: PolicyRule, request: ChangeRequest, signal: AbortSignal): Promise<boolean> {
    const { logger, writer, inputs } = this.#options;
    const { policy, rule } = subject;
    if (rule.skipOwnWrites && (await this.#isOwn(subject, request))) {
      logger.debug(factsOf(subject, request), "rule skipped: the change was made by this generator");
      return false;
    }
    let verdict: Verdict;
    try {
      verdict = await evaluateRule(policy, rule, request, inputs, signal);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      await this.#fail(subject, request, error, signal);
      return true;
    }
    this.#trace(subject, request, verdict);
    const occasion = { subject, request };
    if (verdict.outcome === "stopped matching") {
      const { uid: triggerUid = "" } = request.object.metadata;
      await writer.remove(occasion, this.#options.catalog.targetTypes(rule), { triggerUid }, signal);
      return true;
    }
    if (verdict.outcome !== "generate") return false;
    for (const error of verdict.errors) await this.#fail(subject, request, error, signal);
    for (const target of verdict.targets) await writer.write(occasion, target, signal);
    for (const order of verdict.clones) await writer.clone(occasion, order, signal);
    return true;
  }

  /** Whether this generator itself made the change; of what exists, whether the rule made the object. */
  async #isOwn(subject: PolicyRule, request: ChangeRequest): Promise<boolean> {
    const { ownWrites } = this.#options;
    const { type, object, operation } = request;
    if (operation === "") return isTargetOf(subject, object);
    return operation === "DELETE"
      ? ownWrites.deleted(object.metadata.uid ?? "")
      : await ownWrites.includes(type.kind, object);
  }

  async #fail(subject: PolicyRule, request: ChangeRequest, error: RuleError, signal: AbortSignal): Promise<void> {
    this.#options.logger.error({ ...factsOf(subject, request), error: error.message }, "rule failed");
    await this.#options.failures.failed({ subject, request, target: "" }, error.message, 1, signal);
  }

  #trace(subject: PolicyRule, request: ChangeRequest, verdict: Verdict): void {
    const { logger } = this.#options;
    if (!logger.isLevelEnabled("debug")) return;
    const facts = factsOf(subject, request);
    if (verdict.outcome === "not matched" || verdict.outcome === "stopped matching") {
      logger.debug({ ...facts, because: verdict.because }, `rule ${verdict.outcome}`);
      return;
    }
    const conditions = verdict.checked
      .map((condition) => `${condition.met ? "met" : "NOT met"}: ${formatCondition(condition)}`)
      .join("; ");
    if (verdict.outcome === "generate") {
      const clones = verdict.clones.map((order) => (order.type === "clone" ? order.target : targetOfList(order)));
      const targets = [...verdict.targets.map(identityOf), ...clones].map(formatTarget);
      logger.debug({ targets, ...facts, conditions }, "rule matched, target built");
    } else logger.debug({ ...facts, conditions }, "rule matched, preconditions not met");
  }
}
