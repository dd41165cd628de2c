import { randomBytes } from "node:crypto";
import type { Member } from "../control/shards.ts";
import { type LeaseClient, LeaseLock } from "./lease-lock.ts";
import { GROUP_LABEL, wishAnnotations } from "./shard-view.ts";

export interface SeatOptions {
  namespace: string;
  /** Of the group of replicas. */
  group: string;
  /** Of this process among those that live. */
  identity: string;
  leaseDurationMs: number;
  /** What this replica tells the others, read at each renewal. */
  wish(): Pick<Member, "shards" | "leaving">;
}

/** One tenure of one of the group's seats: a Lease that this replica renews, under a name that is never used again. */
export class Seat {
  /** The Lease's holder. */
  readonly id: string;
  readonly #lock: LeaseLock;

  private constructor(id: string, lock: LeaseLock) {
    this.id = id;
    this.#lock = lock;
  }

  /** Takes the seat `name` where it is free; undefined where another was faster. @throws KubeError, or `signal`'s reason */
  static async take(
    client: LeaseClient,
    { namespace, group, identity, leaseDurationMs, wish }: SeatOptions,
    name: string,
    signal: AbortSignal,
  ): Promise<Seat | undefined> {
    const id = `${tenurePrefix(identity)}${randomBytes(4).toString("hex")}`;
    const lock = new LeaseLock(client, {
      namespace,
      name,
      identity: id,
      leaseDurationMs,
      renewDeadlineMs: Math.ceil((leaseDurationMs * 2) / 3),
      metadata: () => ({ labels: { [GROUP_LABEL]: group }, annotations: wishAnnotations(wish()) }),
    });
    const { held } = await lock.acquire(signal);
    return held ? new Seat(id, lock) : undefined;
  }

  /** By this process' monotonic clock, without asking the server. */
  isHeld(): boolean {
    return this.#lock.isHeld();
  }

  remainingMs(): number {
    return this.#lock.remainingMs();
  }

  /**
   * Renews the seat, however late: it is still this replica's if nobody has put it out, and then no shard of it has
   * changed hands. False when the tenure is over for good.
   */
  async renew(signal: AbortSignal): Promise<boolean> {
    return (await this.#lock.renew(signal)).held;
  }

  /** Gives the seat back, so that the others need not wait until it expires. */
  async release(): Promise<void> {
    if (this.#lock.isHeld()) await this.#lock.release();
  }
}

/** What all tenures of one replica's name begin with. */
export function tenurePrefix(identity: string): string {
  return `${identity}_`;
}
