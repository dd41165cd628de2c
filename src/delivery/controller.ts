/** Feeds reconcile.ts: watch events and wake-ups become keys in a queue, verdicts become waits. Started by app.ts. */
import { backoffMs } from "../control/backoff.ts";
import { Circuit } from "../control/circuit.ts";
import { Gate } from "../control/gate.ts";
import { WorkQueue } from "../control/work-queue.ts";
import { requestKey } from "../resources/message-requests.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import { Admission, type AdmissionRules } from "./admission.ts";
import type { MailServerState, MessageKey } from "./ports.ts";
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
  "templates" | "server" | "recording" | "circuit" | "admission" | "onServerBack"
>;

/** Keys that may wait for a worker before the watch is made to wait: each holds its message in memory. */
const QUEUE_CAPACITY = 256;

/** What is remembered of a message between attempts: 100,000 of them wait in little memory. */
interface Known {
  uid: string;
  /** The generation last offered: our own status writes must not wake it. */
  generation: number;
  /** What its annotations last asked for; they do not raise the generation. */
  requests: string;
  createdMs: number;
  state: "pending" | "failed";
  /** Why it waits. */
  reason?: string;
  /** Errors in a row while it was worked on. */
  errors: number;
}

/** How many messages are where, for the metrics. */
export interface Load {
  /** Waiting for a worker. */
  queued: number;
  /** In the hands of a worker. */
  active: number;
  /** Failed, and kept for people to read. */
  failed: number;
  /** Reason → messages that wait because of it. */
  waiting: Map<string, number>;
  /** Creation of the oldest message that is not at its end; undefined when there is none. */
  oldestPendingMs: number | undefined;
}

/** Works on every message it is told of until it is gone, Failed or parked. */
export class DeliveryController {
  readonly #options: ControllerOptions;
  readonly #ports: ReconcilePorts;
  readonly #queue: WorkQueue;
  readonly #waiting = new WaitingRoom();
  readonly #templates: TemplateStore;
  readonly #circuit: Circuit<ServerTrouble>;
  /** Objects of queued keys as the watch gave them, so that the first attempt needs no read. */
  readonly #seen = new Map<string, KubeObject>();
  /** Every message that is not gone. */
  readonly #known = new Map<string, Known>();
  #server: MailServerState = { problem: "the Secret of the mail server has not been read yet" };
  #probeTimer: NodeJS.Timeout | undefined;

  constructor(ports: ControllerPorts, options: ControllerOptions) {
    this.#options = options;
    this.#templates = new TemplateStore(options);
    this.#queue = new WorkQueue({ capacity: QUEUE_CAPACITY, now: ports.now });
    this.#circuit = new Circuit(ports.now);
    this.#ports = {
      ...ports,
      templates: this.#templates,
      server: () => this.#server,
      recording: new Gate(),
      circuit: this.#circuit,
      admission: new Admission(options, ports.now),
      onServerBack: () => this.#wake("server"),
    };
  }

  get load(): Load {
    const load: Load = {
      queued: this.#queue.depth,
      active: this.#queue.active,
      failed: 0,
      waiting: new Map(),
      oldestPendingMs: undefined,
    };
    for (const { state, reason, createdMs } of this.#known.values()) {
      if (state === "failed") load.failed += 1;
      else load.oldestPendingMs = Math.min(load.oldestPendingMs ?? createdMs, createdMs);
      if (state === "pending" && reason !== undefined) load.waiting.set(reason, (load.waiting.get(reason) ?? 0) + 1);
    }
    return load;
  }

  /** Takes keys until `stop` aborts, then finishes what is in hand; `abort` ends that too. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    await this.#queue.run(this.#options.workers, (id) => this.#work(id, abort), stop);
    clearTimeout(this.#probeTimer);
  }

  /** A message was listed, created or changed. Waits while the queue is full. */
  async offer(group: string, object: KubeObject, signal: AbortSignal): Promise<void> {
    const id = idOf(group, object);
    const { uid = "", generation = 0, creationTimestamp = "" } = object.metadata;
    const known = this.#known.get(id);
    const isSame = known?.uid === uid; // else it was deleted and created again while nobody watched
    const requests = requestKey(object);
    if (isSame && generation <= known.generation && requests === known.requests) return;
    if (isSame) Object.assign(known, { generation, requests });
    else {
      const createdMs = Date.parse(creationTimestamp) || this.#ports.now();
      this.#known.set(id, { uid, generation, requests, createdMs, state: "pending", errors: 0 });
      this.#ports.observe.received();
    }
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
    for (const id of this.#known.keys()) {
      const key = parseId(id);
      if (key.group !== group || (namespace !== "" && key.namespace !== namespace)) continue;
      if (!ids.has(formatKey(key))) this.#forget(id);
    }
  }

  setTemplate(object: KubeObject): void {
    if (!this.#templates.set(object)) return;
    this.#wake(templateTopic(object.metadata.namespace ?? "", object.metadata.name ?? ""));
  }

  deleteTemplate(object: KubeObject): void {
    this.#templates.delete(object);
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
    const calls = this.#waiting.calls;
    const seen = this.#seen.get(id);
    this.#seen.delete(id);
    try {
      const verdict = await reconcile(parseId(id), seen, this.#ports, this.#options, signal);
      this.#follow(id, verdict, calls);
    } catch (error) {
      if (!signal.aborted) this.#retryAfterError(id, error as Error);
    }
    this.#scheduleProbe();
  }

  #retryAfterError(id: string, { message: error }: Error): void {
    const known = this.#known.get(id);
    if (known === undefined) return; // deleted meanwhile
    known.errors += 1;
    const retryInMs = backoffMs(known.errors, { firstMs: 250, capMs: 60_000 });
    this.#ports.logger.error({ message: formatKey(parseId(id)), error, retryInMs }, "Cannot reconcile");
    this.#queue.addAfter(id, retryInMs);
  }

  #follow(id: string, verdict: Verdict, callsBefore: number): void {
    const known = this.#known.get(id);
    if (known === undefined) return; // deleted meanwhile
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

  #forget(id: string): void {
    this.#waiting.leave(id);
    this.#queue.forget(id);
    this.#seen.delete(id);
    this.#known.delete(id);
  }
}

function idOf(group: string, { metadata }: KubeObject): string {
  return `${group}|${metadata.namespace ?? ""}|${metadata.name ?? ""}`;
}

function parseId(id: string): MessageKey {
  const [group = "", namespace = "", name = ""] = id.split("|");
  return { group, namespace, name };
}
