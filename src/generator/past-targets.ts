import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { formatTarget, identityOf, type TargetIdentity } from "./build.ts";
import { isStale } from "./change.ts";
import { originOf } from "./downstream.ts";
import { messageOf } from "./errors.ts";
import type { LabelScope } from "./labelled-source.ts";
import type { OwnWrites } from "./own-writes.ts";
import { PastCreations } from "./past-creations.ts";
import { isApiError, type ReadHistory, type ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { PlannedSource } from "./sync-plan.ts";

export interface PastTargetsOptions {
  history: ReadHistory;
  ownWrites: OwnWrites;
  logger: Logger;
}

/** The versions between which a generator before this one may have made what its checkpoint does not say. */
export interface DoubtfulTime {
  after: string;
  /** The cluster had come so far when this generator began; "" where that is not known. */
  until: string;
}

/**
 * What was made before a restart and is not in the checkpoint yet. A change whose target was made is not generated again, be
 * the target consumed and deleted since: the API server still remembers that it was created.
 */
export class PastTargets {
  readonly #options: PastTargetsOptions;
  readonly #signal: AbortSignal;
  readonly #creations = new Map<string, PastCreations>();
  readonly #reminded = new Set<string>();
  #until = "";

  constructor(options: PastTargetsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Begins to read what was made, by kind. */
  read({ after, until }: DoubtfulTime, sources: readonly PlannedSource[]): void {
    this.#until = until;
    for (const { type, scopes } of sources) {
      const creations = new PastCreations();
      const kind = kindOf(apiVersionOf(type), type.kind);
      this.#creations.set(kind, creations);
      this.#reminded.add(kind);
      const reads = scopes.map((scope) => this.#readScope(after, type, scope, creations));
      void Promise.all(reads).then(() => creations.complete());
    }
  }

  /**
   * Has the API server remember from now on what is made: of a kind that nobody has asked for yet it remembers nothing, and
   * later not what was before.
   */
  remind(since: string, sources: readonly PlannedSource[]): void {
    for (const { type, scopes } of sources) {
      const kind = kindOf(apiVersionOf(type), type.kind);
      if (this.#reminded.has(kind)) continue;
      this.#reminded.add(kind);
      for (const scope of scopes) void this.#readToEnd(since, type, scope);
    }
  }

  /** Whether the rule made the target for this change, or a later one of the same object, before the restart. */
  includes(subject: PolicyRule, request: ChangeRequest, target: TargetIdentity): boolean | Promise<boolean> {
    const { changedAt } = request;
    if (changedAt === undefined || subject.rule.synchronize || this.#isLater(changedAt)) return false;
    const { policy, rule } = subject;
    const { uid = "" } = request.object.metadata;
    const key = keyOf(target, [policy.namespace, policy.name, rule.name, uid]);
    return this.#creations.get(kindOf(target.apiVersion, target.kind))?.includes(key, changedAt) ?? false;
  }

  /** Whether it happened when this generator was at work already, and none before it. */
  #isLater(version: string): boolean {
    return this.#until !== "" && !isStale(version, this.#until);
  }

  /** What comes after the time in doubt says that all before has come: the end of the history need not be waited for. */
  async #readScope(after: string, type: ServedType, scope: LabelScope, creations: PastCreations): Promise<void> {
    const { history, ownWrites } = this.#options;
    try {
      for await (const { type: what, object } of history(type, queryOf(after, scope), this.#signal)) {
        if (this.#isLater(object.metadata.resourceVersion ?? "")) return;
        if (what === "changed") continue;
        ownWrites.note(object);
        noteIn(creations, object);
      }
    } catch (error) {
      this.#tell(type, error);
    }
  }

  async #readToEnd(after: string, type: ServedType, scope: LabelScope): Promise<void> {
    try {
      for await (const _ of this.#options.history(type, queryOf(after, scope), this.#signal));
    } catch {
      // it was asked for, and a failure will be told when the answer matters
    }
  }

  #tell({ kind }: ServedType, error: unknown): void {
    if (this.#signal.aborted) return;
    const isGone = isApiError(error) && error.code === 410;
    const why = isGone ? "the API server does not remember what was created since the checkpoint" : messageOf(error);
    this.#options.logger.warn(
      { kind, error: why },
      "cannot tell what was made before the restart, it may be made twice",
    );
  }
}

function queryOf(after: string, { namespace, labelSelector }: LabelScope) {
  return { resourceVersion: after, labelSelector, ...(namespace === "" ? {} : { namespace }) };
}

function noteIn(creations: PastCreations, object: KubeObject): void {
  const origin = originOf(object);
  if (origin === undefined) return;
  const { policyNamespace, policy, rule, triggerUid } = origin;
  const key = keyOf(identityOf(object), [policyNamespace, policy, rule, triggerUid]);
  creations.note(key, object.metadata.resourceVersion ?? "");
}

function kindOf(apiVersion: string, kind: string): string {
  return `${apiVersion}/${kind}`;
}

function keyOf(target: TargetIdentity, maker: readonly string[]): string {
  return [formatTarget(target), ...maker].join("/");
}
