import type { Logger } from "../observe/logger.ts";
import { ChangeQueue } from "./change-queue.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { Checkpointer } from "./checkpointer.ts";
import { clusterContext } from "./cluster-context.ts";
import { CreationLog } from "./creation-log.ts";
import { EventProcessor } from "./event-processor.ts";
import { ExistingPasses } from "./existing-passes.ts";
import { FailedRequests } from "./failed-requests.ts";
import { FailureRecord } from "./failure-record.ts";
import { EXISTING_EVERY_MS, FAILED_EVERY_MS, type GeneratorOptions } from "./generator-options.ts";
import { KindCatalog } from "./kind-catalog.ts";
import { OnceMade } from "./once-made.ts";
import { OwnWrites } from "./own-writes.ts";
import { PastTargets } from "./past-targets.ts";
import { PolicyBoard } from "./policy-board.ts";
import type { GeneratorPorts } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import { leaveOut } from "./resource-filters.ts";
import { type Doer, type Occasion, Retries } from "./retries.ts";
import { RuleTrace } from "./rule-trace.ts";
import { SetAside } from "./set-aside.ts";
import type { SourceChange } from "./source-change.ts";
import { SourceSet } from "./source-set.ts";
import { ExpressionCache } from "./substitute.ts";
import { SuccessEvents } from "./success-events.ts";
import { Synchronizer } from "./synchronizer.ts";
import { TargetStore } from "./target-store.ts";
import { TargetWriter } from "./target-writer.ts";

/** What a generator is made of. */
export interface GeneratorParts {
  board: PolicyBoard;
  sources: SourceSet;
  queue: ChangeQueue;
  retries: Retries;
  failed: FailedRequests;
  synchronizer: Synchronizer;
  existing: ExistingPasses;
  catalog: KindCatalog;
  past: PastTargets;
  creations: CreationLog;
  checkpointer: Checkpointer;
}

/** Joins the parts of a generator. @param onState called when there is news for who follows policies */
export function makeParts(
  options: GeneratorOptions,
  ports: GeneratorPorts,
  logger: Logger,
  onState: () => void,
  signal: AbortSignal,
): GeneratorParts {
  const { cluster, watch, history } = ports;
  const { files, namespace, resourceFilters, checkpoint, concurrency = 32 } = options;
  const { existingEveryMs: everyMs = EXISTING_EVERY_MS, failedEveryMs = FAILED_EVERY_MS } = options;
  const catalog = new KindCatalog(cluster, () => performance.now());
  const ownWrites = new OwnWrites((object) => synchronizer.noteWritten(object));
  const failures = new FailureRecord(ports, namespace, logger);
  const creations = new CreationLog();
  const successes = options.successEvents === true ? new SuccessEvents(ports, logger) : undefined;
  const onCreated = successes?.created.bind(successes);
  const store = new TargetStore({ cluster, catalog, ownWrites, creations, ...(onCreated && { onCreated }) });
  const past = new PastTargets({ history, creations, ownWrites, logger }, signal);
  const inDoubt = new SetAside();
  const once = new OnceMade(logger);
  const retries = new Retries({
    failures,
    once,
    logger,
    isCurrent: (policy) => board.running().includes(policy),
  });
  const onWritten = (occasion: Occasion) => synchronizer.targetWritten(occasion);
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
    source: clusterContext(cluster, catalog),
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
  const onSettled = (uid: string, hadEffect: boolean) => checkpointer.touch(uid, hadEffect);
  const onSeen = (uid: string) => checkpointer.touch(uid, false);
  const sources = new SourceSet({ catalog, watch, logger, onChange, onSettled, onState, onPassedOver }, signal);
  const rerun = async (subject: PolicyRule, uid: string) => {
    const source = sources.holding(uid);
    if (source !== undefined) await queue.rerun(source, subject, uid);
  };
  const synchronizer = new Synchronizer(
    { cluster, watch, catalog, ownWrites, writer: writerFor(retries), logger, rerun, onState, onSeen },
    signal,
  );
  const board = new PolicyBoard(ports, files.policies, logger, onState);
  const failed = new FailedRequests(
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
  const existing = new ExistingPasses({ everyMs, sources, synchronizer, queue, logger }, signal);
  const followed = () => synchronizer.followed();
  const labelled = () => synchronizer.remembered();
  const checkpoints = new CheckpointStore(cluster, checkpoint);
  const checkpointer = new Checkpointer({
    store: checkpoints,
    sources,
    creations,
    followed,
    labelled,
    logger,
    onState,
  });
  return { board, sources, queue, retries, failed, synchronizer, existing, catalog, past, creations, checkpointer };
}
