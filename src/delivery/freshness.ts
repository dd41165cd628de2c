/** Which objects of the watch can be worked on as they are, and which have to be read first; kept by controller.ts. */
import { pauseMs } from "../control/pause.ts";
import type { Logger } from "../observe/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Messages } from "./ports.ts";

/** How an object came: in a list that was begun after so many gains, or as an event. */
export type Origin = { listedAfter: number } | "event";

const RETRY_MS = 1_000;

interface FreshnessPorts {
  messages: Pick<Messages, "version">;
  logger: Logger;
}

/**
 * A message of a shard that has just come to this replica may have been sent by the one that had it, and what the watch
 * brings may be older than that. Trusted is a list that was begun since, and an object whose resourceVersion is later than
 * one that was read since. Versions of one kind grow with every write (etcd's revision); one that is no number is never
 * trusted.
 */
export class Freshness {
  readonly #ports: FreshnessPorts;
  #gains = 0;
  /** Nothing was ever another's: everything may be trusted. */
  #after = Number.NEGATIVE_INFINITY;
  /** The trouble that was logged last. */
  #told = "";

  constructor(ports: FreshnessPorts) {
    this.#ports = ports;
  }

  /** For the {@link Origin} of a list that begins now. */
  get gains(): number {
    return this.#gains;
  }

  isFresh({ metadata }: KubeObject, origin: Origin): boolean {
    if (origin !== "event") return origin.listedAfter === this.#gains;
    return this.#gains === 0 || Number(metadata.resourceVersion) > this.#after;
  }

  /** Shards have come: nothing is trusted before a version was read. Resolves then, or when `signal` aborts. */
  async renew(signal: AbortSignal): Promise<void> {
    this.#gains += 1;
    this.#after = Number.POSITIVE_INFINITY;
    const gain = this.#gains;
    while (gain === this.#gains && !signal.aborted) {
      try {
        const version = Number(await this.#ports.messages.version(signal));
        if (gain === this.#gains) this.#after = version;
        this.#told = "";
        return;
      } catch (error) {
        if (!signal.aborted) this.#tell(error as Error);
        await pauseMs(RETRY_MS, signal).catch(() => undefined); // until then each message is read before it is sent
      }
    }
  }

  #tell({ message: error }: Error): void {
    if (error === this.#told) return;
    this.#told = error;
    this.#ports.logger.warn({ error }, "Cannot ask for the version of the messages, each is read before it is sent");
  }
}
