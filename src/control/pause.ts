import { setTimeout as timeout } from "node:timers/promises";

/** Resolves after `ms`; rejects with the signal's reason if that aborts first. */
export async function pauseMs(ms: number, signal: AbortSignal): Promise<void> {
  await timeout(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
