import { pauseMs } from "../control/pause.ts";
import { LEASE } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../resources/object.ts";
import type { KubeClient } from "./client.ts";
import { KubeError } from "./kube-error.ts";
import { microTime } from "./micro-time.ts";

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

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

type Client = Pick<KubeClient, "get" | "create" | "replace">;
type Attempt = { held: true } | { held: false; holder: string };

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
  client: Client,
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
  readonly #client: Client;
  readonly #options: Required<Omit<LeaseOptions, "onState">>;
  readonly #onState: (state: LeaseState) => void;
  /** As last read or written; its resourceVersion guards the next write. */
  #lease: KubeObject | undefined;
  #observedSpec = "";
  /** When this process first saw that spec. Expiry counts from here: the clocks of other machines do not matter. */
  #observedAt = 0;
  /** When the last successful renewal was begun; others cannot have seen it earlier. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #told = "";

  constructor(client: Client, { onState = () => {}, ...options }: LeaseOptions) {
    this.#client = client;
    this.#onState = onState;
    this.#options = {
      leaseDurationMs: LEASE_DURATION_MS,
      renewDeadlineMs: RENEW_DEADLINE_MS,
      retryPeriodMs: RETRY_PERIOD_MS,
      ...options,
    };
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
        const attempt = await this.#try(signal);
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
      await lead({ isHeld: () => this.#isHeld(), signal: term.signal });
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
    while (!led.aborted && this.#isHeld()) {
      await pauseMs(Math.min(this.#options.retryPeriodMs, this.#remainingMs()), led).catch(() => {}); // asked above
      if (led.aborted || !this.#isHeld()) break;
      try {
        const attempt = await this.#try(led);
        if (!attempt.held) this.#renewedAt = Number.NEGATIVE_INFINITY;
        else this.#tell({ phase: "leading" });
      } catch (error) {
        if (!led.aborted)
          this.#tell({ phase: "retrying", error: error as Error, retryInMs: this.#options.retryPeriodMs });
      }
    }
    if (!led.aborted) term.abort(new Error(`the lease "${this.#options.namespace}/${this.#options.name}" is lost`));
  }

  #isHeld(): boolean {
    return this.#remainingMs() > 0;
  }

  #remainingMs(): number {
    return this.#renewedAt + this.#options.renewDeadlineMs - performance.now();
  }

  /** Reads the lease where needed and takes or renews it where that is due. @throws KubeError, or `signal`'s reason */
  async #try(signal: AbortSignal): Promise<Attempt> {
    // A hanging request must leave time for another before the deadline.
    const limitMs = Math.min(this.#options.renewDeadlineMs / 2, this.#isHeld() ? this.#remainingMs() : Infinity);
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(limitMs))]);
    try {
      return await this.#acquireOrRenew(bounded);
    } catch (error) {
      if (!isConflict(error)) throw error;
      this.#lease = undefined;
      return await this.#acquireOrRenew(bounded); // someone wrote in between: look who, once
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<Attempt> {
    const startedAt = performance.now();
    const lease = (this.#isHeld() ? this.#lease : undefined) ?? (await this.#read(signal));
    const holder = specOf(lease).holderIdentity ?? "";
    if (lease !== undefined && this.#belongsToAnother(lease, holder)) return { held: false, holder };
    const next = { ...(lease ?? this.#newLease()), spec: this.#claim(lease) };
    const written = await (lease === undefined
      ? this.#client.create(LEASE, next, signal)
      : this.#client.replace(LEASE, next, signal));
    this.#observe(written);
    this.#renewedAt = startedAt;
    return { held: true };
  }

  async #read(signal: AbortSignal): Promise<KubeObject | undefined> {
    const lease = await this.#client.get(LEASE, this.#key(), signal);
    if (lease !== undefined) this.#observe(lease);
    return lease;
  }

  #observe(lease: KubeObject): void {
    const spec = JSON.stringify(specOf(lease));
    this.#lease = lease;
    if (spec === this.#observedSpec) return;
    this.#observedSpec = spec;
    this.#observedAt = performance.now();
  }

  #belongsToAnother(lease: KubeObject, holder: string): boolean {
    if (holder === "" || holder === this.#options.identity) return false;
    const promisedMs = (specOf(lease).leaseDurationSeconds ?? 0) * 1000;
    return performance.now() < this.#observedAt + promisedMs;
  }

  #claim(lease: KubeObject | undefined): LeaseSpec {
    const now = microTime();
    const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = specOf(lease);
    const { identity, leaseDurationMs } = this.#options;
    const isMine = holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: isMine ? acquireTime : now,
      renewTime: now,
      leaseTransitions: isMine || lease === undefined ? leaseTransitions : leaseTransitions + 1,
    };
  }

  /** Gives the lease back, so that a standby need not wait until it expires. */
  async #release(): Promise<void> {
    if (!this.#isHeld()) return;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    const limit = AbortSignal.timeout(this.#options.renewDeadlineMs / 2);
    try {
      while (!(await this.#writeRelease(limit)));
    } catch (error) {
      // It expires by itself; the standby waits a little longer.
      this.#tell({ phase: "retrying", error: error as Error, retryInMs: this.#options.leaseDurationMs });
    }
  }

  /** False when someone wrote in between: mostly the renewal that was under way when the work ended. */
  async #writeRelease(signal: AbortSignal): Promise<boolean> {
    const lease = this.#lease ?? (await this.#read(signal));
    if (lease === undefined || specOf(lease).holderIdentity !== this.#options.identity) return true;
    const now = microTime();
    const released = { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    try {
      const spec = { ...specOf(lease), ...released };
      this.#observe(await this.#client.replace(LEASE, { ...lease, spec }, signal));
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      this.#lease = undefined;
      return false;
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

  #key(): ObjectKey {
    return { namespace: this.#options.namespace, name: this.#options.name };
  }

  #newLease(): KubeObject {
    return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { ...this.#key() } };
  }
}

function specOf(lease: KubeObject | undefined): LeaseSpec {
  return (lease?.["spec"] ?? {}) as LeaseSpec;
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.code === 409;
}

/** A leader that stops because its term ended may say so by the signal's reason or an AbortError around it. */
function isEndOf(term: AbortSignal, error: unknown): boolean {
  return term.aborted && (error === term.reason || (error as Error | undefined)?.name === "AbortError");
}
