import { TokenBuckets } from "../control/token-buckets.ts";

/** A hundred Events of one reason at once, then one a second: a server that is down concerns every message. */
const RATE = { count: 100, periodMs: 100_000 };
/** Reasons are a closed set; this is its order of magnitude. */
const MAX_REASONS = 1_000;

/** A bounded rate of Events for each reason, so that 100,000 messages with one trouble are not 100,000 Events. */
export class EventBudget {
  readonly #buckets = new TokenBuckets(RATE, MAX_REASONS);
  /** Reason → Events left out since the last that was let through. */
  readonly #leftOut = new Map<string, number>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How many Events of this reason were left out since the last one; undefined where this one is to be left out too. */
  spend(reason: string): number | undefined {
    const now = this.#now();
    const leftOut = this.#leftOut.get(reason) ?? 0;
    if (this.#buckets.waitMs(reason, now) > 0) {
      this.#leftOut.set(reason, leftOut + 1);
      return undefined;
    }
    this.#buckets.take(reason, now);
    this.#leftOut.delete(reason);
    return leftOut;
  }
}
