import { Holdings } from "../control/holdings.ts";
import { pauseMs } from "../control/pause.ts";
import { planShards, shardsOf } from "../control/shards.ts";
import { LEASE } from "../resources/kinds.ts";
import { isConflict } from "./lease-lock.ts";
import { Seat, tenurePrefix } from "./seat.ts";
import type { ShardHandlers, ShardOptions } from "./shard-ports.ts";
import { GROUP_LABEL, ShardView } from "./shard-view.ts";
import { putOut, type ShardClient, TableWriter, tableName } from "./shard-writes.ts";
import { watchResource } from "./watch-resource.ts";

/** How often the time of others is looked at; it costs no request. */
const TICK_MS = 1_000;

/**
 * One replica's part in a group that shares out shards. Each replica renews one Lease, its seat; who owns which shard
 * stands in a table, one more Lease, that is written only when shards change hands. A shard belongs to the holder of a
 * seat as long as the seat names it, and no seat ever names the same holder again (docs/decisions/004).
 */
export class ShardMember {
  readonly #client: ShardClient;
  readonly #options: ShardOptions;
  readonly #handlers: ShardHandlers;
  readonly #view: ShardView;
  readonly #tableWriter: TableWriter;
  readonly #renewPeriodMs: number;
  #seat: Seat | undefined;
  #leaving = false;
  /** The watch has shown this replica in its seat. */
  #isSeen = false;
  readonly #holdings = new Holdings();
  /** Whether the last plan left nothing for this replica to take. */
  #isSettled = false;
  /** What does not work at the moment, by part. */
  readonly #troubles = new Map<"watch" | "seat" | "table", Error>();
  #poked = Promise.withResolvers<void>();

  constructor(client: ShardClient, options: ShardOptions, handlers: ShardHandlers) {
    this.#client = client;
    this.#options = options;
    this.#handlers = handlers;
    this.#view = new ShardView(tableName(options.name));
    this.#tableWriter = new TableWriter(client, options);
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
    return this.#isHeld() ? this.#holdings.size : 0;
  }

  /**
   * What names the stretch of time for which the shard is this replica's, by this process' monotonic clock and without
   * asking the server; undefined when it is not. A process that was paused sees the loss before its timers have run; and
   * what was begun in one stretch must not go on in the next: others have had the shard meanwhile. Ask before every effect.
   */
  tenureOf(shard: number): symbol | undefined {
    return this.#isHeld() ? this.#holdings.tenureOf(shard) : undefined;
  }

  /** Whether work on the shard is to be begun. */
  takes(shard: number): boolean {
    return this.#holdings.takes(shard);
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
    await this.#seat?.renew(AbortSignal.timeout(this.#renewPeriodMs)).catch(() => undefined); // said again later
    this.#poke();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { namespace, name, leaseDurationMs, watchSilenceMs } = this.#options;
    // Renewals are seen more often than that: a replica that hears nothing knows no longer who is alive.
    const silenceMs = Math.min(leaseDurationMs, watchSilenceMs);
    await watchResource(
      this.#client,
      LEASE,
      { namespace, labelSelector: `${GROUP_LABEL}=${name}`, silenceMs },
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

  async #renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seat = this.#seat;
      try {
        if ((await seat?.renew(signal)) === false && this.#seat === seat) this.#loseSeat();
        this.#note("seat", undefined);
      } catch (error) {
        if (!signal.aborted) this.#note("seat", error as Error);
      }
      this.#settle();
      const remainingMs = seat?.isHeld() ? seat.remainingMs() : Infinity;
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
    const own = tenurePrefix(this.#options.identity);
    const isPredecessor = (holder: string) => holder.startsWith(own) && holder !== this.#seat?.id;
    const dead = new Set([...this.#view.expired(performance.now()), ...this.#view.ofPredecessors(isPredecessor)]);
    await Promise.all([...dead].map((lease) => putOut(this.#client, lease, signal)));
  }

  async #takeSeat(signal: AbortSignal): Promise<void> {
    const { namespace, name, identity, shards, leaseDurationMs } = this.#options;
    const wish = () => ({ shards, leaving: this.#leaving });
    for (const seat of this.#view.freeSeats(name, shards)) {
      this.#seat = await Seat.take(
        this.#client,
        { namespace, group: name, identity, leaseDurationMs, wish },
        seat,
        signal,
      );
      if (this.#seat !== undefined) return;
    }
  }

  async #plan(signal: AbortSignal): Promise<void> {
    const seat = this.#seat;
    if (seat === undefined || !this.#isHeld()) return;
    const { table, members } = this.#view;
    const plan = planShards(table, members, seat.id, this.#holdings.drained);
    this.#isSettled = plan.next === undefined && members.some(({ id }) => id === seat.id);
    this.#drain(plan.give);
    if (plan.next !== undefined) await this.#tableWriter.write(this.#view.tableLease, plan.next, signal);
  }

  #drain(shards: number[]): void {
    const { begun, finish } = this.#holdings.drain(shards);
    if (begun.length === 0) return;
    this.#handlers.onChange(false);
    for (const shard of begun) {
      this.#handlers.idle(shard).then(() => {
        finish(shard);
        this.#poke();
      });
    }
  }

  /** Follows table and seat: what is this replica's now. */
  #settle(): void {
    const { table = [], members } = this.#view;
    const id = this.#seat?.id ?? "";
    if (members.some((member) => member.id === id)) this.#isSeen = true;
    else if (this.#isSeen) this.#loseSeat(); // the others see it too, and may take the shards from now on
    const rows = new Set(this.#seat === undefined ? [] : shardsOf(table, id));
    const { gained, lost } = this.#holdings.follow(rows, this.#isHeld());
    if (!gained && !lost) return;
    this.#isSettled = false;
    this.#handlers.onChange(gained);
    if (lost) this.#handlers.onState({ phase: "lost" });
    this.#tell();
  }

  #loseSeat(): void {
    this.#seat = undefined;
    this.#isSeen = false;
  }

  #isHeld(): boolean {
    return this.#seat?.isHeld() ?? false;
  }

  #note(part: "watch" | "seat" | "table", error: Error | undefined): void {
    if (error === undefined) this.#troubles.delete(part);
    else this.#troubles.set(part, error);
    this.#tell();
  }

  #tell(): void {
    const { name, shards } = this.#options;
    const [error] = this.#troubles.values();
    if (error !== undefined) this.#handlers.onState({ phase: "retrying", error });
    else if (this.held > 0) this.#handlers.onState({ phase: "working" });
    else if (this.#leaving || !this.#view.isSynced) return;
    else if (this.#seat === undefined && this.#view.freeSeats(name, shards).length === 0)
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
    this.#loseSeat();
    try {
      await seat?.release();
    } catch (error) {
      this.#handlers.onState({ phase: "retrying", error: error as Error });
    }
  }
}
