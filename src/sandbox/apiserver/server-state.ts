import type { ObjectKey } from "../../resources/object.ts";
import type { Authenticator } from "./auth.ts";
import type { Registry } from "./resources/registry.ts";
import type { Snapshots } from "./store/snapshots.ts";
import type { Store } from "./store/store.ts";

/** What `kubectl logs` asks of a pod's log. */
export interface PodLogQuery {
  container?: string;
  sinceSeconds?: number;
  tailLines?: number;
  limitBytes?: number;
  follow: boolean;
  timestamps: boolean;
}

/** The text of a pod's log in pieces, or undefined when the pod has none. With `follow` it ends when `signal` aborts. */
export type PodLogs = (pod: ObjectKey, query: PodLogQuery, signal: AbortSignal) => AsyncIterable<string> | undefined;

/** What the verbs work on. */
export interface ServerState {
  store: Store;
  registry: Registry;
  snapshots: Snapshots;
  authenticator: Authenticator;
  podLogs: PodLogs | undefined;
  /** How often a watch that asked for bookmarks gets one. */
  bookmarkMs: number;
}
