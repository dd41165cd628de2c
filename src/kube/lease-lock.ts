import { LEASE } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../resources/object.ts";
import type { KubeClient } from "./client.ts";
import { KubeError } from "./kube-error.ts";
import { microTime } from "./micro-time.ts";

export interface LeaseLockOptions {
  namespace: string;
  name: string;
  /** Who holds it: unique for each process, such as the pod's name and UID. */
  identity: string;
  /** How long others wait after the last renewal they saw. */
  leaseDurationMs: number;
  /** How long this holder goes on without a renewal, less than the duration. */
  renewDeadlineMs: number;
  /** Written with each claim. */
  metadata?(): Pick<KubeObject["metadata"], "labels" | "annotations">;
}

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export type LeaseClient = Pick<KubeClient, "get" | "create" | "replace">;
export type Attempt = { held: true } | { held: false; holder: string };

/** One Lease as a lock, with client-go's record: every write carries the resourceVersion, so that one writer wins. */
export class LeaseLock {
  readonly #client: LeaseClient;
  readonly #options: LeaseLockOptions;
  /** As last read or written; its resourceVersion guards the next write. */
  #lease: KubeObject | undefined;
  #observedSpec = "";
  /** When this process first saw that spec. Expiry counts from here: the clocks of other machines do not matter. */
  #observedAt = 0;
  /** When the last successful renewal was begun; others cannot have seen it earlier. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(client: LeaseClient, options: LeaseLockOptions) {
    this.#client = client;
    this.#options = options;
  }

  isHeld(): boolean {
    return this.remainingMs() > 0;
  }

  /** By this process' monotonic clock, without asking the server: until the last renewal is older than the deadline. */
  remainingMs(): number {
    return this.#renewedAt + this.#options.renewDeadlineMs - performance.now();
  }

  /** Nothing is held from now on, whatever the server says. */
  forget(): void {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
  }

  /** Takes the lease where it is free or has expired, renews it where it is held. @throws KubeError, or `signal`'s reason */
  acquire(signal: AbortSignal): Promise<Attempt> {
    return this.#try((lease) => !this.#belongsToAnother(lease), signal);
  }

  /** Renews the lease if it still names this holder, however late; never takes it anew. @throws as {@link acquire} */
  renew(signal: AbortSignal): Promise<Attempt> {
    return this.#try((lease) => specOf(lease).holderIdentity === this.#options.identity, signal);
  }

  /** Gives the lease back, so that others need not wait until it expires. @throws KubeError when it cannot be written */
  async release(): Promise<void> {
    this.forget();
    const limit = AbortSignal.timeout(Math.ceil(this.#options.renewDeadlineMs / 2));
    while (!(await this.#writeRelease(limit)));
  }

  async #try(mayWrite: (lease: KubeObject | undefined) => boolean, signal: AbortSignal): Promise<Attempt> {
    // A hanging request must leave time for another before the deadline.
    const limitMs = Math.min(this.#options.renewDeadlineMs / 2, this.isHeld() ? this.remainingMs() : Infinity);
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(limitMs))]);
    try {
      return await this.#write(mayWrite, bounded);
    } catch (error) {
      if (!isConflict(error)) throw error;
      this.#lease = undefined;
      return await this.#write(mayWrite, bounded); // someone wrote in between: look who, once
    }
  }

  async #write(mayWrite: (lease: KubeObject | undefined) => boolean, signal: AbortSignal): Promise<Attempt> {
    const startedAt = performance.now();
    const lease = (this.isHeld() ? this.#lease : undefined) ?? (await this.#read(signal));
    if (!mayWrite(lease)) {
      this.forget();
      return { held: false, holder: specOf(lease).holderIdentity ?? "" };
    }
    const written = await (lease === undefined
      ? this.#client.create(LEASE, this.#claim(undefined), signal)
      : this.#client.replace(LEASE, this.#claim(lease), signal));
    this.#observe(written);
    this.#renewedAt = startedAt;
    return { held: true };
  }

  async #read(signal: AbortSignal): Promise<KubeObject | undefined> {
    const lease = await this.#client.get(LEASE, this.#key(), signal);
    if (lease !== undefined) this.#observe(lease);
    return lease;
  }

  #observe(lease: KubeObject): void {
    const spec = JSON.stringify(specOf(lease));
    this.#lease = lease;
    if (spec === this.#observedSpec) return;
    this.#observedSpec = spec;
    this.#observedAt = performance.now();
  }

  #belongsToAnother(lease: KubeObject | undefined): boolean {
    const { holderIdentity = "", leaseDurationSeconds = 0 } = specOf(lease);
    if (holderIdentity === "" || holderIdentity === this.#options.identity) return false;
    return performance.now() < this.#observedAt + leaseDurationSeconds * 1000;
  }

  #claim(lease: KubeObject | undefined): KubeObject {
    const { identity, leaseDurationMs, metadata } = this.#options;
    const { labels, annotations } = metadata?.() ?? {};
    const base = lease ?? newLease(this.#key());
    return {
      ...base,
      metadata: {
        ...base.metadata,
        ...(labels !== undefined && { labels: { ...base.metadata.labels, ...labels } }),
        ...(annotations !== undefined && { annotations: { ...base.metadata.annotations, ...annotations } }),
      },
      spec: claimOf(specOf(lease), lease !== undefined, identity, leaseDurationMs),
    };
  }

  /** False when someone wrote in between: mostly the renewal that was under way when the work ended. */
  async #writeRelease(signal: AbortSignal): Promise<boolean> {
    const lease = this.#lease ?? (await this.#read(signal));
    if (lease === undefined || specOf(lease).holderIdentity !== this.#options.identity) return true;
    try {
      this.#observe(await this.#client.replace(LEASE, freed(lease), signal));
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      this.#lease = undefined;
      return false;
    }
  }

  #key(): ObjectKey {
    return { namespace: this.#options.namespace, name: this.#options.name };
  }
}

function claimOf(before: LeaseSpec, isThere: boolean, identity: string, leaseDurationMs: number): LeaseSpec {
  const now = microTime();
  const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = before;
  const isMine = holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
    acquireTime: isMine ? acquireTime : now,
    renewTime: now,
    leaseTransitions: isMine || !isThere ? leaseTransitions : leaseTransitions + 1,
  };
}

export function newLease(key: ObjectKey): KubeObject {
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { ...key } };
}

/** `lease` without a holder, as client-go writes it. */
export function freed(lease: KubeObject): KubeObject {
  const now = microTime();
  const released = { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
  return { ...lease, spec: { ...specOf(lease), ...released } };
}

export function specOf(lease: KubeObject | undefined): LeaseSpec {
  return (lease?.["spec"] ?? {}) as LeaseSpec;
}

export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.code === 409;
}
