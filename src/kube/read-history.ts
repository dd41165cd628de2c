import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { KubeClient } from "./client.ts";
import { errorFromStatusObject } from "./kube-error.ts";

export interface HistoryQuery {
  namespace?: string;
  labelSelector?: string;
  /** The history after this version. */
  resourceVersion: string;
}

/** What became of one object; its resourceVersion says when. */
export interface PastEvent {
  type: "created" | "changed";
  object: KubeObject;
}

/** A server sends a bookmark two seconds before it ends a watch: the sooner the end, the sooner it is known that all came. */
const TIMEOUT_SECONDS = 3;
const SILENCE_MS = 10_000;

/**
 * What happened since a version, in order: objects as they were created, be they deleted since. Reads a watch up to its first
 * bookmark or its end, which takes one to three seconds; who has seen enough sooner leaves the loop.
 * @throws KubeError, 410 where the server remembers only what came later
 */
export async function* readHistory(
  client: Pick<KubeClient, "openWatch">,
  type: ResourceType,
  query: HistoryQuery,
  signal: AbortSignal,
): AsyncGenerator<PastEvent, void> {
  const options = { ...query, timeoutSeconds: TIMEOUT_SECONDS, silenceMs: SILENCE_MS };
  for await (const batch of await client.openWatch(type, options, signal))
    for (const event of batch) {
      if (event.type === "BOOKMARK") return;
      if (event.type === "ERROR") throw errorFromStatusObject(`read the history of ${type.plural}`, event.object);
      yield { type: event.type === "ADDED" ? "created" : "changed", object: event.object };
    }
}
