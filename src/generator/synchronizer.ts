import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { requestForExisting } from "./change.ts";
import { CLONE_SOURCE_LABEL, isTargetOf, originOf, SOURCE_UID_LABEL, type TargetQuery } from "./downstream.ts";
import { messageOf } from "./errors.ts";
import { isRewritten } from "./existing-schedule.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { LabelledObjects } from "./labelled-memory.ts";
import type { LabelledChange, LabelledSource } from "./labelled-source.ts";
import { LabelledSources, type LabelledSourcesOptions } from "./labelled-sources.ts";
import { listTriggers } from "./listed-triggers.ts";
import { matchRule } from "./match.ts";
import type { OwnWrites } from "./own-writes.ts";
import { CLUSTER_POLICY, POLICY } from "./policy-status.ts";
import type { Cluster, GeneratorPorts, ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { Occasion } from "./retries.ts";
import type { Policy } from "./rule-model.ts";
import { compareRules, planSync } from "./sync-plan.ts";
import type { TargetWriter } from "./target-writer.ts";

export interface SynchronizerOptions {
  cluster: Pick<Cluster, "get" | "listPages">;
  watch: GeneratorPorts["watch"];
  catalog: KindCatalog;
  ownWrites: OwnWrites;
  writer: TargetWriter;
  logger: Logger;
  /** Evaluates the rule anew for the trigger of this UID, if there still is one. Resolves when that is queued. */
  rerun(subject: PolicyRule, triggerUid: string): Promise<void>;
  onState(): void;
  /** Called when what a checkpoint would say of a target or clone source has changed. */
  onSeen(uid: string): void;
}

/**
 * Keeps targets of rules with `synchronize` as their rule, trigger and clone source say: watches what was made and what was
 * copied, and follows changes of policies. What triggers do is the event processor's.
 */
export class Synchronizer {
  readonly #options: SynchronizerOptions;
  readonly #signal: AbortSignal;
  readonly #downstream: LabelledSources;
  readonly #cloneSources: LabelledSources;
  readonly #tasks = new Set<Promise<void>>();
  #policies = new Map<string, Policy>();
  /** Policies as they were before they were edited or deleted. */
  readonly #past = new WeakSet<Policy>();

  constructor(options: SynchronizerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { watch, logger, onState, onSeen } = options;
    const follow = (onChange: LabelledSourcesOptions["onChange"]) =>
      new LabelledSources({ watch, logger, onState, onSeen, onChange });
    this.#downstream = follow((type, change) => this.#downstreamChanged(type, change));
    this.#cloneSources = follow((type, change) => this.#sourceChanged(type, change));
  }

  /**
   * Takes over the policies that were followed before a restart, and the targets and clone sources that there were, by
   * `apiVersion/kind`: what became of them since is done by {@link follow}.
   */
  resume(policies: readonly Policy[], labelled: ReadonlyMap<string, LabelledObjects>): void {
    this.#policies = new Map(policies.map((policy) => [keyOf(policy), policy]));
    this.#downstream.resume(new Map([...labelled].map(([key, { targets }]) => [key, targets])));
    this.#cloneSources.resume(new Map([...labelled].map(([key, { sources }]) => [key, sources])));
  }

  /** What a checkpoint is to keep of targets and clone sources, by `apiVersion/kind`. */
  remembered(): ReadonlyMap<string, LabelledObjects> {
    const [targets, sources] = [this.#downstream.remembered(), this.#cloneSources.remembered()];
    const keys = new Set([...targets.keys(), ...sources.keys()]);
    return new Map([...keys].map((key) => [key, { targets: targets.get(key) ?? [], sources: sources.get(key) ?? [] }]));
  }

  /** The policies that are followed; undefined while what became of others is under way. */
  followed(): Policy[] | undefined {
    return this.#tasks.size === 0 ? [...this.#policies.values()] : undefined;
  }

  /**
   * Takes over these policies: opens and closes watches, and does what the difference to the policies before means.
   * @param isKept whether a policy that is not among them still exists, though it cannot run
   */
  follow(policies: readonly Policy[], isKept: (policy: Policy) => boolean): void {
    const before = this.#policies;
    this.#policies = new Map(policies.map((policy) => [keyOf(policy), policy]));
    for (const [key, policy] of before) {
      const next = this.#policies.get(key);
      if (next === undefined && isKept(policy)) this.#policies.set(key, policy);
      else if (next !== policy) {
        this.#past.add(policy);
        for (const rule of policy.rules) this.#compare({ policy, rule });
      }
    }
    const plan = planSync([...this.#policies.values()], this.#options.catalog);
    const left = [...this.#cloneSources.follow(plan.cloneSources), ...this.#downstream.follow(plan.downstream)];
    for (const source of left) this.#do(() => source.stop());
  }

  /** The watches that a policy's targets need; undefined while the policy is not followed. */
  sourcesOf(policy: Policy): LabelledSource[] | undefined {
    if (!policy.rules.some(({ synchronize }) => synchronize)) return [];
    if (this.#policies.get(keyOf(policy)) !== policy) return undefined;
    const keys = policy.rules.flatMap((rule) => this.#options.catalog.targetTypes(rule).map(typeKey));
    return keys.flatMap((key) => [this.#downstream.get(key) ?? [], this.#cloneSources.get(key) ?? []].flat());
  }

  /** Takes note of a target or a marked source that was just written here, before the watches tell of it. */
  noteWritten(object: KubeObject): void {
    const key = `${object.apiVersion}/${object.kind}`;
    if (this.#makerOf(object) !== undefined) this.#downstream.get(key)?.remember(object);
    if (object.metadata.labels?.[CLONE_SOURCE_LABEL] !== undefined) this.#cloneSources.get(key)?.remember(object);
  }

  /** A rule has written a target. If its policy has changed since the rule was evaluated, what that means is done once more. */
  targetWritten({ subject, request }: Occasion): void {
    if (this.#past.has(subject.policy)) this.#compare(subject, request.object.metadata.uid ?? "");
  }

  /** Evaluates every data rule of the policy anew for what it made. */
  async rerunPolicy(policy: Policy): Promise<void> {
    for (const rule of policy.rules) if (isRewritten(rule)) await this.#rerunAll({ policy, rule }, () => true);
  }

  /** Ends all watches, and waits for what is under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#downstream.stop(), this.#cloneSources.stop()]);
    await Promise.all(this.#tasks);
  }

  /** Does what a change of a policy means for what a rule made. @param triggerUid narrows it to one trigger */
  #compare({ policy, rule }: PolicyRule, triggerUid?: string): void {
    const nextPolicy = this.#policies.get(keyOf(policy));
    const next = nextPolicy?.rules.find(({ name }) => name === rule.name);
    const change = compareRules(rule, next);
    if (change === "none") return;
    const { cluster, writer, catalog, rerun } = this.#options;
    const types = catalog.targetTypes(rule);
    const occasion = { subject: { policy, rule }, request: requestForPolicy(policy) };
    const query = triggerUid === undefined ? {} : { triggerUid };
    if (change === "removed") this.#do(() => writer.remove(occasion, types, query, this.#signal));
    // Labels that are taken off for one trigger would be taken off what the new rule makes for it, too.
    if (change === "retargeted" && triggerUid === undefined)
      this.#do(() => writer.orphan(occasion, types, this.#signal));
    if (!(change === "rerun" || change === "begun") || nextPolicy === undefined || next === undefined) return;
    const subject = { policy: nextPolicy, rule: next };
    this.#do(async () => {
      if (triggerUid !== undefined) return rerun(subject, triggerUid);
      if (change === "rerun") return this.#rerunAll(subject, () => true);
      for (const uid of await listTriggers(subject, { cluster, catalog }, this.#signal)) await rerun(subject, uid);
    });
  }

  /** Someone changed or deleted a target: the rule is run again, which restores it. */
  async #downstreamChanged(type: ServedType, { type: what, object, before }: LabelledChange): Promise<void> {
    const { ownWrites } = this.#options;
    if (what === "appeared") await this.#cloneSources.get(typeKey(type))?.compared; // else it was a copy of nothing
    if (what !== "changed" && ownWrites.deleted(object.metadata.uid ?? "")) return;
    const isRelisted = what === "gone" && object === before; // then it is the last version seen, not what happened to it
    if (!isRelisted && (await ownWrites.includes(type.kind, object))) return;
    const subject = this.#makerOf(before);
    if (subject === undefined || isOwnTrigger(subject, type, object)) return;
    await this.#options.rerun(subject, originOf(before)?.triggerUid ?? "");
  }

  /** A clone source changed: its copies are made again. It is gone: so are they. */
  async #sourceChanged(type: ServedType, { type: what, object }: LabelledChange): Promise<void> {
    const { ownWrites, cluster, writer } = this.#options;
    const { uid = "", namespace = "", name = "" } = object.metadata;
    // One that appears may have changed since it was marked, before the watch saw it.
    if (what !== "gone" && (await ownWrites.includes(type.kind, object))) return;
    const isCopy = ({ metadata }: KubeObject) => metadata.labels?.[SOURCE_UID_LABEL] === uid;
    const copies = (this.#downstream.get(typeKey(type))?.objects() ?? []).filter(isCopy);
    const makers = new Set(copies.flatMap((copy) => this.#makerKey(copy) ?? []));
    for (const key of makers) {
      const subject = this.#subjectOf(key);
      if (subject === undefined || isOwnTrigger(subject, type, object)) continue;
      const isGone =
        what === "gone" && (await cluster.get(type, { namespace, name }, this.#signal))?.metadata.uid !== uid;
      if (!isGone) await this.#rerunAll(subject, isCopy);
      else {
        const occasion = { subject, request: requestForExisting(object, type) };
        for (const copy of copies) if (isTargetOf(subject, copy)) ownWrites.willDelete(copy.metadata.uid ?? "");
        this.#do(() => writer.remove(occasion, [type], { sourceUid: uid } satisfies TargetQuery, this.#signal));
      }
    }
  }

  async #rerunAll(subject: PolicyRule, wanted: (object: KubeObject) => boolean): Promise<void> {
    const triggers = new Set<string>();
    for (const type of this.#options.catalog.targetTypes(subject.rule))
      for (const object of this.#downstream.get(typeKey(type))?.objects() ?? [])
        if (isTargetOf(subject, object) && wanted(object)) triggers.add(originOf(object)?.triggerUid ?? "");
    for (const uid of triggers) await this.#options.rerun(subject, uid);
  }

  #makerOf(object: KubeObject): PolicyRule | undefined {
    const key = this.#makerKey(object);
    return key === undefined ? undefined : this.#subjectOf(key);
  }

  #makerKey(object: KubeObject): string | undefined {
    const origin = originOf(object);
    return origin && JSON.stringify([`${origin.policyNamespace}/${origin.policy}`, origin.rule]);
  }

  #subjectOf(makerKey: string): PolicyRule | undefined {
    const [key = "", name] = JSON.parse(makerKey) as string[];
    const policy = this.#policies.get(key);
    const rule = policy?.rules.find((each) => each.name === name && each.synchronize);
    return policy === undefined || rule === undefined ? undefined : { policy, rule };
  }

  #do(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => {
        if (!this.#signal.aborted) this.#options.logger.error({ error: messageOf(error) }, "synchronizing failed");
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}

/** A target that the rule's own match wants is a trigger: its change is handled as one. */
function isOwnTrigger({ policy, rule }: PolicyRule, type: ServedType, object: KubeObject): boolean {
  return matchRule(policy, rule, { operation: "UPDATE", type, object, namespaceLabels: undefined }).matched;
}

function requestForPolicy({ apiVersion, kind, name, namespace, uid }: Policy): ChangeRequest {
  const metadata = { name, uid, ...(namespace === "" ? {} : { namespace }) };
  return requestForExisting({ apiVersion, kind, metadata }, kind === "Policy" ? POLICY : CLUSTER_POLICY);
}

function keyOf({ namespace, name }: Policy): string {
  return `${namespace}/${name}`;
}

function typeKey(type: ServedType): string {
  return `${apiVersionOf(type)}/${type.kind}`;
}
