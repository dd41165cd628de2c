import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import { requestForExisting } from "./change.ts";
import { clusterContext } from "./cluster-context.ts";
import { messageOf } from "./errors.ts";
import { EventProcessor } from "./event-processor.ts";
import { appliesToExisting, ExistingSchedule } from "./existing-schedule.ts";
import { FailureRecord } from "./failure-record.ts";
import { KindCatalog } from "./kind-catalog.ts";
import { OrderedPool } from "./ordered-pool.ts";
import { OwnWrites } from "./own-writes.ts";
import { PolicyBoard } from "./policy-board.ts";
import type { PolicyFiles } from "./policy-files.ts";
import { READY, type Readiness } from "./policy-status.ts";
import type { GeneratorPorts, ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { KindSelector, Policy, Rule } from "./rule-model.ts";
import { ExpressionCache } from "./substitute.ts";
import { Synchronizer } from "./synchronizer.ts";
import { TargetStore } from "./target-store.ts";
import { TargetWriter } from "./target-writer.ts";
import { TypeSource } from "./type-source.ts";

export interface GeneratorOptions {
  /** Policies that were read from files; those of the cluster come beside them. */
  files: PolicyFiles;
  /** Whether ClusterPolicies and Policies of the cluster are followed. */
  fromCluster: boolean;
  /** Where UpdateRequests of failures go. */
  namespace: string;
  /** How many changes are evaluated and created at once; 32 when absent. */
  concurrency?: number;
  /** How often policies are applied again to what exists; one hour when absent. */
  existingEveryMs?: number;
  /** Called when readiness changes. `missing` is empty once all policies and sources are followed. */
  onState?: (state: { missing: string[] }) => void;
}

const DISCOVERY_RETRY_MS = 2_000;
/** How long a change of policies waits for others, so that many at once make one change of watches. */
const SETTLE_MS = 20;
/** How often kinds that were not served are looked for again. */
const LOOK_AGAIN_MS = 5_000;
const EXISTING_EVERY_MS = 3_600_000;

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
  readonly #ports: GeneratorPorts;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #catalog: KindCatalog;
  readonly #board: PolicyBoard;
  readonly #pool: OrderedPool;
  readonly #processor: EventProcessor;
  readonly #writer: TargetWriter;
  readonly #existing: ExistingSchedule;
  readonly #sources = new Map<string, TypeSource>();
  readonly #synchronizer: Synchronizer;
  /** Rules and triggers that wait to be evaluated again. */
  readonly #queued = new Set<string>();
  /** Whether triggers could be found when a target changes: once true, it stays so. */
  #sourcesKnown = false;
  readonly #passes = new Set<Promise<void>>();
  /** Policies of which no kind is served, with what they look for. */
  #unserved = new Map<Policy, string>();
  #dirty = Promise.withResolvers<void>();
  /** Those whose watches are open; undefined before the first plan. */
  #planned: ReadonlySet<Policy> | undefined;
  #missing: string | undefined;

  constructor(options: GeneratorOptions, ports: GeneratorPorts, logger: Logger, signal: AbortSignal) {
    const { cluster } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#logger = logger;
    this.#signal = signal;
    this.#catalog = new KindCatalog(cluster, () => performance.now());
    this.#board = new PolicyBoard(ports, options.files.policies, logger, () => this.#wake());
    this.#pool = new OrderedPool({ concurrency: options.concurrency ?? 32, capacity: 1_000 });
    this.#existing = new ExistingSchedule(options.existingEveryMs ?? EXISTING_EVERY_MS);
    const ownWrites = new OwnWrites();
    const failures = new FailureRecord(ports, options.namespace, logger);
    const store = new TargetStore({ cluster, catalog: this.#catalog, ownWrites });
    this.#writer = new TargetWriter({ store, failures, logger });
    const inputs = {
      source: clusterContext(cluster),
      now: () => new Date(),
      expressions: new ExpressionCache(),
    };
    this.#synchronizer = new Synchronizer(
      {
        cluster,
        watch: ports.watch,
        catalog: this.#catalog,
        ownWrites,
        writer: this.#writer,
        logger,
        rerun: (subject, uid) => this.#rerun(subject, uid),
        onState: () => this.#wake(),
      },
      signal,
    );
    this.#processor = new EventProcessor({
      inputs,
      writer: this.#writer,
      catalog: this.#catalog,
      failures,
      ownWrites,
      logger,
    });
  }

  async run(): Promise<void> {
    for (const { origin, message } of this.#options.files.problems)
      this.#logger.error({ origin, error: message }, "policy cannot run");
    for (const { name, origin, warnings } of this.#options.files.policies)
      for (const warning of warnings) this.#logger.warn({ policy: name, origin, warning }, "policy warning");
    const following = this.#options.fromCluster ? this.#board.follow(this.#signal) : undefined;
    this.#wake();
    const timer = setInterval(() => this.#wake(), this.#options.existingEveryMs ?? EXISTING_EVERY_MS);
    try {
      while (!this.#signal.aborted) await this.#step();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      await Promise.all([...this.#sources.values()].map((source) => source.stop()));
      await this.#synchronizer.stop();
      await Promise.all(this.#passes);
      await this.#pool.idle();
      await this.#writer.settled();
    }
    await following;
  }

  #wake(): void {
    this.#dirty.resolve();
  }

  /** Waits for news, then brings watches and statuses up to it. */
  async #step(): Promise<void> {
    const lacksTargets = [...(this.#planned ?? [])].some(({ rules }) => rules.some((rule) => this.#lacksTargets(rule)));
    const timer = this.#unserved.size === 0 && !lacksTargets ? undefined : AbortSignal.timeout(LOOK_AGAIN_MS);
    await untilAborted(
      this.#dirty.promise,
      timer === undefined ? this.#signal : AbortSignal.any([this.#signal, timer]),
    );
    this.#signal.throwIfAborted();
    this.#dirty = Promise.withResolvers<void>();
    await pauseMs(SETTLE_MS, this.#signal);
    if (!this.#options.fromCluster || this.#board.synced) await this.#plan();
    this.#synchronize();
    await this.#board.writeStatuses((policy) => this.#readinessOf(policy), this.#signal);
    this.#tellState();
    this.#applyToExisting();
  }

  /** Gives each source kind the rules that look at it, and opens and closes watches accordingly. */
  async #plan(): Promise<void> {
    const policies = this.#board.running();
    await this.#refreshCatalog(policies);
    const plan = new Map<string, { type: ServedType; rules: PolicyRule[] }>();
    this.#unserved = new Map();
    for (const policy of policies) {
      for (const rule of policy.rules) {
        const types = this.#typesOf(rule);
        if (types.length === 0) this.#unserved.set(policy, namesOf(rule));
        for (const type of types) {
          const entry = plan.get(typeKey(type)) ?? { type, rules: [] };
          entry.rules.push({ policy, rule });
          plan.set(typeKey(type), entry);
        }
      }
    }
    this.#planned = new Set(policies);
    for (const [key, { type, rules }] of plan) this.#sourceOf(key, type).follow(rules);
    for (const [key, source] of this.#sources) {
      if (plan.has(key)) continue;
      this.#sources.delete(key);
      await source.stop();
    }
  }

  async #refreshCatalog(policies: readonly Policy[]): Promise<void> {
    const isServed = (rule: Rule) => this.#typesOf(rule).length > 0 && !this.#lacksTargets(rule);
    const isKnown = policies.every(({ rules }) => rules.every(isServed));
    if (isKnown && this.#planned !== undefined) return;
    for (;;) {
      try {
        return await this.#catalog.refresh(this.#signal);
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#logger.warn({ error: messageOf(error) }, "cannot read what the cluster serves, trying again");
        await pauseMs(DISCOVERY_RETRY_MS, this.#signal);
      }
    }
  }

  /** Whether a kind that is to be followed is not served yet. */
  #lacksTargets(rule: Rule): boolean {
    return rule.synchronize && rule.generate.some((block) => this.#catalog.lacksTargets(block));
  }

  #typesOf({ match: { filters } }: Rule): ServedType[] {
    const types = filters.flatMap(({ kinds }) => kinds.flatMap((selector) => this.#catalog.resolve(selector)));
    return [...new Map(types.map((type) => [typeKey(type), type])).values()];
  }

  #sourceOf(key: string, type: ServedType): TypeSource {
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const source: TypeSource = new TypeSource({
      type,
      watch: this.#ports.watch,
      onChange: (request) => this.#takeChange(source, request),
      onState: () => this.#wake(),
    });
    this.#sources.set(key, source);
    return source;
  }

  async #takeChange(source: TypeSource, request: ChangeRequest): Promise<void> {
    const { uid = "" } = request.object.metadata;
    const rules = source.rulesFor(request.object);
    await this.#pool.add(uid, () => this.#process(rules, request));
  }

  async #process(rules: readonly PolicyRule[], request: ChangeRequest): Promise<void> {
    try {
      await this.#processor.process(rules, request, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) return;
      const { uid } = request.object.metadata;
      this.#logger.error({ error: messageOf(error), uid }, "a change could not be processed, this is a bug");
    }
  }

  /** Targets are followed from when their triggers are known: else a target that changed would have none. */
  #synchronize(): void {
    const isKnown = [...this.#sources.values()].every(({ missing, trouble }) => missing === undefined || trouble);
    this.#sourcesKnown ||= this.#planned !== undefined && isKnown;
    if (!this.#sourcesKnown || this.#planned === undefined) return;
    this.#synchronizer.follow([...this.#planned], (policy) => this.#board.has(policy));
  }

  async #rerun(subject: PolicyRule, uid: string): Promise<void> {
    const source = [...this.#sources.values()].find((each) => each.latest(uid) !== undefined);
    const key = [subject.policy.namespace, subject.policy.name, subject.rule.name, uid].join("/");
    if (source === undefined || this.#queued.has(key)) return;
    this.#queued.add(key);
    await this.#pool.add(uid, async () => {
      this.#queued.delete(key);
      const object = source.latest(uid);
      if (object !== undefined) await this.#process([subject], requestForExisting(object, source.type));
    });
  }

  /** Starts a pass over what exists for each policy that is due and whose sources are known. */
  #applyToExisting(): void {
    for (const policy of this.#board.running()) {
      if (this.#readinessOf(policy)?.ready !== true || !this.#existing.take(policy, performance.now())) continue;
      const pass = this.#applyPolicyToExisting(policy).finally(() => this.#passes.delete(pass));
      this.#passes.add(pass);
    }
  }

  async #applyPolicyToExisting(policy: Policy): Promise<void> {
    await this.#synchronizer.rerunPolicy(policy);
    let objects = 0;
    for (const source of [...this.#sources.values()]) {
      const rules = source.rules.filter((subject) => subject.policy === policy && appliesToExisting(subject.rule));
      for (const { metadata } of rules.length === 0 ? [] : source.objects()) {
        if (this.#signal.aborted) return;
        objects += 1;
        await this.#lookAgain(source, rules, metadata.uid ?? "");
      }
    }
    this.#logger.debug({ policy: policy.name, objects }, "policy applied to what exists");
  }

  /** Evaluates rules on an object as it is now, after all changes of it that are under way. */
  async #lookAgain(source: TypeSource, rules: readonly PolicyRule[], uid: string): Promise<void> {
    await this.#pool.add(uid, async () => {
      const object = source.latest(uid);
      if (object !== undefined) await this.#process(rules, requestForExisting(object, source.type));
    });
  }

  /** Undefined while it is too early to say. */
  #readinessOf(policy: Policy): Readiness | undefined {
    if (this.#planned?.has(policy) !== true) return undefined;
    const unserved = this.#unserved.get(policy);
    if (unserved !== undefined)
      return {
        ready: false,
        reason: "KindNotServed",
        message: `${unserved} is not served by this cluster: install its CRD, or correct match`,
      };
    const sources = policy.rules.flatMap((rule) => this.#typesOf(rule).map((type) => this.#sources.get(typeKey(type))));
    const followed = this.#synchronizer.sourcesOf(policy);
    if (followed === undefined) return undefined;
    const missing = [...sources, ...followed].find((source) => source?.missing !== undefined);
    if (missing === undefined) return READY;
    return missing.trouble === undefined
      ? undefined
      : { ready: false, reason: "WatchFailed", message: missing.trouble };
  }

  #tellState(): void {
    const missing = [
      ...(this.#options.fromCluster && !this.#board.synced
        ? [`the policies are not listed yet: ${this.#board.trouble || "the first list is under way"}`]
        : []),
      ...[...this.#sources.values()].flatMap((source) => source.missing ?? []),
    ];
    const text = missing.join("\n");
    if (text === this.#missing) return;
    this.#missing = text;
    const facts = { policies: this.#board.running().length, kinds: this.#sources.size };
    if (missing.length === 0) this.#logger.info(facts, "generator is ready");
    else this.#logger.debug({ ...facts, missing }, "generator is not ready");
    this.#options.onState?.({ missing });
  }
}

function typeKey(type: ServedType): string {
  return `${apiVersionOf(type)}/${type.kind}`;
}

function namesOf({ match: { filters } }: Rule): string {
  const text = ({ group, version, kind }: KindSelector) =>
    [group, version, kind].filter((part) => part !== "*").join("/");
  return filters.flatMap(({ kinds }) => kinds.map(text)).join(", ") || "no kind that match names";
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  if (signal.aborted) return;
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}
