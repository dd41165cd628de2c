import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import type { Reading } from "./creation-log.ts";
import { EXISTING_EVERY_MS, FAILED_EVERY_MS, type GeneratorOptions } from "./generator-options.ts";
import { type GeneratorParts, makeParts } from "./generator-parts.ts";
import { FROM_CLUSTER } from "./parse-policy.ts";
import type { PolicyFiles } from "./policy-files.ts";
import type { Readiness } from "./policy-status.ts";
import type { GeneratorPorts } from "./ports.ts";
import type { Policy } from "./rule-model.ts";
import { readinessOfSources } from "./source-set.ts";
import { type PlannedSource, planTargets } from "./sync-plan.ts";

/** How long a change of policies waits for others, so that many at once make one change of watches. */
const SETTLE_MS = 20;
/** How often kinds that were not served are looked for again. */
const LOOK_AGAIN_MS = 5_000;

/** Follows policies and their sources, and creates what they generate, until `signal` aborts. Resolves when all is stopped. */
export async function runGenerator(
  options: GeneratorOptions,
  ports: GeneratorPorts,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  await new Generator(options, ports, logger, signal).run();
}

class Generator {
  readonly #options: GeneratorOptions;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #parts: GeneratorParts;
  /** From which version on what was made may not be in the checkpoint; undefined once that was looked up, or without one. */
  #unread: Reading | undefined;
  /** Whether triggers could be found when a target changes: once true, it stays so. */
  #sourcesKnown = false;
  #dirty = Promise.withResolvers<void>();
  #told: string | undefined;

  constructor(options: GeneratorOptions, ports: GeneratorPorts, logger: Logger, signal: AbortSignal) {
    this.#options = options;
    this.#logger = logger;
    this.#signal = signal;
    this.#parts = makeParts(options, ports, logger, () => this.#wake(), signal);
  }

  async run(): Promise<void> {
    const { files, fromCluster, existingEveryMs = EXISTING_EVERY_MS, failedEveryMs = FAILED_EVERY_MS } = this.#options;
    this.#tellFiles(files);
    if (this.#options.resume !== false) await this.#resume();
    if (this.#signal.aborted) return;
    const following = fromCluster ? this.#parts.board.follow(this.#signal) : undefined;
    this.#wake();
    const timer = setInterval(() => this.#wake(), Math.min(existingEveryMs, failedEveryMs));
    try {
      while (!this.#signal.aborted) await this.#step();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      await this.#parts.sources.stop();
      await this.#parts.synchronizer.stop();
      await this.#parts.existing.idle();
      await this.#parts.failed.idle();
      await this.#parts.queue.idle();
      await this.#parts.retries.settled();
      await this.#parts.checkpointer.stop();
    }
    await following;
  }

  /** Takes over what a generator before this one knew. */
  async #resume(): Promise<void> {
    const checkpoint = await this.#parts.checkpointer.load(this.#signal);
    this.#parts.sources.resume(checkpoint?.sources ?? new Map());
    this.#parts.synchronizer.resume(checkpoint?.policies ?? [], checkpoint?.labelled ?? new Map());
    if (!checkpoint?.madeAfter) return;
    this.#parts.creations.resume(checkpoint.made);
    this.#unread = this.#parts.creations.begin(checkpoint.madeAfter);
  }

  #tellFiles({ policies, problems }: PolicyFiles): void {
    for (const { origin, message } of problems) this.#logger.error({ origin, error: message }, "policy cannot run");
    for (const { name, origin, warnings } of policies)
      for (const warning of warnings) this.#logger.warn({ policy: name, origin, warning }, "policy warning");
  }

  #wake(): void {
    this.#dirty.resolve();
  }

  /** Waits for news, then brings watches and statuses up to it. */
  async #step(): Promise<void> {
    await this.#news();
    const policies = this.#parts.board.running();
    if (!this.#options.fromCluster || this.#parts.board.synced) await this.#follow(policies);
    this.#synchronize();
    await this.#parts.board.writeStatuses((policy) => this.#readinessOf(policy), this.#signal);
    this.#tellState();
    const ready = this.#parts.board.running().filter((policy) => this.#readinessOf(policy)?.ready);
    this.#parts.existing.start(ready);
    if (this.#sourcesKnown) this.#parts.failed.start(ready, (reference) => this.#exists(reference));
  }

  #exists(reference: string): boolean {
    const [name = "", namespace = ""] = reference.split("/").reverse();
    const kind = namespace === "" ? "ClusterPolicy" : "Policy";
    return !this.#options.fromCluster || this.#parts.board.has({ kind, namespace, name });
  }

  async #follow(policies: readonly Policy[]): Promise<void> {
    await this.#parts.sources.follow(policies, () => {
      const targets = planTargets(policies, this.#parts.catalog);
      const until = this.#parts.board.listedAt;
      this.#readHistory(until, targets);
      this.#parts.past.remind(until, targets);
    });
  }

  #readHistory(until: string, targets: readonly PlannedSource[]): void {
    if (this.#unread === undefined) return;
    this.#parts.past.read({ after: this.#unread.upTo, until }, targets);
    this.#parts.creations.end(this.#unread);
    this.#unread = undefined;
  }

  async #news(): Promise<void> {
    const timer = this.#parts.sources.lacksKinds ? [AbortSignal.timeout(LOOK_AGAIN_MS)] : [];
    await untilAborted(this.#dirty.promise, AbortSignal.any([this.#signal, ...timer]));
    this.#signal.throwIfAborted();
    this.#dirty = Promise.withResolvers<void>();
    await pauseMs(SETTLE_MS, this.#signal);
  }

  /** Targets are followed from when their triggers are known: else a target that changed would have none. */
  #synchronize(): void {
    this.#sourcesKnown ||= this.#parts.sources.known;
    const { policies } = this.#parts.sources;
    if (this.#sourcesKnown && policies !== undefined)
      this.#parts.synchronizer.follow(policies, (policy) => this.#mayHave(policy));
  }

  /** Whether a policy that does not run is there nevertheless, and keeps what it made. */
  #mayHave(policy: Policy): boolean {
    return (
      this.#parts.board.mayHave(policy) || (policy.origin !== FROM_CLUSTER && this.#options.files.problems.length > 0)
    );
  }

  /** Undefined while it is too early to say. */
  #readinessOf(policy: Policy): Readiness | undefined {
    const triggers = this.#parts.sources.readinessOf(policy);
    if (triggers?.reason === "KindNotServed") return triggers;
    const targets = this.#parts.synchronizer.sourcesOf(policy);
    if (triggers === undefined || targets === undefined || !triggers.ready) return targets && triggers;
    return this.#waitsForCheckpoint(policy) ? undefined : readinessOfSources(targets);
  }

  /** From when on a policy is ready, none of its changes is missed, whatever becomes of this process. */
  #waitsForCheckpoint(policy: Policy): boolean {
    if (this.#parts.sources.readinessOf(policy)?.ready !== true || this.#parts.checkpointer.covers(policy))
      return false;
    this.#parts.checkpointer.hasten();
    return true;
  }

  #tellState(): void {
    const missing = [
      ...(this.#options.fromCluster && !this.#parts.board.synced
        ? [`the policies are not listed yet: ${this.#parts.board.trouble || "the first list is under way"}`]
        : []),
      ...this.#parts.sources.missing,
    ];
    if (missing.length === 0 && this.#parts.board.running().some((policy) => this.#waitsForCheckpoint(policy)))
      missing.push("what there is is not in the checkpoint yet");
    const { problem } = this.#parts.checkpointer;
    const text = JSON.stringify([missing, problem]);
    if (text === this.#told) return;
    this.#told = text;
    const facts = { policies: this.#parts.board.running().length, kinds: this.#parts.sources.all().length };
    if (missing.length === 0) this.#logger.info(facts, "generator is ready");
    else this.#logger.debug({ ...facts, missing }, "generator is not ready");
    this.#options.onState?.({ missing, problem });
  }
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  if (signal.aborted) return;
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}
