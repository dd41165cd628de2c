import { backoffMs } from "../control/backoff.ts";
import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { TargetIdentity } from "./build.ts";
import { isStale } from "./change.ts";
import { type CreationLog, creationKey, creationKeyOf, type Reading } from "./creation-log.ts";
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
  creations: CreationLog;
  ownWrites: OwnWrites;
  logger: Logger;
}

const BACKOFF = { firstMs: 500, capMs: 10_000 };

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
  readonly #asked = new Map<string, PastCreations>();
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
      const asked = new PastCreations();
      const kind = kindOf(apiVersionOf(type), type.kind);
      this.#asked.set(kind, asked);
      this.#reminded.add(kind);
      const reads = scopes.map((scope) => this.#readScope(after, type, scope, asked));
      void Promise.all(reads).then(() => asked.complete());
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
    const key = creationKey(subject, target, request.object.metadata.uid ?? "");
    if (this.#options.creations.includes(key, changedAt)) return true;
    return this.#asked.get(kindOf(target.apiVersion, target.kind))?.find(key, changedAt) ?? false;
  }

  /** Whether it happened when this generator was at work already, and none before it. */
  #isLater(version: string): boolean {
    return this.#until !== "" && !isStale(version, this.#until);
  }

  /** Reads again where the API server gives no answer: only what it has forgotten, or does not let us see, stays unknown. */
  async #readScope(after: string, type: ServedType, scope: LabelScope, asked: PastCreations): Promise<void> {
    const { creations, logger } = this.#options;
    const reading = creations.begin(after);
    for (let tries = 1; !this.#signal.aborted; tries += 1) {
      try {
        await this.#readOn(reading, type, scope, asked);
        return creations.end(reading);
      } catch (error) {
        if (this.#signal.aborted) return;
        if (isApiError(error) && error.code >= 400 && error.code < 500 && error.code !== 429) {
          this.#tell(type, error);
          return creations.end(reading);
        }
        logger.debug({ kind: type.kind, error: messageOf(error) }, "cannot read what was made, trying again");
        await pauseMs(backoffMs(tries, BACKOFF), this.#signal).catch(() => undefined); // asked above
      }
    }
  }

  /** What comes after the time in doubt says that all before has come: the end of the history need not be waited for. */
  async #readOn(reading: Reading, type: ServedType, scope: LabelScope, asked: PastCreations): Promise<void> {
    const { history, creations, ownWrites } = this.#options;
    for await (const { type: what, object } of history(type, queryOf(reading.upTo, scope), this.#signal)) {
      const version = object.metadata.resourceVersion ?? "";
      if (this.#isLater(version)) return;
      const key = what === "created" ? creationKeyOf(object) : undefined;
      if (key !== undefined) {
        ownWrites.note(object);
        creations.note(object, false);
        asked.note(key, version);
      }
      reading.upTo = version;
    }
  }

  async #readToEnd(after: string, type: ServedType, scope: LabelScope): Promise<void> {
    try {
      for await (const _ of this.#options.history(type, queryOf(after, scope), this.#signal));
    } catch {
      // it was asked for, and a failure will be told when the answer matters
    }
  }

  #tell({ kind }: ServedType, error: Error & { code: number }): void {
    const isGone = error.code === 410;
    const why = isGone ? "the API server does not remember what was created since the checkpoint" : error.message;
    this.#options.logger.warn(
      { kind, error: why },
      "cannot tell what was made before the restart, it may be made twice",
    );
  }
}

function queryOf(after: string, { namespace, labelSelector }: LabelScope) {
  return { resourceVersion: after, labelSelector, ...(namespace === "" ? {} : { namespace }) };
}

function kindOf(apiVersion: string, kind: string): string {
  return `${apiVersion}/${kind}`;
}
