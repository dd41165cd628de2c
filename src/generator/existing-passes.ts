import type { Logger } from "../observe/logger.ts";
import type { ChangeQueue } from "./change-queue.ts";
import { appliesToExisting, ExistingSchedule } from "./existing-schedule.ts";
import type { Policy } from "./rule-model.ts";
import type { SourceSet } from "./source-set.ts";
import type { Synchronizer } from "./synchronizer.ts";

export interface ExistingPassesOptions {
  everyMs: number;
  sources: SourceSet;
  synchronizer: Synchronizer;
  queue: ChangeQueue;
  logger: Logger;
}

/** Applies policies with generateExisting to what exists: when they come, when they change, and again after a while. */
export class ExistingPasses {
  readonly #options: ExistingPassesOptions;
  readonly #signal: AbortSignal;
  readonly #schedule: ExistingSchedule;
  readonly #running = new Set<Promise<void>>();

  constructor(options: ExistingPassesOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#schedule = new ExistingSchedule(options.everyMs);
  }

  /** Starts a pass for each of these policies that is due. */
  start(policies: readonly Policy[]): void {
    for (const policy of policies) {
      if (!this.#schedule.take(policy, performance.now())) continue;
      const pass = this.#apply(policy).finally(() => this.#running.delete(pass));
      this.#running.add(pass);
    }
  }

  /** Resolves when no pass is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #apply(policy: Policy): Promise<void> {
    const { synchronizer, sources, queue, logger } = this.#options;
    await synchronizer.rerunPolicy(policy);
    let objects = 0;
    for (const source of sources.all()) {
      const rules = source.rules.filter((subject) => subject.policy === policy && appliesToExisting(subject.rule));
      for (const { metadata } of rules.length === 0 ? [] : source.objects()) {
        if (this.#signal.aborted) return;
        objects += 1;
        await queue.lookAgain(source, rules, metadata.uid ?? "");
      }
    }
    logger.debug({ policy: policy.name, objects }, "policy applied to what exists");
  }
}
