import type { Logger } from "../observe/logger.ts";
import { isTargetOf } from "./downstream.ts";
import { LookupError, RuleError } from "./errors.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { OwnWrites } from "./own-writes.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { type Doer, factsOf } from "./retries.ts";
import type { RuleTrace } from "./rule-trace.ts";
import type { TargetFailure } from "./target-failure.ts";
import type { TargetWriter } from "./target-writer.ts";

export interface EventProcessorOptions {
  trace: RuleTrace;
  writer: TargetWriter;
  catalog: KindCatalog;
  retries: Doer;
  ownWrites: OwnWrites;
  logger: Logger;
}

/** Takes one change through rules in declaration order, each for itself. */
export class EventProcessor {
  readonly #options: EventProcessorOptions;

  constructor(options: EventProcessorOptions) {
    this.#options = options;
  }

  /** Whether a rule applied to the change. Rejects only when `signal` aborts. */
  async process(rules: readonly PolicyRule[], request: ChangeRequest, signal: AbortSignal): Promise<boolean> {
    const finished = new Set<string>();
    let hasApplied = false;
    for (const subject of rules) {
      const { policy } = subject;
      const key = `${policy.namespace}/${policy.name}`;
      if (finished.has(key)) continue;
      const applied = await this.#apply(subject, request, signal);
      if (applied && policy.applyFirstRuleOnly) finished.add(key);
      hasApplied ||= applied;
    }
    return hasApplied;
  }

  /** Whether the rule applied to the change, be it with success or not. */
  async #apply(subject: PolicyRule, request: ChangeRequest, signal: AbortSignal): Promise<boolean> {
    const { logger, retries } = this.#options;
    const { rule } = subject;
    if (rule.skipOwnWrites && (await this.#isOwn(subject, request))) {
      logger.debug(factsOf(subject, request), "rule skipped: the change was made by this generator");
      return false;
    }
    if (rule.synchronize && request.operation !== "")
      await retries.drop(subject, request.object.metadata.uid ?? "", signal);
    let applied = true;
    const attempt = async (): Promise<TargetFailure | undefined> => {
      try {
        applied = await this.#carryOut(subject, request, signal);
        return undefined;
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        return failureOf(error);
      }
    };
    await retries.do({ subject, request, verb: "evaluate", target: "", attempt }, signal);
    return applied;
  }

  /** Evaluates the rule and does what it says. Resolves with whether it applied. @throws RuleError */
  async #carryOut(subject: PolicyRule, request: ChangeRequest, signal: AbortSignal): Promise<boolean> {
    const { writer, trace, retries } = this.#options;
    const { rule } = subject;
    const verdict = await trace.evaluate(subject, request, signal);
    const occasion = { subject, request };
    if (verdict.outcome === "stopped matching") {
      const { uid: triggerUid = "" } = request.object.metadata;
      await writer.remove(occasion, this.#options.catalog.targetTypes(rule), { triggerUid }, signal);
      return true;
    }
    if (verdict.outcome !== "generate") return false;
    for (const error of verdict.errors) {
      const attempt = async () => ({ ...failureOf(error), retry: false }); // its other items are made already
      await retries.do({ ...occasion, verb: "evaluate", target: "", attempt }, signal);
    }
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
}

function failureOf(error: RuleError): TargetFailure {
  return { message: error.message, retry: error instanceof LookupError, retryAfterMs: 0 };
}
