import { randomBytes } from "node:crypto";
import { pauseMs } from "../control/pause.ts";
import { planShards, type ShardTable, shardsOf } from "../control/shards.ts";
import { LEASE } from "../resources/kinds.ts";
import type { KubeClient } from "./client.ts";
import { freed, isConflict, LeaseLock, newLease } from "./lease-lock.ts";
import { GROUP_LABEL, ShardView, tableAnnotations, wishAnnotations } from "./shard-view.ts";
import { watchResource } from "./watch-resource.ts";

export interface ShardOptions {
  namespace: string;
  /** Of the group: its Leases are `<name>-shards` (the table) and `<name>-0` … (a seat for each replica). */
  name: string;
  /** Of this process among those that live: a process of the same name is taken for its successor. */
  identity: string;
  /** Into how many shards the work is divided, and how many replicas can take part. */
  shards: number;
  /** How long the others wait for a replica that is silent. */
  leaseDurationMs: number;
}

/**
 * `standby`: this replica has no share, and is well. `lost`: its shards may be another's, because the Lease was not
 * renewed in time. `retrying`: the Leases cannot be read or written now.
 */
export type ShardState =
  | { phase: "working" | "lost" }
  | { phase: "standby"; why: string }
  | { phase: "retrying"; error: Error };

export interface ShardHandlers {
  /** What {@link ShardMember.takes} says has changed; `gained`: it now says yes where it said no. */
  onChange(gained: boolean): void;
  /** Resolves when nothing of that shard is in hand. Asked after {@link ShardMember.takes} has begun to say no. */
  idle(shard: number): Promise<void>;
  /** Told often: at each change, at each look at the Leases, and for each error. */
  onState(state: ShardState): void;
}

type Client = Pick<KubeClient, "get" | "create" | "replace" | "listPages" | "openWatch">;

/** The watch carries this replica's own renewals, so that a longer silence is a broken connection. */
const WATCH_SILENCE_MS = 60_000;
/** How often the time of others is looked at; it costs no request. */
const TICK_MS = 1_000;

/**
 * One replica's part in a group that shares out shards. Each replica renews one Lease, its seat; who owns which shard
 * stands in a table, one more Lease, that is written only when shards change hands. A shard belongs to the holder of a
 * seat as long as the seat names it, and no seat ever names the same holder again (docs/decisions/004).
 */
export class ShardMember {
  readonly #client: Client;
  readonly #options: ShardOptions;
  readonly #handlers: ShardHandlers;
  readonly #view: ShardView;
  readonly #renewPeriodMs: number;
  #seat: { id: string; lock: LeaseLock } | undefined;
  #leaving = false;
  /** Mine, those that are being given away included. */
  #owned = new Set<number>();
  /** Being given away: nothing new is begun. The token tells one giving away from the next. */
  readonly #draining = new Map<number, symbol>();
  /** Given away, and not yet seen to be free in the table. */
  readonly #drained = new Set<number>();
  /** Whether the last plan left nothing for this replica to take. */
  #isSettled = false;
  /** What does not work at the moment, by part. */
  readonly #troubles = new Map<"watch" | "seat" | "table", Error>();
  #poked = Promise.withResolvers<void>();
  /** The table's version when it was last written to: nothing is planned before the watch has brought another. */
  #wrote: { over: string | undefined; atMs: number } | undefined;

  constructor(client: Client, options: ShardOptions, handlers: ShardHandlers) {
    this.#client = client;
    this.#options = options;
    this.#handlers = handlers;
    this.#view = new ShardView(`${options.name}-shards`);
    this.#renewPeriodMs = Math.ceil(options.leaseDurationMs / 5);
  }

  /** The number of shards in use; 0 before that is known. */
  get count(): number {
    return this.#view.table?.length ?? 0;
  }

  /** The numbers of shards that the replicas were configured with; more than one where they differ. */
  get configured(): number[] {
    return [...new Set(this.#view.members.map(({ shards }) => shards))];
  }

  /** How many shards this replica works on. */
  get held(): number {
    return this.#isHeld() ? this.#owned.size : 0;
  }

  /**
   * Whether the shard is this replica's now, by this process' monotonic clock and without asking the server. A process
   * that was paused sees the loss before its timers have run; ask it before every effect.
   */
  holds(shard: number): boolean {
    return this.#owned.has(shard) && this.#isHeld();
  }

  /** Whether work on the shard is to be begun. */
  takes(shard: number): boolean {
    return this.#owned.has(shard) && !this.#draining.has(shard);
  }

  /** Takes part until `signal` aborts; then gives its seat back. @throws what a handler threw */
  async run(signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const end = AbortSignal.any([signal, ending.signal]);
    try {
      await Promise.all([this.#watch(end), this.#renew(end), this.#work(end)]);
    } finally {
      ending.abort();
      await this.#release();
    }
  }

  /** Gives its shards away, each as soon as nothing of it is in hand. */
  async leave(): Promise<void> {
    this.#leaving = true;
    await this.#seat?.lock.renew(AbortSignal.timeout(this.#renewPeriodMs)).catch(() => undefined); // said again later
    this.#poke();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { namespace, name, leaseDurationMs } = this.#options;
    await watchResource(
      this.#client,
      LEASE,
      { namespace, labelSelector: `${GROUP_LABEL}=${name}`, silenceMs: Math.min(leaseDurationMs, WATCH_SILENCE_MS) },
      {
        onEvent: (event) => {
          if (!this.#view.apply(event)) return;
          this.#settle();
          this.#poke();
        },
        onState: (state) => {
          this.#view.follow(state);
          this.#note("watch", state.phase === "retrying" ? state.error : undefined);
        },
      },
      signal,
    );
  }

  /** Keeps the seat. After a silence it is still this replica's if nobody has put it out: then nothing has changed hands. */
  async #renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seat = this.#seat;
      try {
        const attempt = await seat?.lock.renew(signal);
        if (attempt?.held === false) this.#seat = undefined;
        this.#note("seat", undefined);
      } catch (error) {
        if (!signal.aborted) this.#note("seat", error as Error);
      }
      this.#settle();
      const remainingMs = seat?.lock.isHeld() ? seat.lock.remainingMs() : Infinity;
      await pauseMs(Math.min(this.#renewPeriodMs, remainingMs), signal).catch(() => undefined);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#poked = Promise.withResolvers<void>();
      try {
        await this.#turn(signal);
        this.#note("table", undefined);
      } catch (error) {
        if (signal.aborted) return;
        if (!isConflict(error)) {
          this.#note("table", error as Error);
          await pauseMs(TICK_MS, signal).catch(() => undefined);
        } // else another was faster, and the watch brings what it wrote
      }
      await Promise.race([this.#poked.promise, pauseMs(TICK_MS, signal).catch(() => undefined)]);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (!this.#view.isSynced) return;
    await this.#putOut(signal);
    if (this.#seat === undefined && !this.#leaving) await this.#takeSeat(signal);
    await this.#plan(signal);
  }

  /** Ends the tenure of holders that are dead. Their next renewal fails, so that they see it if they were only slow. */
  async #putOut(signal: AbortSignal): Promise<void> {
    const own = `${this.#options.identity}_`;
    const isPredecessor = (holder: string) => holder.startsWith(own) && holder !== this.#seat?.id;
    const dead = new Set([...this.#view.expired(performance.now()), ...this.#view.ofPredecessors(isPredecessor)]);
    for (const lease of dead) {
      await this.#client.replace(LEASE, freed(lease), signal).catch((error) => {
        if (!isConflict(error)) throw error; // renewed, or put out by another
      });
    }
  }

  async #takeSeat(signal: AbortSignal): Promise<void> {
    const { namespace, name, identity, shards, leaseDurationMs } = this.#options;
    for (const seat of this.#freeSeats()) {
      const id = `${identity}_${randomBytes(4).toString("hex")}`;
      const lock = new LeaseLock(this.#client, {
        namespace,
        name: seat,
        identity: id,
        leaseDurationMs,
        renewDeadlineMs: Math.ceil((leaseDurationMs * 2) / 3),
        metadata: () => ({
          labels: { [GROUP_LABEL]: name },
          annotations: wishAnnotations({ shards, leaving: this.#leaving }),
        }),
      });
      const { held } = await lock.acquire(signal);
      if (!held) continue;
      this.#seat = { id, lock };
      return;
    }
  }

  #freeSeats(): string[] {
    const { name, shards } = this.#options;
    const seats = Array.from({ length: shards }, (_, index) => `${name}-${index}`);
    return seats.filter((seat) => !this.#view.isTaken(seat));
  }

  async #plan(signal: AbortSignal): Promise<void> {
    const seat = this.#seat;
    if (seat === undefined || !this.#isHeld()) return;
    const { table, members } = this.#view;
    const plan = planShards(table, members, seat.id, this.#drained);
    this.#isSettled = plan.next === undefined && members.some(({ id }) => id === seat.id);
    this.#drain(plan.give);
    if (plan.next !== undefined) await this.#write(plan.next, signal);
  }

  #drain(shards: number[]): void {
    const begun = shards.filter((shard) => this.takes(shard));
    if (begun.length === 0) return;
    const token = Symbol();
    for (const shard of begun) this.#draining.set(shard, token);
    this.#handlers.onChange(false);
    for (const shard of begun) {
      this.#handlers.idle(shard).then(() => {
        if (this.#draining.get(shard) !== token) return; // lost meanwhile
        this.#draining.delete(shard);
        this.#owned.delete(shard);
        this.#drained.add(shard);
        this.#poke();
      });
    }
  }

  async #write(table: ShardTable, signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    const lease = this.#view.tableLease;
    const over = lease?.metadata.resourceVersion;
    const isUnseen = this.#wrote?.over === over && performance.now() < (this.#wrote?.atMs ?? 0) + TICK_MS;
    if (isUnseen) return;
    this.#wrote = { over, atMs: performance.now() };
    const { metadata, ...rest } = lease ?? newLease({ namespace, name: `${name}-shards` });
    const labels = { ...metadata.labels, [GROUP_LABEL]: name };
    const annotations = { ...metadata.annotations, ...tableAnnotations(table) };
    const next = { ...rest, metadata: { ...metadata, labels, annotations } };
    await (lease === undefined ? this.#client.create(LEASE, next, signal) : this.#client.replace(LEASE, next, signal));
  }

  /** Follows table and seat: what is this replica's now. */
  #settle(): void {
    const table = this.#view.table ?? [];
    const rows = new Set(this.#seat === undefined ? [] : shardsOf(table, this.#seat.id));
    for (const shard of this.#drained) if (!rows.has(shard)) this.#drained.delete(shard);
    const now = new Set(this.#isHeld() ? [...rows].filter((shard) => !this.#drained.has(shard)) : []);
    const before = this.#owned;
    this.#owned = now;
    for (const shard of this.#draining.keys()) if (!now.has(shard)) this.#draining.delete(shard);
    const gained = [...now].some((shard) => !before.has(shard));
    const lost = [...before].some((shard) => !now.has(shard));
    if (!gained && !lost) return;
    this.#isSettled = false;
    this.#handlers.onChange(gained);
    if (lost) this.#handlers.onState({ phase: "lost" });
    this.#tell();
  }

  #isHeld(): boolean {
    return this.#seat?.lock.isHeld() ?? false;
  }

  #note(part: "watch" | "seat" | "table", error: Error | undefined): void {
    if (error === undefined) this.#troubles.delete(part);
    else this.#troubles.set(part, error);
    this.#tell();
  }

  #tell(): void {
    const [error] = this.#troubles.values();
    if (error !== undefined) this.#handlers.onState({ phase: "retrying", error });
    else if (this.held > 0) this.#handlers.onState({ phase: "working" });
    else if (this.#leaving || !this.#view.isSynced) return;
    else if (this.#seat === undefined && this.#freeSeats().length === 0)
      this.#handlers.onState({ phase: "standby", why: "there are as many replicas as shards" });
    else if (this.#isSettled && this.#isHeld())
      this.#handlers.onState({ phase: "standby", why: "the other replicas have all shards still" });
  }

  #poke(): void {
    this.#poked.resolve();
  }

  /** What cannot be given back expires by itself; the others wait a little longer. */
  async #release(): Promise<void> {
    const seat = this.#seat;
    this.#seat = undefined;
    try {
      if (seat?.lock.isHeld()) await seat.lock.release();
    } catch (error) {
      this.#handlers.onState({ phase: "retrying", error: error as Error });
    }
  }
}
