import type { KubeObject } from "../resources/object.ts";
import { formatTarget, identityOf, type TargetIdentity } from "./build.ts";
import { isStale, oldestVersion } from "./change.ts";
import { originOf } from "./downstream.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";

/** The target with its maker, the UID of the trigger, and the version that created it. */
export type Creation = readonly [key: string, triggerUid: string, createdAt: string];

/** How far the history of one scope was read. */
export interface Reading {
  upTo: string;
}

/** What a checkpoint says of targets: `made` is all that was made up to `madeAfter` for changes that may come again. */
export interface CapturedCreations {
  madeAfter: string;
  made: Creation[];
}

/** What the cluster and the sources have come to when a checkpoint is captured. */
export interface CaptureState {
  /** The newest version that the cluster is known to have reached. */
  reached: string;
  /** Up to here every source was followed: a change before it comes again only if it is under way. */
  followedTo: string;
  /** The UIDs of objects whose changes are under way. */
  open: ReadonlySet<string>;
}

const MAX_MADE = 5_000;

/**
 * What was made, by this generator and those before it, as long as a restart may ask. With it, a checkpoint can say how far
 * all that was made is known, be old changes still under way: a restart has to ask the API server for what came later alone.
 */
export class CreationLog {
  readonly #made = new Map<string, { triggerUid: string; createdAt: string; isOwn: boolean }>();
  readonly #attempts = new Map<ChangeRequest, string>();
  readonly #readings = new Set<Reading>();

  /** Begins with what a checkpoint says. */
  resume(made: readonly Creation[]): void {
    for (const [key, triggerUid, createdAt] of made) this.#made.set(key, { triggerUid, createdAt, isOwn: false });
  }

  /** Until `end`, what was made after `upTo` may be unknown. */
  begin(upTo: string): Reading {
    const reading = { upTo };
    this.#readings.add(reading);
    return reading;
  }

  end(reading: Reading): void {
    this.#readings.delete(reading);
  }

  /** The change's target is about to be made. Until `settle`, it may have been made. */
  attempt(request: ChangeRequest): void {
    if (request.changedAt !== undefined) this.#attempts.set(request, request.changedAt);
  }

  settle(request: ChangeRequest): void {
    this.#attempts.delete(request);
  }

  /** Takes note of a target as it was created. @param isOwn by this generator, and none before it */
  note(target: KubeObject, isOwn: boolean): void {
    const key = creationKeyOf(target);
    const triggerUid = originOf(target)?.triggerUid ?? "";
    const createdAt = target.metadata.resourceVersion ?? "";
    if (key === undefined || this.#made.get(key)?.createdAt === createdAt) return; // noted when it was made
    this.#made.set(key, { triggerUid, createdAt, isOwn });
  }

  /** Whether a generator before this one is known to have made it after the change. */
  includes(key: string, changedAt: string): boolean {
    const found = this.#made.get(key);
    return found !== undefined && !found.isOwn && isStale(changedAt, found.createdAt);
  }

  /** What a checkpoint is to say now. What no restart can ask for any more is forgotten. */
  capture({ reached, followedTo, open }: CaptureState): CapturedCreations {
    for (const [key, { triggerUid, createdAt, isOwn }] of this.#made)
      if (!open.has(triggerUid) && (isOwn || isStale(createdAt, followedTo))) this.#made.delete(key);
    const made = [...this.#made].map(([key, { triggerUid, createdAt }]): Creation => [key, triggerUid, createdAt]);
    const unknown = [...this.#attempts.values(), ...[...this.#readings].map(({ upTo }) => upTo)];
    const madeAfter = oldestVersion([reached, ...unknown].filter((version) => version !== "")) ?? "";
    if (made.length <= MAX_MADE) return { madeAfter, made };
    made.sort(([, , a], [, , b]) => (isStale(a, b) ? -1 : 1));
    const kept = made.slice(0, MAX_MADE);
    const last = kept.at(-1)?.[2] ?? madeAfter;
    return { madeAfter: isStale(last, madeAfter) ? last : madeAfter, made: kept };
  }
}

/** What the target that the rule makes for the trigger is called in the log. */
export function creationKey({ policy, rule }: PolicyRule, target: TargetIdentity, triggerUid: string): string {
  return joinKey(target, [policy.namespace, policy.name, rule.name, triggerUid]);
}

/** The same for a target that was made. */
export function creationKeyOf(target: KubeObject): string | undefined {
  const origin = originOf(target);
  if (origin === undefined) return undefined;
  const { policyNamespace, policy, rule, triggerUid } = origin;
  return joinKey(identityOf(target), [policyNamespace, policy, rule, triggerUid]);
}

function joinKey(target: TargetIdentity, maker: readonly string[]): string {
  return [formatTarget(target), ...maker].join("/");
}
