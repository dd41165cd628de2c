import type { KubeClient } from "../kube/client.ts";
import { watchResource } from "../kube/watch-resource.ts";
import type { Logger } from "../observe/logger.ts";
import type { Readiness } from "../observe/readiness.ts";
import type { ResourceType } from "../resources/kinds.ts";
import { formatKey, type KubeObject, type ObjectMeta } from "../resources/object.ts";

/** What wants to know the objects of one kind. */
export interface Collection {
  /** A list begins. */
  listing?(): void;
  /** Listed, created or changed. Returns a promise where the next object is to come only when that has settled. */
  set(object: KubeObject, isListed: boolean): void | Promise<void>;
  /** Told of an object that was created or changed before the rest of it is read; true where that was enough, see {@link set} else. */
  glance?(metadata: ObjectMeta): boolean;
  delete(metadata: ObjectMeta): void;
  /** A list is complete: what is not among `keys` (`namespace/name`) is gone. */
  retain(keys: ReadonlySet<string>): void;
  /** The watch lists or follows the kind again, or for the first time. */
  well?(): void;
  /** The watch failed and will try again. Returns true where that is nothing to be missed or told. */
  trouble?(error: Error): boolean;
}

export interface WatchParts {
  client: KubeClient;
  logger: Logger;
  readiness: Readiness;
  /** A watch that carries nothing for so long is opened anew; milliseconds. */
  watchSilence: number;
}

export interface Scope {
  /** "" for all namespaces. */
  namespace: string;
  fieldSelector?: string;
}

export interface RunningWatch {
  /** Resolves at the first complete list, or at the first error: in either case there is something to go by. */
  answered: Promise<void>;
  /** Resolves when the signal has aborted. */
  done: Promise<void>;
}

/** Keeps `collection` like the cluster until `signal` aborts; what is not well is told to readiness and log. */
export function watchCollection(
  { client, logger, readiness, watchSilence }: WatchParts,
  type: ResourceType,
  { namespace, fieldSelector }: Scope,
  collection: Collection,
  signal: AbortSignal,
): RunningWatch {
  const part = nameOf(type, namespace);
  const answered = Promise.withResolvers<void>();
  let listed = new Set<string>();
  readiness.lack(part, "not listed yet");
  const beWell = () => {
    readiness.have(part);
    collection.well?.();
  };
  const options = {
    silenceMs: watchSilence,
    ...(namespace !== "" && { namespace }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  };
  const done = watchResource(
    client,
    type,
    options,
    {
      onMetadata(type, metadata) {
        if (type !== "Deleted") return collection.glance?.(metadata) ?? false;
        collection.delete(metadata);
        return true;
      },
      onEvent(event) {
        if (event.type === "Synced") {
          collection.retain(listed);
          listed = new Set();
          beWell();
          answered.resolve();
          return undefined;
        }
        const { name = "", namespace: at = "" } = event.object.metadata;
        const isListed = event.type === "Listed";
        if (isListed) listed.add(formatKey({ namespace: at, name }));
        const room = collection.set(event.object, isListed);
        // There is as much in hand as there can be, and the list goes on as that is done: a backlog is no reason to be unready.
        if (room !== undefined && isListed) readiness.have(part);
        return room;
      },
      onState(state) {
        if (state.phase === "listing") {
          listed = new Set();
          collection.listing?.();
        }
        if (state.phase === "watching") beWell(); // resumed after an outage, without a new list
        if (state.phase !== "retrying") return;
        answered.resolve();
        if (collection.trouble?.(state.error)) return readiness.have(part);
        readiness.lack(part, state.error.message);
        const facts = { watch: part, error: state.error.message, retryInMs: state.retryInMs };
        logger.warn(facts, "Cannot watch, will try again");
      },
    },
    signal,
  ).finally(() => readiness.have(part)); // what is watched no longer is nothing to be missed
  return { answered: answered.promise, done };
}

function nameOf({ plural, group }: ResourceType, namespace: string): string {
  const kind = group === "" ? plural : `${plural}.${group}`;
  return namespace === "" ? kind : `${kind} in ${namespace}`;
}
