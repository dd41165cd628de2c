import type { Failure } from "./outage.ts";

/** Who is asked to wait for hours asks again all the same: a mistyped header of a proxy must not end the service. */
const MAX_PAUSE_MS = 5 * 60_000;

/**
 * What the server asked not to be asked for a while (Retry-After), by kind of object: kube-apiserver tells load apart by
 * kind too (API Priority and Fairness), and a pause of message writes must not cost the Lease.
 */
export class RequestPauses {
  readonly #now: () => number;
  readonly #byKind = new Map<string, { until: number; refusal: Failure }>();

  /** `now` in milliseconds, of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The server refused a request for `kind`, and said for how long there is no use in another. A longer pause stays. */
  begin(kind: string, refusal: Failure): void {
    const until = this.#now() + Math.min(refusal.error.retryAfterMs ?? 0, MAX_PAUSE_MS);
    if (until > (this.#byKind.get(kind)?.until ?? this.#now())) this.#byKind.set(kind, { until, refusal });
  }

  /** How long requests for `kind` have to wait still, and the refusal that asked for it. */
  of(kind: string): { remainingMs: number; refusal: Failure } | undefined {
    const pause = this.#byKind.get(kind);
    if (pause === undefined) return undefined;
    const remainingMs = pause.until - this.#now();
    if (remainingMs > 0) return { remainingMs, refusal: pause.refusal };
    this.#byKind.delete(kind);
    return undefined;
  }
}
