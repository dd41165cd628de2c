/** Every message that is not gone, whichever replica works on it; kept by controller.ts. Keys only, no bodies. */
import { hashOf } from "../control/shards.ts";
import { requestKey } from "../resources/message-requests.ts";
import type { ObjectMeta } from "../resources/object.ts";

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

/** A message not seen before, one that asks for something else than when it was seen, or nothing new. */
export type News = "new" | "changed" | "none";

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

  /** What {@link see} would tell. */
  newsOf(id: string, metadata: ObjectMeta): News {
    const { uid = "", generation = 0 } = metadata;
    const known = this.#known.get(id);
    if (known?.uid !== uid) return "new"; // or it was deleted and created again while nobody watched
    return generation <= known.generation && requestKey(metadata) === known.requests ? "none" : "changed";
  }

  /** Takes what `metadata` tells of a message. */
  see(id: string, metadata: ObjectMeta, nowMs: number): { known: Known; news: News } {
    const news = this.newsOf(id, metadata);
    const known = this.#known.get(id);
    if (known !== undefined && news === "none") return { known, news };
    const { uid = "", generation = 0, creationTimestamp = "" } = metadata;
    const requests = requestKey(metadata);
    if (known !== undefined && news === "changed") {
      return { known: Object.assign(known, { generation, requests }), news };
    }
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
    return { known: fresh, news };
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
