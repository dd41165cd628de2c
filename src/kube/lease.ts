import { pauseMs } from "../control/pause.ts";
import { type LeaseClient, LeaseLock } from "./lease-lock.ts";

export interface LeaseOptions {
  namespace: string;
  name: string;
  /** Who holds it: unique for each process, such as the pod's name and UID. */
  identity: string;
  /** How long others wait after the last renewal they saw; 15,000 when absent. */
  leaseDurationMs?: number;
  /** How long this holder goes on without a renewal, less than the duration; 10,000 when absent. */
  renewDeadlineMs?: number;
  /** Between tries to acquire or renew; 2,000 when absent. */
  retryPeriodMs?: number;
  onState?(state: LeaseState): void;
}

/** `retrying`: the lease cannot be read or written now; a holder is still one until its renew deadline. */
export type LeaseState =
  | { phase: "leading" }
  | { phase: "standby"; holder: string }
  | { phase: "retrying"; error: Error; retryInMs: number };

/** One stretch of holding the lease. */
export interface LeaseTerm {
  /**
   * By this process' monotonic clock, without asking the server: false once the last renewal is older than the renew
   * deadline. A process that was paused sees it before its timers have run; ask it before every effect.
   */
  isHeld(): boolean;
  /** Aborts when the lease is lost, and when the whole is to stop. */
  signal: AbortSignal;
}

const LEASE_DURATION_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_PERIOD_MS = 2_000;

/**
 * Runs `lead` while this process holds the Lease, again for each term, with client-go's rules of leader election.
 * Resolves when `lead` returned by itself, or after `signal` aborted, `lead` ended and the lease was given back (renewed
 * until then, so that what `lead` finishes is still its own).
 * @throws RangeError for durations that cannot work, and what `lead` threw for another reason than its term's end
 */
export async function runWithLease(
  client: LeaseClient,
  options: LeaseOptions,
  lead: (term: LeaseTerm) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(client, options);
  while (await candidate.acquire(signal)) {
    const end = await candidate.serve(lead, signal);
    if (end === "finished") return;
  }
}

class Candidate {
  readonly #lock: LeaseLock;
  readonly #options: Required<Omit<LeaseOptions, "onState">>;
  readonly #onState: (state: LeaseState) => void;
  #told = "";

  constructor(client: LeaseClient, { onState = () => {}, ...options }: LeaseOptions) {
    this.#onState = onState;
    this.#options = {
      leaseDurationMs: LEASE_DURATION_MS,
      renewDeadlineMs: RENEW_DEADLINE_MS,
      retryPeriodMs: RETRY_PERIOD_MS,
      ...options,
    };
    this.#lock = new LeaseLock(client, this.#options);
    const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = this.#options;
    if (leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs && retryPeriodMs > 0) return;
    throw new RangeError(
      `Cannot elect with duration ${leaseDurationMs}, deadline ${renewDeadlineMs}, retry ${retryPeriodMs} ms: each must be less than the one before`,
    );
  }

  /** True when the lease is held, false when `signal` aborted first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        const attempt = await this.#lock.acquire(signal);
        if (attempt.held) return true;
        this.#tell({ phase: "standby", holder: attempt.holder });
        await pauseMs(this.#jitteredRetryMs(), signal);
      } catch (error) {
        if (!signal.aborted) await this.#pauseAfter(error as Error, this.#jitteredRetryMs(), signal);
      }
    }
    return false;
  }

  /** `finished` when `lead` returned while it still held the lease and was not asked to stop. */
  async serve(lead: (term: LeaseTerm) => Promise<void>, signal: AbortSignal): Promise<"finished" | "ended"> {
    this.#tell({ phase: "leading" });
    const term = new AbortController();
    const led = new AbortController();
    const stop = () => term.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const renewing = this.#renewUntil(led.signal, term);
    try {
      await lead({ isHeld: () => this.#lock.isHeld(), signal: term.signal });
    } catch (error) {
      if (!isEndOf(term.signal, error)) throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      led.abort();
      await renewing;
      await this.#release();
    }
    return term.signal.aborted ? "ended" : "finished";
  }

  /** Renews till `led` aborts; aborts `term` when the lease is another's or the deadline has passed. */
  async #renewUntil(led: AbortSignal, term: AbortController): Promise<void> {
    while (!led.aborted && this.#lock.isHeld()) {
      await pauseMs(Math.min(this.#options.retryPeriodMs, this.#lock.remainingMs()), led).catch(() => {}); // asked above
      if (led.aborted || !this.#lock.isHeld()) break;
      try {
        const attempt = await this.#lock.acquire(led);
        if (attempt.held) this.#tell({ phase: "leading" });
      } catch (error) {
        if (!led.aborted)
          this.#tell({ phase: "retrying", error: error as Error, retryInMs: this.#options.retryPeriodMs });
      }
    }
    if (!led.aborted) term.abort(new Error(`the lease "${this.#options.namespace}/${this.#options.name}" is lost`));
  }

  /** Gives the lease back, so that a standby need not wait until it expires. */
  async #release(): Promise<void> {
    if (!this.#lock.isHeld()) return;
    try {
      await this.#lock.release();
    } catch (error) {
      // It expires by itself; the standby waits a little longer.
      this.#tell({ phase: "retrying", error: error as Error, retryInMs: this.#options.leaseDurationMs });
    }
  }

  async #pauseAfter(error: Error, retryInMs: number, signal: AbortSignal): Promise<void> {
    this.#tell({ phase: "retrying", error, retryInMs });
    await pauseMs(retryInMs, signal).catch(() => {}); // the caller looks at the signal
  }

  /** Candidates of one Deployment start together; they need not ask together. */
  #jitteredRetryMs(): number {
    return Math.round(this.#options.retryPeriodMs * (1 + Math.random() * 0.2));
  }

  #tell(state: LeaseState): void {
    const told = state.phase === "standby" ? `standby ${state.holder}` : state.phase;
    if (told === this.#told && state.phase !== "retrying") return;
    this.#told = told;
    this.#onState(state);
  }
}

/** A leader that stops because its term ended may say so by the signal's reason or an AbortError around it. */
function isEndOf(term: AbortSignal, error: unknown): boolean {
  return term.aborted && (error === term.reason || (error as Error | undefined)?.name === "AbortError");
}
