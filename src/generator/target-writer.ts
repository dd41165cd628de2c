import { setTimeout as pause } from "node:timers/promises";
import { backoffMs } from "../control/backoff.ts";
import type { Logger } from "../observe/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import { formatTarget, identityOf } from "./build.ts";
import type { FailurePlace, FailureRecord } from "./failure-record.ts";
import type { KindCatalog } from "./kind-catalog.ts";
import type { OwnWrites } from "./own-writes.ts";
import { type Cluster, isApiError } from "./ports.ts";
import type { PolicyRule } from "./reach.ts";
import { type ChangeRequest, triggerKey } from "./request.ts";
import { classifyCreateError, notServed, type TargetFailure } from "./target-failure.ts";

const MAX_TRIES = 5;
const BACKOFF = { firstMs: 1_000, capMs: 60_000 };
const MAX_RETRYING = 1_000;

/** One object to create, and why. */
export interface Generation {
  subject: PolicyRule;
  request: ChangeRequest;
  target: KubeObject;
}

export interface TargetWriterOptions {
  cluster: Cluster;
  catalog: KindCatalog;
  ownWrites: OwnWrites;
  failures: FailureRecord;
  logger: Logger;
}

/** Creates targets. What fails is told at once and tried again, a bounded number of times, beside the events that follow. */
export class TargetWriter {
  readonly #options: TargetWriterOptions;
  readonly #retrying = new Set<Promise<void>>();

  constructor(options: TargetWriterOptions) {
    this.#options = options;
  }

  /** Resolves after the first try. Rejects only when `signal` aborts. */
  async write(generation: Generation, signal: AbortSignal): Promise<void> {
    const failure = await this.#create(generation, signal);
    if (failure === undefined) return;
    await this.#tell(generation, failure, 1, signal);
    if (!failure.retry || this.#retrying.size >= MAX_RETRYING) return;
    const retries = this.#retry(generation, failure, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    this.#retrying.add(retries);
    void retries.finally(() => this.#retrying.delete(retries));
  }

  /** Resolves when no retry is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#retrying);
  }

  async #retry(generation: Generation, first: TargetFailure, signal: AbortSignal): Promise<void> {
    let failure = first;
    for (let tries = 2; tries <= MAX_TRIES; tries += 1) {
      await pause(Math.max(failure.retryAfterMs, backoffMs(tries - 1, BACKOFF)), undefined, { signal });
      const next = await this.#create(generation, signal);
      if (next === undefined) return this.#options.failures.succeeded(placeOf(generation), signal);
      failure = next;
      await this.#tell(generation, failure, tries, signal);
      if (!failure.retry) return;
    }
  }

  async #create({ subject, request, target }: Generation, signal: AbortSignal): Promise<TargetFailure | undefined> {
    const { cluster, catalog, ownWrites, logger } = this.#options;
    const identity = identityOf(target);
    const facts = { target: formatTarget(identity), ...factsOf(subject, request), type: "data" };
    const type = catalog.find(identity.apiVersion, identity.kind) ?? (await this.#rediscover(identity, signal));
    if (type === undefined) return notServed(identity);
    if (type.namespaced !== (identity.namespace !== ""))
      return { message: scopeProblem(identity.kind, type.namespaced), retry: false, retryAfterMs: 0 };
    try {
      await ownWrites.during(type.kind, target, () => cluster.create(type, target, signal));
      logger.info(facts, "created generate target resource");
    } catch (error) {
      if (signal.aborted) throw error;
      if (!isApiError(error) || error.reason !== "AlreadyExists") return classifyCreateError(error, type, identity);
      logger.debug(facts, "generate target resource exists already");
    }
    return undefined;
  }

  async #rediscover({ apiVersion, kind }: { apiVersion: string; kind: string }, signal: AbortSignal) {
    const { catalog, logger } = this.#options;
    try {
      await catalog.refresh(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      logger.warn({ error: (error as Error).message }, "cannot read what the cluster serves");
    }
    return catalog.find(apiVersion, kind);
  }

  async #tell({ subject, request, target }: Generation, failure: TargetFailure, tries: number, signal: AbortSignal) {
    const willRetry = failure.retry && tries < MAX_TRIES;
    this.#options.logger.error(
      {
        target: formatTarget(identityOf(target)),
        ...factsOf(subject, request),
        error: failure.message,
        tries,
        willRetry,
      },
      "failed to create generate target resource",
    );
    await this.#options.failures.failed(placeOf({ subject, request, target }), failure.message, tries, signal);
  }
}

function placeOf({ subject, request, target }: Generation): FailurePlace {
  return { subject, request, target: formatTarget(identityOf(target)) };
}

function scopeProblem(kind: string, namespaced: boolean): string {
  return namespaced
    ? `${kind} is namespaced: generate.namespace must say where it is created`
    : `${kind} is cluster-scoped: generate.namespace must be left out`;
}

/** What every line about a rule and an event carries. */
export function factsOf({ policy, rule }: PolicyRule, request: ChangeRequest): Record<string, string> {
  const name = policy.namespace === "" ? policy.name : `${policy.namespace}/${policy.name}`;
  return { policy: name, rule: rule.name, trigger: triggerKey(request), operation: request.operation };
}
