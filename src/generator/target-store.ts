import { apiVersionOf } from "../resources/kinds.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../resources/object.ts";
import { type CloneOrder, identityOf, type TargetIdentity } from "./build.ts";
import { copyObject, isUpToDate } from "./clone.ts";
import type { CreationLog } from "./creation-log.ts";
import { CLONE_SOURCE_LABEL, downstreamSelector, ORPHAN_PATCH, type TargetQuery } from "./downstream.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import { parseKindSelector } from "./kind-selector.ts";
import { formatSelector, matchLabels } from "./label-selector.ts";
import type { OwnWrites } from "./own-writes.ts";
import { type Cluster, isApiError, type ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import { targetNamespaces } from "./sync-plan.ts";
import {
  CREATE,
  classifyError,
  missingSource,
  notServed,
  READ_SOURCE,
  REMOVE,
  type RefusedAction,
  retried,
  SYNCHRONIZE,
  scopeProblem,
  type TargetFailure,
} from "./target-failure.ts";

/** What writing a target came to. */
export type Written = "created" | "updated" | "exists already" | "is its own source";
/** A result, or the failure in words. */
export type Tried<T> = { done: T } | { failure: TargetFailure };

export interface TargetStoreOptions {
  cluster: Cluster;
  catalog: KindCatalog;
  ownWrites: OwnWrites;
  /** What was created is noted there. */
  creations: CreationLog;
  /** Called for each target that was created; the next waits for it. */
  onCreated?: (subject: PolicyRule, target: KubeObject, signal: AbortSignal) => Promise<void>;
}

const FIELD_MANAGER = "kyverno-generate";
/** Someone else may write a target at the same moment. */
const MAX_CONFLICTS = 3;

/** One try at what rules do to targets in the cluster. Methods reject only when `signal` aborts; all else is a failure. */
export class TargetStore {
  readonly #options: TargetStoreOptions;

  constructor(options: TargetStoreOptions) {
    this.#options = options;
  }

  /** Creates the target; one that exists is brought up to date where the rule synchronizes, else left as it is. */
  async put(subject: PolicyRule, target: KubeObject, signal: AbortSignal): Promise<Tried<Written>> {
    const identity = identityOf(target);
    const type = await this.#typeOf(identity, signal);
    if (type === undefined) return { failure: notServed(identity) };
    const problem = scopeProblem(type, identity);
    if (problem !== undefined) return { failure: problem };
    const { synchronize } = subject.rule;
    try {
      return { done: await this.#write(type, target, subject, signal) };
    } catch (error) {
      if (signal.aborted) throw error;
      return { failure: classifyError(error, type, identity, synchronize ? SYNCHRONIZE : CREATE) };
    }
  }

  /** Copies one object. */
  async clone(
    subject: PolicyRule,
    { target, source, labels }: Extract<CloneOrder, { type: "clone" }>,
    signal: AbortSignal,
  ): Promise<Tried<Written>> {
    if (source.namespace === target.namespace && source.name === target.name) return { done: "is its own source" };
    const type = await this.#typeOf(target, signal);
    if (type === undefined) return { failure: notServed(target) };
    try {
      const found = await this.#options.cluster.get(type, source, signal);
      if (found === undefined) return { failure: retried(missingSource(type, source)) };
      await this.#markSource(type, found, signal);
      return await this.put(subject, copyObject(found, type, target, labels), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const place = { ...target, ...source };
      return { failure: classifyError(error, type, place, READ_SOURCE) };
    }
  }

  /** The single copies that a list stands for. */
  async expand(
    { namespace, source, kinds, selector, labels }: Extract<CloneOrder, { type: "cloneList" }>,
    signal: AbortSignal,
  ): Promise<Tried<Extract<CloneOrder, { type: "clone" }>[]>> {
    if (namespace === source) return { done: [] };
    const orders: Extract<CloneOrder, { type: "clone" }>[] = [];
    for (const text of kinds) {
      const type = this.#namedType(text) ?? (await this.#refresh(signal, () => this.#namedType(text)));
      if (type === undefined)
        return { failure: retried(`generate.cloneList.kinds: ${text} is not served by this cluster`) };
      const identity = { apiVersion: apiVersionOf(type), kind: type.kind, namespace, name: "" };
      try {
        const options = { namespace: source, labelSelector: selector === undefined ? "" : formatSelector(selector) };
        for await (const { items } of this.#options.cluster.listPages(type, options, signal))
          for (const { metadata } of items) {
            if (selector !== undefined && !matchLabels(selector, metadata.labels ?? {})) continue;
            const { name = "" } = metadata;
            orders.push({ type: "clone", target: { ...identity, name }, source: { namespace: source, name }, labels });
          }
      } catch (error) {
        if (signal.aborted) throw error;
        return { failure: classifyError(error, type, { ...identity, namespace: source }, READ_SOURCE) };
      }
    }
    return { done: orders };
  }

  /** Deletes what a rule made and gives the names. @param types of the rule's targets */
  async remove(
    subject: PolicyRule,
    types: readonly ServedType[],
    query: TargetQuery,
    signal: AbortSignal,
  ): Promise<Tried<string[]>> {
    const { cluster, ownWrites } = this.#options;
    return this.#each(subject, types, query, REMOVE, signal, async (type, key, { metadata }) => {
      const { uid = "", deletionTimestamp } = metadata;
      if (deletionTimestamp !== undefined) return;
      ownWrites.willDelete(uid);
      await cluster.delete(type, key, { uid }, signal);
    });
  }

  /** Takes the labels off what a rule made, so that it belongs to no rule any more, and gives the names. */
  async orphan(subject: PolicyRule, types: readonly ServedType[], signal: AbortSignal): Promise<Tried<string[]>> {
    const { cluster, ownWrites } = this.#options;
    return this.#each(subject, types, {}, SYNCHRONIZE, signal, async (type, key, object) => {
      await ownWrites.during(type.kind, object, () => cluster.mergePatch(type, key, ORPHAN_PATCH, undefined, signal));
    });
  }

  async #each(
    subject: PolicyRule,
    types: readonly ServedType[],
    query: TargetQuery,
    action: RefusedAction,
    signal: AbortSignal,
    work: (type: ServedType, key: ObjectKey, object: KubeObject) => Promise<void>,
  ): Promise<Tried<string[]>> {
    const { cluster, catalog } = this.#options;
    const names: string[] = [];
    const labelSelector = downstreamSelector(subject.policy, subject.rule, query);
    const places = types.flatMap((type) =>
      targetNamespaces(subject, type, catalog).map((namespace) => ({ type, namespace })),
    );
    for (const { type, namespace } of places) {
      let key: ObjectKey = { namespace, name: "" };
      try {
        const scope = namespace === "" ? {} : { namespace };
        for await (const { items } of cluster.listPages(type, { ...scope, labelSelector }, signal))
          for (const object of items) {
            key = { namespace: object.metadata.namespace ?? "", name: object.metadata.name ?? "" };
            await work(type, key, object);
            names.push(`${type.kind}/${formatKey(key)}`);
          }
      } catch (error) {
        if (signal.aborted) throw error;
        return {
          failure: classifyError(error, type, { apiVersion: apiVersionOf(type), kind: type.kind, ...key }, action),
        };
      }
    }
    return { done: names };
  }

  async #write(type: ServedType, target: KubeObject, subject: PolicyRule, signal: AbortSignal): Promise<Written> {
    const { cluster, ownWrites } = this.#options;
    const { policy, rule } = subject;
    const { namespace, name } = identityOf(target);
    if (policy.serverSideApply) {
      const live = await cluster.get(type, { namespace, name }, signal);
      if (live !== undefined && !rule.synchronize) return "exists already";
      const options = { fieldManager: FIELD_MANAGER, force: true };
      const applied = await ownWrites.during(type.kind, target, () => cluster.apply(type, target, options, signal));
      return live === undefined ? this.#tellCreated(subject, applied, signal) : "updated";
    }
    try {
      return await this.#create(type, target, subject, signal);
    } catch (error) {
      if (!isApiError(error) || error.reason !== "AlreadyExists") throw error;
      return rule.synchronize ? await this.#overwrite(type, target, subject, signal) : "exists already";
    }
  }

  async #create(type: ServedType, target: KubeObject, subject: PolicyRule, signal: AbortSignal): Promise<"created"> {
    const { cluster, ownWrites } = this.#options;
    const created = await ownWrites.during(type.kind, target, () => cluster.create(type, target, signal));
    return this.#tellCreated(subject, created, signal);
  }

  async #tellCreated(subject: PolicyRule, target: KubeObject, signal: AbortSignal): Promise<"created"> {
    const { creations, onCreated } = this.#options;
    creations.note(target, true);
    await onCreated?.(subject, target, signal);
    return "created";
  }

  /** Replaces the whole object, as Kyverno does: what the rule does not say is gone. */
  async #overwrite(type: ServedType, target: KubeObject, subject: PolicyRule, signal: AbortSignal): Promise<Written> {
    const { cluster, ownWrites } = this.#options;
    const { namespace, name } = identityOf(target);
    for (let conflicts = 0; ; conflicts += 1) {
      const live = await cluster.get(type, { namespace, name }, signal);
      if (live === undefined) return this.#create(type, target, subject, signal);
      if (isUpToDate(live, target)) return "exists already";
      const { resourceVersion } = live.metadata;
      const next = { ...target, metadata: { ...target.metadata, resourceVersion } } as KubeObject;
      try {
        await ownWrites.during(type.kind, target, () => cluster.replace(type, next, signal));
        return "updated";
      } catch (error) {
        if (!isApiError(error) || error.reason !== "Conflict" || conflicts >= MAX_CONFLICTS) throw error;
      }
    }
  }

  /** The label by which changes of the source are watched. */
  async #markSource(type: ServedType, source: KubeObject, signal: AbortSignal): Promise<void> {
    const { labels = {}, namespace = "", name = "" } = source.metadata;
    if (labels[CLONE_SOURCE_LABEL] === "") return;
    const { cluster, ownWrites } = this.#options;
    const patch = { metadata: { labels: { [CLONE_SOURCE_LABEL]: "" } } };
    await ownWrites.during(type.kind, source, () =>
      cluster.mergePatch(type, { namespace, name }, patch, undefined, signal),
    );
  }

  #namedType(text: string): ServedType | undefined {
    const selector = parseKindSelector(text);
    return typeof selector === "string" ? undefined : this.#options.catalog.resolve(selector)[0];
  }

  async #typeOf({ apiVersion, kind }: TargetIdentity, signal: AbortSignal): Promise<ServedType | undefined> {
    const find = () => this.#options.catalog.find(apiVersion, kind);
    return find() ?? (await this.#refresh(signal, find));
  }

  async #refresh<T>(signal: AbortSignal, find: () => T): Promise<T> {
    try {
      await this.#options.catalog.refresh(signal);
    } catch (error) {
      if (signal.aborted) throw error;
    }
    return find();
  }
}
