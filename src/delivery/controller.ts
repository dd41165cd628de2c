/** Feeds reconcile.ts: watch events and wake-ups become keys in a queue, verdicts become waits. Started by app.ts. */
import { backoffMs } from "../control/backoff.ts";
import { Circuit } from "../control/circuit.ts";
import { Gate } from "../control/gate.ts";
import { WorkQueue } from "../control/work-queue.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import type { MailServerState, MessageKey } from "./ports.ts";
import { type ReconcileOptions, type ReconcilePorts, reconcile, type Verdict } from "./reconcile.ts";
import { type Topic, templateTopic } from "./schedule.ts";
import type { ServerTrouble } from "./send.ts";
import { TemplateStore } from "./templates.ts";
import { WaitingRoom } from "./waiting-room.ts";

export interface ControllerOptions extends ReconcileOptions {
  /** Messages worked on at the same time. */
  workers: number;
}

export type ControllerPorts = Omit<ReconcilePorts, "templates" | "server" | "recording" | "circuit" | "onServerBack">;

/** Keys that may wait for a worker before the watch is made to wait: each holds its message in memory. */
const QUEUE_CAPACITY = 256;

/** Works on every message it is told of until it is gone, Failed or parked. */
export class DeliveryController {
  readonly #options: ControllerOptions;
  readonly #ports: ReconcilePorts;
  readonly #queue: WorkQueue;
  readonly #waiting = new WaitingRoom();
  readonly #templates = new TemplateStore();
  readonly #circuit: Circuit<ServerTrouble>;
  /** Objects of queued keys as the watch gave them, so that the first attempt needs no read. */
  readonly #seen = new Map<string, KubeObject>();
  /** The generation last worked on of each key that is not gone: our own status writes must not wake it. */
  readonly #generations = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  #server: MailServerState = { problem: "the Secret of the mail server has not been read yet" };
  #probeTimer: NodeJS.Timeout | undefined;

  constructor(ports: ControllerPorts, options: ControllerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ capacity: QUEUE_CAPACITY, now: ports.now });
    this.#circuit = new Circuit(ports.now);
    this.#ports = {
      ...ports,
      templates: this.#templates,
      server: () => this.#server,
      recording: new Gate(),
      circuit: this.#circuit,
      onServerBack: () => this.#wake("server"),
    };
  }

  /** Messages that wait for a worker, and those in hand. */
  get load(): { queued: number; active: number } {
    return { queued: this.#queue.depth, active: this.#queue.active };
  }

  /** Takes keys until `stop` aborts, then finishes what is in hand; `abort` ends that too. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    await this.#queue.run(this.#options.workers, (id) => this.#work(id, abort), stop);
    clearTimeout(this.#probeTimer);
  }

  /** A message was listed, created or changed. Waits while the queue is full. */
  async offer(group: string, object: KubeObject, signal: AbortSignal): Promise<void> {
    const id = idOf(group, object);
    const generation = object.metadata.generation ?? 0;
    const known = this.#generations.get(id);
    if (known !== undefined && generation <= known) return;
    if (known === undefined) this.#ports.observe.received();
    this.#generations.set(id, generation);
    this.#waiting.leave(id);
    if (!this.#queue.isActive(id)) this.#seen.set(id, object);
    this.#queue.add(id);
    await this.#queue.room(signal);
  }

  /** A message was deleted by somebody, or by us. */
  withdraw(group: string, object: KubeObject): void {
    this.#forget(idOf(group, object));
  }

  /** A new list of `namespace` ("" for all) ended: what it did not hold is gone. */
  retain(group: string, namespace: string, ids: ReadonlySet<string>): void {
    for (const id of this.#generations.keys()) {
      const key = parseId(id);
      if (key.group !== group || (namespace !== "" && key.namespace !== namespace)) continue;
      if (!ids.has(formatKey(key))) this.#forget(id);
    }
  }

  setTemplate(object: KubeObject): void {
    this.#templates.set(object);
    this.#wake(templateTopic(object.metadata.namespace ?? "", object.metadata.name ?? ""));
  }

  deleteTemplate(object: KubeObject): void {
    this.#templates.delete(object);
  }

  retainTemplates(namespace: string, names: ReadonlySet<string>): void {
    this.#templates.retain(namespace, names);
  }

  setTemplateTrouble(trouble: string | undefined): void {
    this.#templates.setTrouble(trouble);
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
    const calls = this.#waiting.calls;
    const seen = this.#seen.get(id);
    this.#seen.delete(id);
    try {
      const verdict = await reconcile(parseId(id), seen, this.#ports, this.#options, signal);
      this.#errors.delete(id);
      this.#follow(id, verdict, calls);
    } catch (error) {
      if (signal.aborted) return;
      const attempt = (this.#errors.get(id) ?? 0) + 1;
      this.#errors.set(id, attempt);
      const retryInMs = backoffMs(attempt, { firstMs: 250, capMs: 60_000 });
      const { group: _, ...key } = parseId(id);
      this.#ports.logger.error(
        { message: formatKey(key), error: (error as Error).message, retryInMs },
        "Cannot reconcile",
      );
      this.#queue.addAfter(id, retryInMs);
    }
    this.#scheduleProbe();
  }

  #follow(id: string, verdict: Verdict, callsBefore: number): void {
    switch (verdict.kind) {
      case "gone":
        return; // the watch's own Deleted event forgets the key, so that a late event cannot bring it back
      case "failed":
        this.#queue.addAfter(id, verdict.removeInMs);
        return;
      case "waiting": {
        const { topics, retryInMs } = verdict.wait;
        if (topics.some((topic) => this.#waiting.calledSince(topic, callsBefore))) {
          this.#queue.add(id); // what it waits for came while its status was being written
          return;
        }
        this.#waiting.park(id, topics);
        this.#queue.addAfter(id, Math.min(retryInMs ?? Number.POSITIVE_INFINITY, verdict.deadlineInMs));
        return;
      }
      default:
        verdict satisfies never;
    }
  }

  #wake(topic: Topic): void {
    for (const id of this.#waiting.call(topic)) this.#queue.add(id);
  }

  /** While the server's circuit is open, one of the messages behind it is sent ahead when the time for a probe comes. */
  #scheduleProbe(): void {
    const inMs = this.#circuit.probeInMs;
    if (inMs === undefined || this.#probeTimer !== undefined || this.#waiting.count("server") === 0) return;
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = undefined;
      for (const id of this.#waiting.call("server", 1)) this.#queue.add(id);
    }, inMs);
  }

  #forget(id: string): void {
    this.#waiting.leave(id);
    this.#queue.forget(id);
    this.#seen.delete(id);
    this.#errors.delete(id);
    this.#generations.delete(id);
  }
}

function idOf(group: string, { metadata }: KubeObject): string {
  return `${group}|${metadata.namespace ?? ""}|${metadata.name ?? ""}`;
}

function parseId(id: string): MessageKey {
  const [group = "", namespace = "", name = ""] = id.split("|");
  return { group, namespace, name };
}
