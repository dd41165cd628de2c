import { RecentSet } from "../control/recent-set.ts";
import type { Logger } from "../observe/logger.ts";
import { factsOf, type Work } from "./retries.ts";
import type { TargetFailure } from "./target-failure.ts";
import { fingerprintOf } from "./update-request.ts";

const REMEMBERED = 20_000;

/**
 * What this process has made or is making for changes. After a restart a change that failed may come from the checkpoint and
 * from the list of failures: whoever is first makes its target, the other finds it here, be it consumed by then.
 */
export class OnceMade {
  readonly #made = new RecentSet<string>(REMEMBERED);
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Does the work, unless that was done. */
  async attempt(work: Work): Promise<TargetFailure | undefined> {
    const { subject, request, verb } = work;
    // What synchronizes is brought up to date as often as it is asked for, and so is what exists.
    if (verb !== "create" || subject.rule.synchronize || request.operation === "") return work.attempt();
    const made = fingerprintOf(work);
    if (this.#made.has(made)) {
      const facts = { target: work.target, ...factsOf(subject, request) };
      this.#logger.debug(facts, "generate target resource was made for this change already");
      return undefined;
    }
    this.#made.add(made);
    let isMade = false;
    try {
      const failure = await work.attempt();
      isMade = failure === undefined;
      return failure;
    } finally {
      if (!isMade) this.#made.delete(made);
    }
  }
}
