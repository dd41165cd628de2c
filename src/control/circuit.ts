type State<Cause> =
  | { kind: "closed" }
  | { kind: "open"; untilMs: number; failures: number; cause: Cause }
  | { kind: "probing"; failures: number; cause: Cause };

/**
 * Keeps many workers from knocking at one door that does not open: after a failure nobody enters until the given time,
 * then one at a time, until somebody gets through.
 */
export class Circuit<Cause> {
  #state: State<Cause> = { kind: "closed" };
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined where the caller may go ahead (as the one probe, where the circuit was open), else why it is open. */
  tryEnter(): Cause | undefined {
    const state = this.#state;
    if (state.kind === "closed") return undefined;
    if (state.kind === "probing" || state.untilMs > this.#now()) return state.cause;
    this.#state = { ...state, kind: "probing" };
    return undefined;
  }

  /** How many failures in a row opened it; 0 while it is closed. */
  get failures(): number {
    return this.#state.kind === "closed" ? 0 : this.#state.failures;
  }

  /** Milliseconds until a probe may enter; undefined while the circuit is closed or a probe is under way. */
  get probeInMs(): number | undefined {
    return this.#state.kind === "open" ? Math.max(0, this.#state.untilMs - this.#now()) : undefined;
  }

  /** Somebody got through. Returns whether the circuit had been open. */
  close(): boolean {
    const wasOpen = this.#state.kind !== "closed";
    this.#state = { kind: "closed" };
    return wasOpen;
  }

  /** Somebody did not get through; `delayMs` is the time until the next probe. Those who come later change nothing. */
  open(delayMs: number, cause: Cause): void {
    if (this.#state.kind === "open") return;
    this.#state = { kind: "open", untilMs: this.#now() + delayMs, failures: this.failures + 1, cause };
  }

  /** The probe came back without an answer to the question: the next one may try at once. */
  release(): void {
    if (this.#state.kind === "probing") this.#state = { ...this.#state, kind: "open", untilMs: this.#now() };
  }
}
