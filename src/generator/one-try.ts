import type { OnceMade } from "./once-made.ts";
import type { Doer, Work } from "./retries.ts";
import type { TargetFailure } from "./target-failure.ts";

/**
 * Does once more what failed for one target, and keeps the failure instead of telling it. What else the rule makes is there
 * already, so it is left alone, unless the rule does not make that target any more.
 */
export class OneTry implements Doer {
  readonly #target: string;
  readonly #once: OnceMade;
  #works: Work[] | undefined = [];
  #failure: TargetFailure | undefined;

  /** @param target as an UpdateRequest names it; "" for all that the rule makes */
  constructor(target: string, once: OnceMade) {
    this.#target = target;
    this.#once = once;
  }

  async do(work: Work): Promise<void> {
    if (work.verb === "evaluate" || this.#works === undefined) await this.#attempt(work);
    else this.#works.push(work);
  }

  async drop(): Promise<void> {} // what is tried again here is what is wanted now

  /** Does what was collected. Resolves with a failure if there was one. */
  async finish(): Promise<TargetFailure | undefined> {
    const works = this.#works ?? [];
    this.#works = undefined;
    const wanted = works.filter(({ target }) => target === this.#target);
    for (const work of wanted.length > 0 ? wanted : works) await this.#attempt(work);
    return this.#failure;
  }

  async #attempt(work: Work): Promise<void> {
    this.#failure = (await this.#once.attempt(work)) ?? this.#failure;
  }
}
