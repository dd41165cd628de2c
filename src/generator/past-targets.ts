import type { Logger } from "../observe/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import { formatTarget, identityOf, type TargetIdentity } from "./build.ts";
import { isStale } from "./change.ts";
import { originOf } from "./downstream.ts";
import { messageOf } from "./errors.ts";
import type { LabelScope } from "./labelled-source.ts";
import type { OwnWrites } from "./own-writes.ts";
import { isApiError, type ReadHistory, type ServedType } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";
import type { PlannedSource } from "./sync-plan.ts";

export interface PastTargetsOptions {
  history: ReadHistory;
  ownWrites: OwnWrites;
  logger: Logger;
}

/**
 * What was made before a restart and is not in the checkpoint yet. A change whose target was made is not generated again, be
 * the target consumed and deleted since: the API server still remembers that it was created.
 */
export class PastTargets {
  readonly #options: PastTargetsOptions;
  readonly #signal: AbortSignal;
  /** By target and maker, the version of its creation. */
  readonly #created = new Map<string, string>();
  #read: Promise<unknown> | undefined;

  constructor(options: PastTargetsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Begins to read what was made after a version. */
  read(since: string, sources: readonly PlannedSource[]): void {
    const queries = sources.flatMap(({ type, scopes }) => scopes.map((scope) => ({ type, scope })));
    this.#read = Promise.all(queries.map(({ type, scope }) => this.#readScope(since, type, scope)));
  }

  /** Whether the rule made the target for this change, or a later one of the same object, before the restart. */
  async includes(subject: PolicyRule, request: ChangeRequest, target: TargetIdentity): Promise<boolean> {
    const { changedAt } = request;
    if (changedAt === undefined || subject.rule.synchronize || this.#read === undefined) return false;
    await this.#read;
    const { policy, rule } = subject;
    const { uid = "" } = request.object.metadata;
    const createdAt = this.#created.get(keyOf(target, [policy.namespace, policy.name, rule.name, uid]));
    return createdAt !== undefined && isStale(changedAt, createdAt);
  }

  async #readScope(since: string, type: ServedType, { namespace, labelSelector }: LabelScope): Promise<void> {
    const { history, ownWrites, logger } = this.#options;
    const query = { resourceVersion: since, labelSelector, ...(namespace === "" ? {} : { namespace }) };
    try {
      for (const object of await history(type, query, this.#signal)) {
        this.#note(object);
        ownWrites.note(object);
      }
    } catch (error) {
      if (this.#signal.aborted) return;
      const isGone = isApiError(error) && error.code === 410;
      const why = isGone ? "the API server does not remember what was created since the checkpoint" : messageOf(error);
      logger.warn(
        { kind: type.kind, error: why },
        "cannot tell what was made before the restart, it may be made twice",
      );
    }
  }

  #note(object: KubeObject): void {
    const origin = originOf(object);
    if (origin === undefined) return;
    const { policyNamespace, policy, rule, triggerUid } = origin;
    const key = keyOf(identityOf(object), [policyNamespace, policy, rule, triggerUid]);
    this.#created.set(key, object.metadata.resourceVersion ?? "");
  }
}

function keyOf(target: TargetIdentity, maker: readonly string[]): string {
  return [formatTarget(target), ...maker].join("/");
}
