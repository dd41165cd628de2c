import { type EventEmitter, once } from "node:events";
import type { KubeClient } from "../../src/kube/client.ts";
import { watchResource } from "../../src/kube/watch-resource.ts";
import { NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import type { Ledger } from "./ledger.ts";
import { NAMESPACE } from "./messages.ts";

/** Keeps `ledger` told of the messages in the cluster until `signal` aborts; emits `change` after each. */
export function observeMessages(client: KubeClient, ledger: Ledger, changed: EventEmitter, signal: AbortSignal) {
  let listed = new Set<string>();
  /** What a list that has begun must hold, or it is gone: some come and go while the watch is away. */
  let expected: string[] = [];
  return watchResource(
    client,
    NOTIFICATION_MESSAGE,
    { namespace: NAMESPACE },
    {
      onEvent(event) {
        const at = Date.now();
        if (event.type === "Synced") {
          for (const name of expected) if (!listed.has(name)) ledger.gone(name, undefined, at);
        } else {
          const { name = "" } = event.object.metadata;
          if (event.type === "Listed") listed.add(name);
          if (event.type === "Deleted") ledger.gone(name, event.object, at);
          else ledger.saw(event.object, at);
        }
        changed.emit("change");
      },
      onState({ phase }) {
        if (phase !== "listing") return;
        listed = new Set();
        expected = ledger.present();
      },
    },
    signal,
  );
}

/** Resolves when `condition` holds, which is asked after every change; false when that takes longer than `limitMs`. */
export async function holds(
  changed: EventEmitter,
  condition: () => boolean,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), Math.min(limitMs, 2 ** 31 - 1));
  try {
    while (!condition()) await once(changed, "change", { signal: AbortSignal.any([limit.signal, signal]) });
    return true;
  } catch (error) {
    if (limit.signal.aborted && !signal.aborted) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
