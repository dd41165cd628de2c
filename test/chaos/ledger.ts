/** What happened, as the SMTP server, the API server's watch and the faults tell it. Pure; verdict.ts judges it. */
import type { KubeObject } from "../../src/resources/object.ts";
import type { Sample } from "./messages.ts";
import type { DotAnswer, SmtpEvent } from "./smtp-script.ts";

/** One MAIL FROM and what came of it. Times are milliseconds since the epoch. */
export interface Transaction {
  id: number;
  /** The replica and its incarnation, such as `replica-2.4`. */
  client: string;
  /** The phase that ran when it began. */
  phase: string;
  beganAt: number;
  /** Recipients that the server took. */
  to: string[];
  /** When it ended without a final dot. */
  overAt?: number;
  /** Absent while it is open, and for ever where the client went away before its final dot. */
  dot?: { answer: DotAnswer; code?: number; at: number; messageId: string };
}

/** Something that may keep a replica from recording what it sent. */
export interface Disturbance {
  phase: string;
  /** For people: `kill -9 replica-2.4`. */
  what: string;
  clients: string[];
  from: number;
  /** Until then nothing could be recorded; the cure takes a moment. */
  curedFrom: number;
  /** When all was well again; infinite for the dead. */
  until: number;
}

/** One row of `status.conditions`, as it stands in the cluster. */
export interface SeenCondition {
  addresses: string[];
  reason: string;
}

/** How a message ended: deleted (the last status that was seen), or Failed and kept. */
export interface End {
  end: "deleted" | "failed";
  conditions: SeenCondition[];
  phase: string;
  /** Nobody saw its last status: it went while the watch was away. */
  unseen?: true;
}

export class Ledger {
  readonly samples = new Map<string, Sample>();
  readonly transactions = new Map<number, Transaction>();
  readonly disturbances: Disturbance[] = [];
  /** Message name → its end; absent while it has none. */
  readonly ends = new Map<string, End>();
  /** Message name → the last reason it waits for. */
  readonly waiting = new Map<string, string>();
  /** Address → when its delivery was first seen recorded in a status, or at the latest when its message was gone. */
  readonly recordedAt = new Map<string, number>();
  /** The one that runs now. */
  phase = "";
  readonly #owners = new Map<string, Sample>();
  readonly #refusals = new Map<string, Set<number>>();
  readonly #moved = new Map<string, Set<string>>();
  readonly #created = new Set<string>();
  readonly #lastSeen = new Map<string, KubeObject>();

  create(sample: Sample): void {
    this.samples.set(sample.name, sample);
    for (const address of sample.tasks.flat()) this.#owners.set(address, sample);
  }

  smtp(event: SmtpEvent): void {
    if (event.type === "begin") {
      const { id, client, at } = event;
      this.transactions.set(id, { id, client, phase: this.phase, beganAt: at, to: [] });
      return;
    }
    const transaction = this.transactions.get(event.id);
    if (transaction === undefined) throw new Error(`Cannot go on with transaction ${event.id}: it never began`);
    if (event.type === "recipient") {
      if (event.code === undefined) transaction.to.push(event.address);
      else this.#refuse(event.address, event.code);
    } else if (event.type === "over") {
      transaction.overAt = event.at;
    } else {
      const { answer, messageId, at, code } = event;
      transaction.dot = { answer, messageId, at, ...(code !== undefined && { code }) };
      if (isAcceptance(answer)) this.#move(this.ownerOf(transaction.to[0] ?? ""));
    }
  }

  /** The watch showed a message as it is now. */
  saw(object: KubeObject, at: number): void {
    const { name = "" } = object.metadata;
    const { phase, conditions } = statusOf(object);
    this.#lastSeen.set(name, object);
    for (const { addresses, reason } of conditions) {
      if (reason !== "Delivered") continue;
      for (const address of addresses) this.#record(address, at);
    }
    if (phase === "Failed") this.#end(name, { end: "failed", phase, conditions });
    const waits = conditions.find(({ reason }) => reason !== "Delivered")?.reason;
    if (phase === "Processing") this.waiting.set(name, waits ?? "no reason");
  }

  /** The watch showed a deletion, with the object's last state; without it where a list lacked the message. */
  gone(name: string, object: KubeObject | undefined, at: number): void {
    if (object !== undefined) this.saw(object, at);
    for (const address of this.samples.get(name)?.tasks.flat() ?? []) this.#record(address, at);
    const { phase, conditions } = statusOf(object ?? this.#lastSeen.get(name));
    this.#end(name, { end: "deleted", phase, conditions, ...(object === undefined && { unseen: true }) });
  }

  /** The API server has answered that the message is created. */
  confirm(name: string): void {
    this.#created.add(name);
  }

  /** Messages that were created and are not known to be gone. */
  present(): string[] {
    return [...this.#created].filter((name) => this.ends.get(name)?.end !== "deleted");
  }

  disturb(disturbance: Disturbance): Disturbance {
    this.disturbances.push(disturbance);
    return disturbance;
  }

  ownerOf(address: string): Sample | undefined {
    return this.#owners.get(address);
  }

  /** Reply codes with which the server refused this recipient. */
  refusalsOf(address: string): ReadonlySet<number> {
    return this.#refusals.get(address) ?? new Set();
  }

  /** Messages of a phase that have come as far as a mail that the server took, or to their end. */
  progressOf(phase: string): number {
    return this.#moved.get(phase)?.size ?? 0;
  }

  openIn(phase: string): string[] {
    return [...this.samples.values()].flatMap(({ name, phase: of }) =>
      of === phase && !this.ends.has(name) ? [name] : [],
    );
  }

  #record(address: string, at: number): void {
    if (!this.recordedAt.has(address)) this.recordedAt.set(address, at);
  }

  #move(sample: Sample | undefined): void {
    if (sample === undefined) return;
    const names = this.#moved.get(sample.phase) ?? new Set();
    this.#moved.set(sample.phase, names.add(sample.name));
  }

  #end(name: string, end: End): void {
    this.ends.set(name, end);
    this.#move(this.samples.get(name));
  }

  #refuse(address: string, code: number): void {
    const codes = this.#refusals.get(address) ?? new Set();
    this.#refusals.set(address, codes.add(code));
  }
}

/** Whether the mail is with the server, whatever the client was told. */
export function isAcceptance(answer: DotAnswer): boolean {
  return answer === "accepted" || answer === "lost";
}

function statusOf(object: KubeObject | undefined): { phase: string; conditions: SeenCondition[] } {
  const { phase = "", conditions } = (object?.["status"] ?? {}) as { phase?: string; conditions?: SeenCondition[] };
  return { phase, conditions: (conditions ?? []).map(({ addresses, reason = "" }) => ({ addresses, reason })) };
}
