import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import { messageOf } from "./errors.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { KnownSource } from "./known-source.ts";
import { READY, type Readiness } from "./policy-status.ts";
import type { GeneratorPorts, ServedType } from "./ports.ts";
import type { SettledObjects } from "./progress.ts";
import type { PolicyRule } from "./reach.ts";
import type { KindSelector, Policy, Rule } from "./rule-model.ts";
import type { SourceChange, TypeSourceOptions } from "./source-change.ts";
import { TypeSource } from "./type-source.ts";

const DISCOVERY_RETRY_MS = 2_000;

export interface SourceSetOptions {
  catalog: KindCatalog;
  watch: GeneratorPorts["watch"];
  logger: Logger;
  /** Called for each change; the watch that brought it waits. */
  onChange(change: SourceChange): Promise<void>;
  onPassedOver?: TypeSourceOptions["onPassedOver"];
  /** Called when what a checkpoint would say of an object has changed. */
  onSettled(uid: string, hadEffect: boolean): void;
  onState(): void;
}

/** The sources of all kinds that policies match, each with the rules that look at it. */
export class SourceSet {
  readonly #options: SourceSetOptions;
  readonly #signal: AbortSignal;
  readonly #sources = new Map<string, TypeSource>();
  /** What a checkpoint knows of kinds that nothing follows yet. */
  #known = new Map<string, KnownSource>();
  /** Policies of which no kind is served, with what they look for. */
  #unserved = new Map<Policy, string>();
  /** Those whose watches are open; undefined before the first plan. */
  #followed: ReadonlySet<Policy> | undefined;

  constructor(options: SourceSetOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The policies whose watches are open; undefined before it is known which there are. */
  get policies(): readonly Policy[] | undefined {
    return this.#followed && [...this.#followed];
  }

  /** Whether kinds that policies name are not served, and may be later. */
  get lacksKinds(): boolean {
    const { catalog } = this.#options;
    return (
      this.#unserved.size > 0 || [...(this.#followed ?? [])].some(({ rules }) => rules.some(lacksTargets(catalog)))
    );
  }

  /** Whether every trigger that exists is known, as far as the cluster lets it be. */
  get known(): boolean {
    return (
      this.#followed !== undefined && this.all().every((source) => source.missing() === undefined || source.trouble)
    );
  }

  /** Why sources are not followed yet; empty once all are. */
  get missing(): string[] {
    return this.all().flatMap((source) => source.missing() ?? []);
  }

  /** Takes over what a checkpoint knows, by `apiVersion/kind`. To be called before the first {@link follow}. */
  resume(known: ReadonlyMap<string, KnownSource>): void {
    this.#known = new Map(known);
  }

  all(): TypeSource[] {
    return [...this.#sources.values()];
  }

  /** By `apiVersion/kind`. */
  entries(): Iterable<[string, TypeSource]> {
    return this.#sources.entries();
  }

  /** Kinds that a checkpoint knows and that may be served again. */
  waiting(): string[] {
    return this.#followed === undefined || this.#unserved.size > 0 ? [...this.#known.keys()] : [];
  }

  /** All that a checkpoint is to remember. */
  *remembered(): Generator<[string, SettledObjects], void> {
    for (const [key, { done }] of this.#sources) yield [key, done];
    for (const key of this.waiting()) {
      const { objects = [], deleted = [], open = [] } = this.#known.get(key) ?? {};
      yield [key, { settled: () => objects, deletedSince: () => deleted, recorded: () => open }];
    }
  }

  /** The source that has seen the object of this UID, which still exists. */
  holding(uid: string): TypeSource | undefined {
    return this.all().find((source) => source.latest(uid) !== undefined);
  }

  /**
   * Gives each kind the rules that look at it, and opens and closes watches accordingly.
   * @param beforeWatches called when it is known what the cluster serves, and before any watch is opened
   */
  async follow(policies: readonly Policy[], beforeWatches: () => void): Promise<void> {
    await this.#refreshCatalog(policies);
    beforeWatches();
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
    this.#followed = new Set(policies);
    for (const [key, { type, rules }] of plan) this.#sourceOf(key, type).follow(rules);
    for (const [key, source] of this.#sources) {
      if (plan.has(key)) continue;
      this.#sources.delete(key);
      await source.stop();
    }
  }

  /** Whether the policy's triggers are followed, and if not, why; undefined while it is too early to say. */
  readinessOf(policy: Policy): Readiness | undefined {
    if (this.#followed?.has(policy) !== true) return undefined;
    const unserved = this.#unserved.get(policy);
    if (unserved !== undefined)
      return {
        ready: false,
        reason: "KindNotServed",
        message: `${unserved} is not served by this cluster: install its CRD, or correct match`,
      };
    const types = policy.rules.flatMap((rule) => this.#typesOf(rule));
    const sources = types.flatMap((type) => this.#sources.get(typeKey(type)) ?? []);
    return readinessOfSources(sources.map((source) => ({ missing: source.missing(policy), trouble: source.trouble })));
  }

  async stop(): Promise<void> {
    await Promise.all(this.all().map((source) => source.stop()));
  }

  async #refreshCatalog(policies: readonly Policy[]): Promise<void> {
    const { catalog, logger } = this.#options;
    const isServed = (rule: Rule) => this.#typesOf(rule).length > 0 && !lacksTargets(catalog)(rule);
    const isKnown = policies.every(({ rules }) => rules.every(isServed));
    if (isKnown && this.#followed !== undefined) return;
    for (;;) {
      try {
        return await catalog.refresh(this.#signal);
      } catch (error) {
        this.#signal.throwIfAborted();
        logger.warn({ error: messageOf(error) }, "cannot read what the cluster serves, trying again");
        await pauseMs(DISCOVERY_RETRY_MS, this.#signal);
      }
    }
  }

  #typesOf({ match: { filters } }: Rule): ServedType[] {
    const { catalog } = this.#options;
    const types = filters.flatMap(({ kinds }) => kinds.flatMap((selector) => catalog.resolve(selector)));
    return [...new Map(types.map((type) => [typeKey(type), type])).values()];
  }

  #sourceOf(key: string, type: ServedType): TypeSource {
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const { watch, onChange, onPassedOver, onSettled, onState, logger } = this.#options;
    const resumed = this.#known.get(key);
    this.#known.delete(key);
    const onGap = () =>
      logger.info({ kind: key }, "the API server does not remember all changes, comparing with a list");
    const source = new TypeSource({ type, watch, onChange, onPassedOver, onSettled, onState, onGap }, resumed);
    this.#sources.set(key, source);
    return source;
  }
}

/** Ready once no source misses anything; undefined while their first lists are under way. */
export function readinessOfSources(
  sources: readonly { missing: string | undefined; trouble: string | undefined }[],
): Readiness | undefined {
  const waiting = sources.find(({ missing }) => missing !== undefined);
  if (waiting === undefined) return READY;
  return waiting.trouble === undefined ? undefined : { ready: false, reason: "WatchFailed", message: waiting.trouble };
}

/** Whether a kind that the rule makes and is to follow is not served yet. */
function lacksTargets(catalog: KindCatalog): (rule: Rule) => boolean {
  return (rule) => rule.synchronize && rule.generate.some((block) => catalog.lacksTargets(block));
}

function typeKey(type: ServedType): string {
  return `${apiVersionOf(type)}/${type.kind}`;
}

function namesOf({ match: { filters } }: Rule): string {
  const text = ({ group, version, kind }: KindSelector) =>
    [group, version, kind].filter((part) => part !== "*").join("/");
  return filters.flatMap(({ kinds }) => kinds.map(text)).join(", ") || "no kind that match names";
}
