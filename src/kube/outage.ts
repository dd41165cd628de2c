import type { KubeError } from "./kube-error.ts";

/** What became of a request, and what it was for. */
export interface Failure {
  action: string;
  error: KubeError;
}

/** One lost connection is one connection's affair; the second in a row, with no answer between them, is the server's. */
const FAILURES_OF_AN_OUTAGE = 2;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 1_000;

/**
 * Whether the server answers at all, for everybody who asks it. While it does not, one request a second finds out, and
 * the others are told at once what the last one found: however many wait, the server that comes back meets no crowd.
 */
export class Outage {
  readonly #now: () => number;
  #failures = 0;
  #cause: Failure | undefined;
  #nextAt = 0;

  /** `now` in milliseconds, of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Undefined where the caller may ask the server, else why there is no use in it at the moment. */
  tryEnter(): Failure | undefined {
    if (this.#failures < FAILURES_OF_AN_OUTAGE) return undefined;
    if (this.#now() < this.#nextAt) return this.#cause;
    this.#nextAt = this.#now() + this.#pauseMs();
    return undefined;
  }

  /** A request got no answer, or one that every other would get too. */
  failed(cause: Failure): void {
    this.#failures += 1;
    this.#cause = cause;
    this.#nextAt = this.#now() + this.#pauseMs();
  }

  /** A request was answered. */
  over(): void {
    this.#failures = 0;
    this.#cause = undefined;
  }

  #pauseMs(): number {
    return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.#failures - FAILURES_OF_AN_OUTAGE));
  }
}
