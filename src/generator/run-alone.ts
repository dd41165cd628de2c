import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { messageOf } from "./errors.ts";
import type { Cluster } from "./ports.ts";
import { decideStandby, findKyverno, type StandbyDecision } from "./standby.ts";

export interface RunAloneOptions {
  cluster: Pick<Cluster, "get">;
  logger: Logger;
  /** Runs the generator until its signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Forgets what changed up to now: Kyverno has seen to it, should another process go on from here. Called while nothing runs. */
  forget(signal: AbortSignal): Promise<void>;
  /** Called when the generator is about to run, and when it stands by. */
  onDecision(decision: StandbyDecision): void;
  /** How often a Kyverno is looked for; ten seconds when absent. */
  everyMs?: number;
}

const EVERY_MS = 10_000;

/** Runs the generator while no Kyverno generates on the cluster, and stands by while one does, until `signal` aborts. */
export async function runAlone(options: RunAloneOptions, signal: AbortSignal): Promise<void> {
  const { everyMs = EVERY_MS, onDecision } = options;
  const lookout = new Lookout(options);
  while (!signal.aborted) {
    const decision = await lookout.decide(signal);
    if (decision?.standBy) await lookout.forget(signal);
    if (decision !== undefined) onDecision(decision);
    if (decision === undefined || decision.standBy) await pauseUntil(everyMs, signal);
    else {
      lookout.resume();
      await runUntilKyverno(options, lookout, signal);
    }
  }
}

async function runUntilKyverno(
  { run, onDecision, everyMs = EVERY_MS }: RunAloneOptions,
  lookout: Lookout,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const running = run(AbortSignal.any([signal, ended.signal])).finally(() => ended.abort());
  const watching = AbortSignal.any([signal, ended.signal]);
  while (!watching.aborted) {
    await pauseUntil(everyMs, watching);
    const decision = watching.aborted ? undefined : await lookout.decide(watching);
    if (decision?.standBy !== true) continue;
    onDecision(decision);
    ended.abort(new Error(decision.because));
  }
  await running;
}

/** Looks for Kyverno, and tells each trouble with that once. */
class Lookout {
  readonly #options: RunAloneOptions;
  #told = "";
  #hasForgotten = false;

  constructor(options: RunAloneOptions) {
    this.#options = options;
  }

  /** Undefined while it cannot be known. */
  async decide(signal: AbortSignal): Promise<StandbyDecision | undefined> {
    const { cluster } = this.#options;
    try {
      const { unread, ...signs } = await findKyverno(cluster, signal);
      this.#tell(unread.join("; "), "cannot look for Kyverno on this cluster, taking it for absent");
      return decideStandby(signs, new Date());
    } catch (error) {
      if (!signal.aborted) this.#tell(messageOf(error), "cannot look for Kyverno on this cluster, trying again");
      return undefined;
    }
  }

  /** Once; never rejects. */
  async forget(signal: AbortSignal): Promise<void> {
    if (this.#hasForgotten) return;
    const { forget, logger } = this.#options;
    try {
      await forget(signal);
      this.#hasForgotten = true;
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ error: messageOf(error) }, "cannot empty the checkpoint beside Kyverno, trying again");
    }
  }

  /** To be called when the generator runs. */
  resume(): void {
    this.#hasForgotten = false;
  }

  #tell(error: string, message: string): void {
    if (error !== "" && error !== this.#told) this.#options.logger.warn({ error }, message);
    this.#told = error;
  }
}

async function pauseUntil(ms: number, signal: AbortSignal): Promise<void> {
  await pauseMs(ms, signal).catch(() => undefined); // the caller's loop ends by the signal
}
