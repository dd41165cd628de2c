/** `count` at once, then one more each `periodMs / count`. */
export interface Rate {
  count: number;
  periodMs: number;
}

/**
 * A token bucket for each key, kept as one number a key: the time at which the bucket is full again (the generic cell
 * rate algorithm, ITU-T I.371). A key without an entry has a full bucket.
 */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #fullAtMs = new Map<string, number>();

  /** With more than `maxKeys` that are not full, the one that was used longest ago is forgotten: memory has an end. */
  constructor(rate: Rate, maxKeys: number) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until `key` has a token, 0 when it has one now. `share`: the part of the rate that is this process's. */
  waitMs(key: string, nowMs: number, share = 1): number {
    const { intervalMs, depthMs } = this.#shape(share);
    const wait = this.#fullAt(key, nowMs, depthMs) - nowMs - (depthMs - intervalMs);
    return Math.max(0, Math.floor(wait)); // less than a millisecond is the arithmetic's
  }

  /** Takes a token of `key`, whether there is one or not. */
  take(key: string, nowMs: number, share = 1): void {
    const { intervalMs, depthMs } = this.#shape(share);
    this.#set(key, this.#fullAt(key, nowMs, depthMs) + intervalMs, nowMs);
    for (const oldest of this.#fullAtMs.keys()) {
      if (this.#fullAtMs.size <= this.#maxKeys) return;
      this.#fullAtMs.delete(oldest);
    }
  }

  /** Gives a token of `key` back that was taken for nothing. */
  giveBack(key: string, nowMs: number, share = 1): void {
    const { intervalMs, depthMs } = this.#shape(share);
    this.#set(key, this.#fullAt(key, nowMs, depthMs) - intervalMs, nowMs);
  }

  /** Time for one token, and for the whole bucket: at least one token deep, however small the share. */
  #shape(share: number): { intervalMs: number; depthMs: number } {
    const { count, periodMs } = this.#rate;
    const intervalMs = periodMs / (count * share);
    return { intervalMs, depthMs: Math.max(periodMs, intervalMs) };
  }

  /** A clock that was set back must not keep a bucket empty for longer than it takes to fill. */
  #fullAt(key: string, nowMs: number, depthMs: number): number {
    const known = this.#fullAtMs.get(key) ?? nowMs;
    return Math.min(Math.max(known, nowMs), nowMs + depthMs);
  }

  #set(key: string, fullAtMs: number, nowMs: number): void {
    this.#fullAtMs.delete(key); // the map's order is that of use
    if (fullAtMs > nowMs) this.#fullAtMs.set(key, fullAtMs);
  }
}
