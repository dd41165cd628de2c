/** Feeds reconcile.ts: watch events and wake-ups become keys in a queue, verdicts become waits. Started by app.ts. */
import { backoffMs } from "../control/backoff.ts";
import { Circuit } from "../control/circuit.ts";
import { Gate } from "../control/gate.ts";
import { limitedSignal } from "../control/limited-signal.ts";
import { hashOf } from "../control/shards.ts";
import { Shelf } from "../control/shelf.ts";
import { WorkQueue } from "../control/work-queue.ts";
import { formatKey, type KubeObject, type ObjectMeta } from "../resources/object.ts";
import { Admission, type AdmissionRules } from "./admission.ts";
import { Backlog, type Load } from "./backlog.ts";
import { Freshness, type Origin } from "./freshness.ts";
import type { MailServerState, MessageKey, Shards } from "./ports.ts";
import { type ReconcileOptions, type ReconcilePorts, reconcile, type Verdict } from "./reconcile.ts";
import { type Topic, templateTopic } from "./schedule.ts";
import type { ServerTrouble } from "./send.ts";
import { type TemplateOptions, TemplateStore } from "./templates.ts";
import { WaitingRoom } from "./waiting-room.ts";

export interface ControllerOptions extends ReconcileOptions, TemplateOptions, AdmissionRules {
  /** Messages worked on at the same time. */
  workers: number;
}

export type ControllerPorts = Omit<
  ReconcilePorts,
  "templates" | "server" | "recording" | "circuit" | "admission" | "onServerBack" | "isHeld"
> & { shards: Shards };

/**
 * Messages that are held in memory for the workers before the watch is made to wait. Keys that wait without theirs do not
 * count: when 100,000 of them wake, the watch goes on.
 */
const SHELF_CAPACITY = 256;

/** Works on every message of its shards that it is told of until it is gone, Failed or parked. */
export class DeliveryController {
  readonly #options: ControllerOptions;
  readonly #ports: Omit<ReconcilePorts, "isHeld"> & { shards: Shards };
  readonly #queue: WorkQueue;
  readonly #waiting = new WaitingRoom();
  readonly #templates: TemplateStore;
  readonly #circuit: Circuit<ServerTrouble>;
  /** Objects of queued keys as the watch gave them, so that the first attempt needs no read. */
  readonly #seen = new Shelf<KubeObject>(SHELF_CAPACITY);
  readonly #backlog = new Backlog();
  readonly #freshness: Freshness;
  /** What a worker has in hand: its shard's hash, and when it is put down. */
  readonly #inHand = new Map<string, { hash: number; done: Promise<void> }>();
  #server: MailServerState = { problem: "the Secret of the mail server has not been read yet" };
  #probeTimer: NodeJS.Timeout | undefined;

  constructor(ports: ControllerPorts, options: ControllerOptions) {
    this.#options = options;
    this.#templates = new TemplateStore(options);
    this.#queue = new WorkQueue({ now: ports.now });
    this.#circuit = new Circuit(ports.now);
    this.#freshness = new Freshness(ports);
    this.#ports = {
      ...ports,
      templates: this.#templates,
      server: () => this.#server,
      recording: new Gate(),
      circuit: this.#circuit,
      admission: new Admission(options, ports),
      onServerBack: () => this.#wake("server"),
    };
  }

  get load(): Load {
    return this.#backlog.load(this.#queue.depth, this.#queue.active);
  }

  /** How often shards have come so far: for the {@link Origin} of a list that begins now. */
  get gains(): number {
    return this.#freshness.gains;
  }

  /** Takes keys until `stop` aborts, then finishes what is in hand; `abort` ends that too. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    await this.#queue.run(this.#options.workers, (id) => this.#work(id, abort), stop);
    clearTimeout(this.#probeTimer);
  }

  /** What `metadata` alone tells of a message that was created or changed. Returns false where it is to be offered: there is work. */
  glance(group: string, metadata: ObjectMeta): boolean {
    const id = idOf(group, metadata);
    const news = this.#backlog.newsOf(id, metadata);
    if (news === "none") return true;
    if (this.#ports.shards.takes(hashOf(metadata.uid ?? ""))) return false;
    this.#backlog.see(id, metadata, this.#ports.now());
    return true;
  }

  /** A message was listed, created or changed. Returns a promise where the next is to wait: too many are held in memory. */
  offer(group: string, object: KubeObject, origin: Origin, signal: AbortSignal): Promise<void> | undefined {
    const id = idOf(group, object.metadata);
    const { known, news } = this.#backlog.see(id, object.metadata, this.#ports.now());
    if (news === "none" || !this.#ports.shards.takes(known.hash)) return undefined;
    if (news === "new") this.#ports.observe.received();
    known.state = "pending";
    this.#waiting.leave(id);
    if (!this.#queue.isActive(id) && this.#freshness.isFresh(object, origin)) this.#seen.put(id, object);
    this.#queue.add(id);
    return this.#seen.isFull ? this.#seen.room(signal) : undefined;
  }

  /**
   * Other shards are this replica's now: takes up the messages of those that came and lets go of the others; what is in
   * hand of them goes on. `gained`: some came, so that `signal` is needed to find out what can be trusted.
   */
  resettle(gained: boolean, signal: AbortSignal): void {
    if (gained) void this.#freshness.renew(signal);
    for (const [id, known] of this.#backlog.entries()) {
      const isMine = this.#ports.shards.takes(known.hash);
      if (isMine === (known.state !== "foreign")) continue;
      known.errors = 0;
      known.state = isMine ? "pending" : "foreign";
      if (isMine) this.#queue.add(id);
      else this.#putDown(id);
    }
  }

  /** Resolves when nothing is in hand of the messages whose hash `concerns`. */
  async idle(concerns: (hash: number) => boolean): Promise<void> {
    await Promise.all([...this.#inHand.values()].flatMap(({ hash, done }) => (concerns(hash) ? [done] : [])));
  }

  /** A message was deleted by somebody, or by us. */
  withdraw(group: string, metadata: ObjectMeta): void {
    this.#forget(idOf(group, metadata));
  }

  /** A new list of `namespace` ("" for all) ended: what it did not hold is gone. */
  retain(group: string, namespace: string, ids: ReadonlySet<string>): void {
    for (const [id] of this.#backlog.entries()) {
      const key = parseId(id);
      if (key.group !== group || (namespace !== "" && key.namespace !== namespace)) continue;
      if (!ids.has(formatKey(key))) this.#forget(id);
    }
  }

  setTemplate(object: KubeObject): void {
    if (!this.#templates.set(object)) return;
    this.#wake(templateTopic(object.metadata.namespace ?? "", object.metadata.name ?? ""));
  }

  deleteTemplate(metadata: ObjectMeta): void {
    this.#templates.delete(metadata);
  }

  retainTemplates(namespace: string, names: ReadonlySet<string>): void {
    this.#templates.retain(namespace, names);
  }

  /** Why the templates of `namespace` ("" for all) cannot be read at the moment; undefined when they can again. */
  setTemplateTrouble(namespace: string, trouble: string | undefined): void {
    this.#templates.setTrouble(namespace, trouble);
  }

  /** The Secret was read: a new version gets a new chance at once. */
  setServer(state: MailServerState): void {
    const before = "server" in this.#server ? this.#server.server.version : undefined;
    this.#server = state;
    if ("server" in state && state.server.version === before) return;
    this.#circuit.close();
    this.#wake("server");
  }

  async #work(id: string, signal: AbortSignal): Promise<void> {
    const hash = this.#backlog.get(id)?.hash;
    if (hash === undefined || !this.#ports.shards.takes(hash)) return; // gone, or another replica's
    const done = this.#attempt(id, hash, signal).finally(() => this.#inHand.delete(id));
    this.#inHand.set(id, { hash, done });
    await done;
  }

  async #attempt(id: string, hash: number, signal: AbortSignal): Promise<void> {
    const { shards } = this.#ports;
    const tenure = shards.tenureOf(hash);
    const isHeld = () => tenure !== undefined && shards.tenureOf(hash) === tenure;
    const calls = this.#waiting.calls;
    const seen = this.#seen.take(id);
    using own = limitedSignal(signal);
    try {
      const verdict = await reconcile(parseId(id), seen, { ...this.#ports, isHeld }, this.#options, own.signal);
      this.#follow(id, verdict, calls);
    } catch (error) {
      if (!signal.aborted) this.#retryAfterError(id, error as Error);
    }
    this.#scheduleProbe();
  }

  #retryAfterError(id: string, { message: error }: Error): void {
    const known = this.#backlog.get(id);
    if (known === undefined || known.state === "foreign") return; // deleted or another replica's meanwhile
    known.errors += 1;
    const retryInMs = backoffMs(known.errors, { firstMs: 250, capMs: 60_000 });
    this.#ports.logger.error({ message: formatKey(parseId(id)), error, retryInMs }, "Cannot reconcile");
    this.#queue.addAfter(id, retryInMs);
  }

  #follow(id: string, verdict: Verdict, callsBefore: number): void {
    const known = this.#backlog.get(id);
    if (known === undefined || known.state === "foreign") return; // deleted or another replica's meanwhile
    known.errors = 0;
    switch (verdict.kind) {
      case "gone":
        return; // the watch's own Deleted event forgets the key, so that a late event cannot bring it back
      case "failed":
        known.state = "failed";
        this.#queue.addAfter(id, verdict.removeInMs);
        return;
      case "waiting":
        known.state = "pending";
        known.reason = verdict.reason;
        this.#park(id, verdict, callsBefore);
        return;
      default:
        verdict satisfies never;
    }
  }

  #park(id: string, { wait, deadlineInMs }: Extract<Verdict, { kind: "waiting" }>, callsBefore: number): void {
    const { topics, retryInMs = Number.POSITIVE_INFINITY } = wait;
    if (topics.some((topic) => this.#waiting.calledSince(topic, callsBefore))) {
      this.#queue.add(id); // what it waits for came while its status was being written
      return;
    }
    this.#waiting.park(id, topics);
    this.#queue.addAfter(id, Math.min(retryInMs, deadlineInMs));
  }

  #wake(topic: Topic): void {
    for (const id of this.#waiting.callAll(topic)) this.#queue.add(id);
  }

  /** While the server's circuit is open, one of the messages behind it is sent ahead when the time for a probe comes. */
  #scheduleProbe(): void {
    const inMs = this.#circuit.probeInMs;
    if (inMs === undefined || this.#probeTimer !== undefined || this.#waiting.count("server") === 0) return;
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = undefined;
      const id = this.#waiting.takeFirst("server");
      if (id !== undefined) this.#queue.add(id);
    }, inMs);
  }

  #putDown(id: string): void {
    this.#waiting.leave(id);
    this.#queue.forget(id);
    this.#seen.take(id);
  }

  #forget(id: string): void {
    this.#putDown(id);
    this.#backlog.delete(id);
  }
}

function idOf(group: string, { namespace = "", name = "" }: ObjectMeta): string {
  return `${group}|${namespace}|${name}`;
}

function parseId(id: string): MessageKey {
  const [group = "", namespace = "", name = ""] = id.split("|");
  return { group, namespace, name };
}
