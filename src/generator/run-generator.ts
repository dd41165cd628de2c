import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import type { ObjectKey } from "../resources/object.ts";
import type { ResourceFilterEntry } from "../resources/resource-filter.ts";
import { ChangeQueue } from "./change-queue.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { Checkpointer } from "./checkpointer.ts";
import { clusterContext } from "./cluster-context.ts";
import { CreationLog, type Reading } from "./creation-log.ts";
import { EventProcessor } from "./event-processor.ts";
import { ExistingPasses } from "./existing-passes.ts";
import { FailedRequests } from "./failed-requests.ts";
import { FailureRecord } from "./failure-record.ts";
import { KindCatalog } from "./kind-catalog.ts";
import { OnceMade } from "./once-made.ts";
import { OwnWrites } from "./own-writes.ts";
import { FROM_CLUSTER } from "./parse-policy.ts";
import { PastTargets } from "./past-targets.ts";
import { PolicyBoard } from "./policy-board.ts";
import type { PolicyFiles } from "./policy-files.ts";
import type { Readiness } from "./policy-status.ts";
import type { GeneratorPorts } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { leaveOut } from "./resource-filters.ts";
import { type Doer, type Occasion, Retries } from "./retries.ts";
import type { Policy } from "./rule-model.ts";
import { RuleTrace } from "./rule-trace.ts";
import { SetAside } from "./set-aside.ts";
import type { SourceChange } from "./source-change.ts";
import { readinessOfSources, SourceSet } from "./source-set.ts";
import { ExpressionCache } from "./substitute.ts";
import { type PlannedSource, planTargets } from "./sync-plan.ts";
import { Synchronizer } from "./synchronizer.ts";
import { TargetStore } from "./target-store.ts";
import { TargetWriter } from "./target-writer.ts";

export interface GeneratorOptions {
  /** Policies that were read from files; those of the cluster come beside them. */
  files: PolicyFiles;
  /** Whether ClusterPolicies and Policies of the cluster are followed. */
  fromCluster: boolean;
  /** Objects whose changes never trigger a rule. */
  resourceFilters: readonly ResourceFilterEntry[];
  /** Where UpdateRequests of failures go. */
  namespace: string;
  /** The first of the Secrets in which what was seen is kept. */
  checkpoint: ObjectKey;
  /** False where something else has generated since the checkpoint: then it is not read. */
  resume?: boolean;
  /** How many changes are evaluated and created at once; 32 when absent. */
  concurrency?: number;
  /** How often policies are applied again to what exists; one hour when absent. */
  existingEveryMs?: number;
  /** How often what failed for good is tried again; five minutes when absent. */
  failedEveryMs?: number;
  /**
   * Called when readiness changes. `missing` is empty once all policies and sources are followed; `problem` says why changes
   * made while no generator runs would be missed.
   */
  onState?: (state: { missing: string[]; problem: string | undefined }) => void;
}

/** How long a change of policies waits for others, so that many at once make one change of watches. */
const SETTLE_MS = 20;
/** How often kinds that were not served are looked for again. */
const LOOK_AGAIN_MS = 5_000;
const EXISTING_EVERY_MS = 3_600_000;
const FAILED_EVERY_MS = 300_000;

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
  readonly #board: PolicyBoard;
  readonly #sources: SourceSet;
  readonly #queue: ChangeQueue;
  readonly #retries: Retries;
  readonly #failed: FailedRequests;
  readonly #synchronizer: Synchronizer;
  readonly #existing: ExistingPasses;
  readonly #catalog: KindCatalog;
  readonly #past: PastTargets;
  readonly #creations: CreationLog;
  readonly #checkpointer: Checkpointer;
  /** From which version on what was made may not be in the checkpoint; undefined once that was looked up, or without one. */
  #unread: Reading | undefined;
  /** Whether triggers could be found when a target changes: once true, it stays so. */
  #sourcesKnown = false;
  #dirty = Promise.withResolvers<void>();
  #told: string | undefined;

  constructor(options: GeneratorOptions, ports: GeneratorPorts, logger: Logger, signal: AbortSignal) {
    const { cluster, watch, history } = ports;
    const { files, namespace, resourceFilters, checkpoint, concurrency = 32 } = options;
    const { existingEveryMs: everyMs = EXISTING_EVERY_MS, failedEveryMs = FAILED_EVERY_MS } = options;
    this.#options = options;
    this.#logger = logger;
    this.#signal = signal;
    const onState = () => this.#wake();
    const catalog = new KindCatalog(cluster, () => performance.now());
    const ownWrites = new OwnWrites((object) => this.#synchronizer.noteWritten(object));
    const failures = new FailureRecord(ports, namespace, logger);
    const creations = new CreationLog();
    const store = new TargetStore({ cluster, catalog, ownWrites, creations });
    const past = new PastTargets({ history, creations, ownWrites, logger }, signal);
    const inDoubt = new SetAside();
    const once = new OnceMade(logger);
    const retries = new Retries({
      failures,
      once,
      logger,
      isCurrent: (policy) => this.#board.running().includes(policy),
    });
    const onWritten = (occasion: Occasion) => this.#synchronizer.targetWritten(occasion);
    const writerFor = (doer: Doer) =>
      new TargetWriter({ store, past, creations, inDoubt, retries: doer, onWritten, logger });
    const processorFor = (doer: Doer) =>
      new EventProcessor({
        trace,
        writer: writerFor(doer),
        catalog,
        retries: doer,
        ownWrites,
        logger,
      });
    const inputs = {
      source: clusterContext(cluster),
      now: () => new Date(),
      expressions: new ExpressionCache(),
      leaveOut: leaveOut(resourceFilters),
    };
    const trace = new RuleTrace(inputs, logger);
    const onPassedOver = trace.isOn
      ? (rules: readonly PolicyRule[], request: ChangeRequest) => trace.passedOver(rules, request, signal)
      : undefined;
    const settled = async (request: ChangeRequest) => {
      await inDoubt.settled(request);
      await retries.settled(request);
      if (!signal.aborted) creations.settle(request);
    };
    const queue = new ChangeQueue({ processor: processorFor(retries), settled, concurrency, logger }, signal);
    const onChange = (change: SourceChange) => queue.add(change);
    const onSettled = (uid: string, hadEffect: boolean) => this.#checkpointer.touch(uid, hadEffect);
    const sources = new SourceSet({ catalog, watch, logger, onChange, onSettled, onState, onPassedOver }, signal);
    const rerun = async (subject: PolicyRule, uid: string) => {
      const source = sources.holding(uid);
      if (source !== undefined) await queue.rerun(source, subject, uid);
    };
    const synchronizer = new Synchronizer(
      { cluster, watch, catalog, ownWrites, writer: writerFor(retries), logger, rerun, onState },
      signal,
    );
    this.#board = new PolicyBoard(ports, files.policies, logger, onState);
    this.#sources = sources;
    this.#queue = queue;
    this.#retries = retries;
    this.#synchronizer = synchronizer;
    this.#failed = new FailedRequests(
      {
        everyMs: failedEveryMs,
        failures,
        retries,
        once,
        sources,
        queue,
        logger,
        process: async (subject, request, doer) => void (await processorFor(doer).process([subject], request, signal)),
      },
      signal,
    );
    this.#existing = new ExistingPasses({ everyMs, sources, synchronizer, queue, logger }, signal);
    this.#catalog = catalog;
    this.#past = past;
    this.#creations = creations;
    const followed = () => synchronizer.followed();
    const checkpoints = new CheckpointStore(cluster, checkpoint);
    this.#checkpointer = new Checkpointer({ store: checkpoints, sources, creations, followed, logger, onState });
  }

  async run(): Promise<void> {
    const { files, fromCluster, existingEveryMs = EXISTING_EVERY_MS, failedEveryMs = FAILED_EVERY_MS } = this.#options;
    this.#tellFiles(files);
    if (this.#options.resume !== false) await this.#resume();
    if (this.#signal.aborted) return;
    const following = fromCluster ? this.#board.follow(this.#signal) : undefined;
    this.#wake();
    const timer = setInterval(() => this.#wake(), Math.min(existingEveryMs, failedEveryMs));
    try {
      while (!this.#signal.aborted) await this.#step();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      await this.#sources.stop();
      await this.#synchronizer.stop();
      await this.#existing.idle();
      await this.#failed.idle();
      await this.#queue.idle();
      await this.#retries.settled();
      await this.#checkpointer.stop();
    }
    await following;
  }

  /** Takes over what a generator before this one knew. */
  async #resume(): Promise<void> {
    const checkpoint = await this.#checkpointer.load(this.#signal);
    this.#sources.resume(checkpoint?.sources ?? new Map());
    this.#synchronizer.resume(checkpoint?.policies ?? []);
    if (!checkpoint?.madeAfter) return;
    this.#creations.resume(checkpoint.made);
    this.#unread = this.#creations.begin(checkpoint.madeAfter);
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
    const policies = this.#board.running();
    if (!this.#options.fromCluster || this.#board.synced) await this.#follow(policies);
    this.#synchronize();
    await this.#board.writeStatuses((policy) => this.#readinessOf(policy), this.#signal);
    this.#tellState();
    const ready = this.#board.running().filter((policy) => this.#readinessOf(policy)?.ready);
    this.#existing.start(ready);
    if (this.#sourcesKnown) this.#failed.start(ready, (reference) => this.#exists(reference));
  }

  #exists(reference: string): boolean {
    const [name = "", namespace = ""] = reference.split("/").reverse();
    const kind = namespace === "" ? "ClusterPolicy" : "Policy";
    return !this.#options.fromCluster || this.#board.has({ kind, namespace, name });
  }

  async #follow(policies: readonly Policy[]): Promise<void> {
    await this.#sources.follow(policies, () => {
      const targets = planTargets(policies, this.#catalog);
      const until = this.#board.listedAt;
      this.#readHistory(until, targets);
      this.#past.remind(until, targets);
    });
  }

  #readHistory(until: string, targets: readonly PlannedSource[]): void {
    if (this.#unread === undefined) return;
    this.#past.read({ after: this.#unread.upTo, until }, targets);
    this.#creations.end(this.#unread);
    this.#unread = undefined;
  }

  async #news(): Promise<void> {
    const timer = this.#sources.lacksKinds ? [AbortSignal.timeout(LOOK_AGAIN_MS)] : [];
    await untilAborted(this.#dirty.promise, AbortSignal.any([this.#signal, ...timer]));
    this.#signal.throwIfAborted();
    this.#dirty = Promise.withResolvers<void>();
    await pauseMs(SETTLE_MS, this.#signal);
  }

  /** Targets are followed from when their triggers are known: else a target that changed would have none. */
  #synchronize(): void {
    this.#sourcesKnown ||= this.#sources.known;
    const { policies } = this.#sources;
    if (this.#sourcesKnown && policies !== undefined)
      this.#synchronizer.follow(policies, (policy) => this.#mayHave(policy));
  }

  /** Whether a policy that does not run is there nevertheless, and keeps what it made. */
  #mayHave(policy: Policy): boolean {
    return this.#board.mayHave(policy) || (policy.origin !== FROM_CLUSTER && this.#options.files.problems.length > 0);
  }

  /** Undefined while it is too early to say. */
  #readinessOf(policy: Policy): Readiness | undefined {
    const triggers = this.#sources.readinessOf(policy);
    if (triggers?.reason === "KindNotServed") return triggers;
    const targets = this.#synchronizer.sourcesOf(policy);
    if (triggers === undefined || targets === undefined || !triggers.ready) return targets && triggers;
    return this.#waitsForCheckpoint(policy) ? undefined : readinessOfSources(targets);
  }

  /** From when on a policy is ready, none of its changes is missed, whatever becomes of this process. */
  #waitsForCheckpoint(policy: Policy): boolean {
    if (this.#sources.readinessOf(policy)?.ready !== true || this.#checkpointer.covers(policy)) return false;
    this.#checkpointer.hasten();
    return true;
  }

  #tellState(): void {
    const missing = [
      ...(this.#options.fromCluster && !this.#board.synced
        ? [`the policies are not listed yet: ${this.#board.trouble || "the first list is under way"}`]
        : []),
      ...this.#sources.missing,
    ];
    if (missing.length === 0 && this.#board.running().some((policy) => this.#waitsForCheckpoint(policy)))
      missing.push("what there is is not in the checkpoint yet");
    const { problem } = this.#checkpointer;
    const text = JSON.stringify([missing, problem]);
    if (text === this.#told) return;
    this.#told = text;
    const facts = { policies: this.#board.running().length, kinds: this.#sources.all().length };
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
