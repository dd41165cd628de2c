import type { KubeClient } from "../kube/client.ts";
import { type WatchEvent, type WatchOptions, watchResource } from "../kube/watch-resource.ts";
import type { ResourceType } from "../resources/kinds.ts";

/** Watches one kind until `isIt` says so of an event, and returns what `isIt` made of it. @throws the signal's reason */
export async function waitFor<Found>(
  client: KubeClient,
  type: ResourceType,
  options: WatchOptions,
  isIt: (event: WatchEvent) => Found | undefined,
  signal: AbortSignal,
): Promise<Found> {
  const over = new AbortController();
  let found: Found | undefined;
  const onEvent = (event: WatchEvent) => {
    found ??= isIt(event);
    if (found !== undefined) over.abort();
  };
  await watchResource(client, type, options, { onEvent }, AbortSignal.any([signal, over.signal]));
  if (found === undefined) throw signal.reason;
  return found;
}
