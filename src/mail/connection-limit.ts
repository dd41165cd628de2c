import { backoffMs } from "../control/backoff.ts";

/** While a server takes mail it is asked for one more connection this often, until it says no again. */
const GROW_AFTER_MS = 15_000;
const REST = { firstMs: 1000, capMs: 30_000 };

/**
 * How many connections a server lets us have: fewer when it turns one away, slowly more while it takes mail. Pure but for
 * what it remembers; times come from the caller.
 */
export class ConnectionLimit {
  readonly #max: number;
  #current: number;
  #epoch = 0;
  #hasGrown = false;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #rests = 0;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
    this.#current = max;
  }

  get current(): number {
    return this.#current;
  }

  /** A point in time for {@link ConnectionLimit.refused}. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * The server turned away what was begun at `epoch`. Many are at the same moment, and all of them together say once that
   * there were too many. The one connection that was tried on top of a working number is taken back alone.
   */
  refused(epoch: number, nowMs: number): void {
    if (epoch !== this.#epoch) return;
    this.#current = Math.max(1, this.#hasGrown ? this.#current - 1 : Math.floor(this.#current / 2));
    this.#epoch += 1;
    this.#hasGrown = false;
    this.#changedAtMs = nowMs;
  }

  /** The server took a mail. */
  taken(nowMs: number): void {
    this.#rests = 0;
    if (this.#current >= this.#max || nowMs - this.#changedAtMs < GROW_AFTER_MS) return;
    this.#current += 1;
    this.#hasGrown = true;
    this.#changedAtMs = nowMs;
  }

  /** The server ended a session and there is no other: it is left alone for a while, longer each time in a row. */
  rest(nowMs: number): void {
    this.#rests += 1;
    this.#restUntilMs = nowMs + backoffMs(this.#rests, REST);
  }

  /** How long to wait before the server is bothered again; 0 as a rule. */
  restMs(nowMs: number): number {
    return this.#rests === 0 ? 0 : Math.max(0, this.#restUntilMs - nowMs);
  }
}
