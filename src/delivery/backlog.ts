/** Every message that is not gone, whichever replica works on it; kept by controller.ts. Keys only, no bodies. */
import { hashOf } from "../control/shards.ts";
import { requestKey } from "../resources/message-requests.ts";
import type { KubeObject } from "../resources/object.ts";

/** What is remembered of a message between attempts: 100,000 of them wait in little memory. */
export interface Known {
  uid: string;
  /** Of the UID: says which shard the message belongs to. */
  readonly hash: number;
  /** The generation last seen: our own status writes must not wake it. */
  generation: number;
  /** What its annotations last asked for; they do not raise the generation. */
  requests: string;
  createdMs: number;
  /** `foreign`: another replica works on it. */
  state: "foreign" | "pending" | "failed";
  /** Why it waits; there from the start, since a property that comes later takes 40 bytes more. */
  reason: string | undefined;
  /** Errors in a row while it was worked on. */
  errors: number;
}

/** How many messages are where, for the metrics; those of other replicas are theirs to count. */
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

/** The messages by id, as the watch tells of them. */
export class Backlog {
  readonly #known = new Map<string, Known>();

  get(id: string): Known | undefined {
    return this.#known.get(id);
  }

  delete(id: string): void {
    this.#known.delete(id);
  }

  entries(): IterableIterator<[string, Known]> {
    return this.#known.entries();
  }

  /** What `object` tells: a message not seen before, one that asks for something else now, or nothing new. */
  see(id: string, object: KubeObject, nowMs: number): { known: Known; news: "new" | "changed" | "none" } {
    const { uid = "", generation = 0, creationTimestamp = "" } = object.metadata;
    const requests = requestKey(object);
    const known = this.#known.get(id);
    if (known?.uid === uid) {
      if (generation <= known.generation && requests === known.requests) return { known, news: "none" };
      return { known: Object.assign(known, { generation, requests }), news: "changed" };
    } // else it was deleted and created again while nobody watched
    const createdMs = Date.parse(creationTimestamp) || nowMs;
    const hash = hashOf(uid);
    const fresh: Known = {
      uid,
      hash,
      generation,
      requests,
      createdMs,
      state: "foreign",
      reason: undefined,
      errors: 0,
    };
    this.#known.set(id, fresh);
    return { known: fresh, news: "new" };
  }

  load(queued: number, active: number): Load {
    const load: Load = { queued, active, failed: 0, waiting: new Map(), oldestPendingMs: undefined };
    for (const { state, reason, createdMs } of this.#known.values()) {
      if (state === "foreign") continue;
      if (state === "failed") load.failed += 1;
      else load.oldestPendingMs = Math.min(load.oldestPendingMs ?? createdMs, createdMs);
      if (state === "pending" && reason !== undefined) load.waiting.set(reason, (load.waiting.get(reason) ?? 0) + 1);
    }
    return load;
  }
}
