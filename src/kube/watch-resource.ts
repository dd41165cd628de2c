import { pauseMs } from "../control/pause.ts";
import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject, ObjectMeta } from "../resources/object.ts";
import type { KubeClient, RawWatchEvent } from "./client.ts";
import { errorFromStatusObject, isExpired, KubeError, noAnswer } from "./kube-error.ts";

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Where the watch begins, without a list; one that is too old for the server begins with a list after all. */
  resourceVersion?: string;
  /** Objects a page of the first list; 500 when absent. */
  pageSize?: number;
  /**
   * About when the server is to end each watch, jittered so that replicas do not reopen together; three quarters of
   * `silenceMs` when absent.
   */
  timeoutSeconds?: number;
  /** A connection that carries nothing for so long is given up and the watch opened anew; 60,000 when absent. */
  silenceMs?: number;
}

export type ChangeType = "Added" | "Modified" | "Deleted";

/**
 * `Listed` … `Synced` is one whole list, so what was not Listed since the list began is gone. Afterwards each change.
 * `Added` may name an object that was known: the server says what matches now, not what the caller remembers.
 */
export type WatchEvent =
  | { type: "Listed" | ChangeType; object: KubeObject }
  | { type: "Synced"; resourceVersion: string };

/** `listing` and `watching` are told when they begin, `retrying` for each failure. */
export type WatchState =
  | { phase: "listing" | "watching" }
  | { phase: "retrying"; error: KubeError | Error; retryInMs: number };

export interface WatchHandlers {
  /**
   * Told before a change is read as a whole. Returns true where the metadata was enough, and `onEvent` is not called: what
   * the rest costs is most of what an event does. managedFields may be empty. Must not fail.
   */
  onMetadata?(type: ChangeType, metadata: ObjectMeta): boolean;
  /** Called in order, the next one when this one's promise is settled. Must not fail. */
  onEvent(event: WatchEvent): void | Promise<void>;
  onState?(state: WatchState): void;
  /** Everything up to this version was told. */
  onPosition?(resourceVersion: string): void;
}

const SILENCE_MS = 60_000;
/**
 * With its jitter less than 1: a server that is well ends a quiet watch before its silence tells anything, so that silence
 * is always trouble. Bookmarks cannot be counted on for that (docs/decisions/031).
 */
const TIMEOUT_SHARE = 0.75;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 30_000;
/** For a kind that is not served or not allowed yet: someone is probably just installing it. */
const MAX_INSTALL_RETRY_MS = 5_000;
/** A watch that ends sooner and without an event counts as a failure, or it would be reopened in a tight loop. */
const MIN_WATCH_MS = 1_000;

const EVENT_TYPES: Record<string, ChangeType> = {
  ADDED: "Added",
  MODIFIED: "Modified",
  DELETED: "Deleted",
};

/**
 * Lists, then watches, for as long as the server is there or comes back. Resolves when `signal` aborts and the handler
 * at work has finished; whatever the server does is a state, never a rejection.
 * @throws what a handler threw: that is a bug, and climbs
 */
export async function watchResource(
  client: Pick<KubeClient, "listPages" | "openWatch">,
  type: ResourceType,
  options: WatchOptions,
  handlers: WatchHandlers,
  signal: AbortSignal,
): Promise<void> {
  const watch = new ResourceWatch(client, type, options, handlers, signal);
  try {
    while (!signal.aborted) await watch.advance();
  } catch (error) {
    throw error instanceof HandlerBug ? error.cause : error;
  }
}

/** Carries a handler's own error past what handles the server's. */
class HandlerBug extends Error {
  constructor(cause: unknown) {
    super("a watch handler failed", { cause });
  }
}

class ResourceWatch {
  readonly #client: Pick<KubeClient, "listPages" | "openWatch">;
  readonly #type: ResourceType;
  readonly #options: WatchOptions;
  readonly #handlers: WatchHandlers;
  readonly #signal: AbortSignal;
  /** Where the watch goes on; undefined asks for a list. */
  #resourceVersion: string | undefined;
  #failures = 0;
  /** The last failure was that the version is too old. */
  #hasExpired = false;
  #phase: WatchState["phase"] | undefined;

  constructor(
    client: Pick<KubeClient, "listPages" | "openWatch">,
    type: ResourceType,
    options: WatchOptions,
    handlers: WatchHandlers,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#type = type;
    this.#options = options;
    this.#handlers = handlers;
    this.#signal = signal;
    this.#resourceVersion = options.resourceVersion;
  }

  /** One list, or one watch until the server ends it; after trouble, the pause before the next. */
  async advance(): Promise<void> {
    try {
      if (this.#resourceVersion === undefined) this.#resourceVersion = await this.#list();
      else await this.#follow(this.#resourceVersion);
    } catch (error) {
      if (error instanceof HandlerBug) throw error;
      if (!this.#signal.aborted) await this.#pauseAfter(error as Error);
    }
  }

  /** Decides what the error means for the next try, tells it, and waits. */
  async #pauseAfter(error: Error): Promise<void> {
    const expired = isExpired(error);
    if (expired) this.#resourceVersion = undefined;
    if (expired && !this.#hasExpired) this.#failures = 0; // the server is back and well; only its memory is shorter
    this.#hasExpired = expired;
    const retryInMs = retryDelayMs(error, this.#failures);
    this.#failures += 1;
    this.#tell({ phase: "retrying", error, retryInMs });
    await pauseMs(retryInMs, this.#signal).catch(() => {}); // an abort ends the caller's loop
  }

  async #list(): Promise<string> {
    this.#tell({ phase: "listing" });
    const { namespace, labelSelector, fieldSelector, pageSize } = this.#options;
    const selection = definedOf({ namespace, labelSelector, fieldSelector, pageSize });
    let resourceVersion = "";
    for await (const page of this.#client.listPages(this.#type, selection, this.#signal)) {
      for (const object of page.items) {
        const settled = this.#emit({ type: "Listed", object });
        if (settled !== undefined) await settled;
      }
      resourceVersion = page.resourceVersion;
    }
    await this.#emit({ type: "Synced", resourceVersion });
    this.#handlers.onPosition?.(resourceVersion);
    return resourceVersion;
  }

  async #follow(resourceVersion: string): Promise<void> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    const { silenceMs = SILENCE_MS } = this.#options;
    const { timeoutSeconds = (TIMEOUT_SHARE * silenceMs) / 1000 } = this.#options;
    const selection = definedOf({ namespace, labelSelector, fieldSelector });
    const query = { ...selection, resourceVersion, silenceMs, timeoutSeconds: jitteredSeconds(timeoutSeconds) };
    let openedAt: number | undefined;
    let wasOfUse = false;
    try {
      const batches = await this.#client.openWatch(this.#type, query, this.#signal);
      this.#tell({ phase: "watching" });
      openedAt = performance.now();
      for await (const batch of batches) {
        for (const event of batch) {
          const settled = this.#take(event);
          if (settled !== undefined) await settled;
          this.#moveTo(event.metadata.resourceVersion);
          wasOfUse = true;
        }
      }
    } finally {
      if (openedAt !== undefined && performance.now() - openedAt >= MIN_WATCH_MS) wasOfUse = true;
      if (wasOfUse) this.#failures = 0;
    }
    if (!wasOfUse)
      throw noAnswer("ConnectionLost", `Cannot watch ${this.#type.plural}: the server ended the watch at once`);
  }

  #take(event: RawWatchEvent): Promise<void> | undefined {
    if (event.type === "ERROR") throw errorFromStatusObject(`watch ${this.#type.plural}`, event.object);
    const type = EVENT_TYPES[event.type];
    if (type === undefined || this.#isToldBy(type, event)) return undefined;
    return this.#emit({ type, object: event.object });
  }

  #isToldBy(type: ChangeType, event: RawWatchEvent): boolean {
    if (this.#handlers.onMetadata === undefined) return false;
    if (this.#signal.aborted) throw this.#signal.reason;
    const { metadata } = event; // what is wrong with the line is not the handler's fault
    try {
      return this.#handlers.onMetadata(type, metadata);
    } catch (bug) {
      return this.#blame(bug);
    }
  }

  #moveTo(resourceVersion: string | undefined): void {
    if (resourceVersion === undefined) return;
    this.#resourceVersion = resourceVersion;
    this.#handlers.onPosition?.(resourceVersion);
  }

  /** Undefined where the handler has nothing to wait for: nearly always, and a promise for each event would be most of its cost. */
  #emit(event: WatchEvent): Promise<void> | undefined {
    if (this.#signal.aborted) throw this.#signal.reason;
    try {
      const settled = this.#handlers.onEvent(event);
      return settled?.catch((bug: unknown) => this.#blame(bug));
    } catch (bug) {
      return this.#blame(bug);
    }
  }

  /** @throws HandlerBug, or the signal's reason where that is what the handler threw */
  #blame(bug: unknown): never {
    if (this.#signal.aborted && bug === this.#signal.reason) throw bug;
    throw new HandlerBug(bug);
  }

  #tell(state: WatchState): void {
    if (state.phase === this.#phase && state.phase !== "retrying") return; // a watch reopened in its course is no news
    this.#phase = state.phase;
    try {
      this.#handlers.onState?.(state);
    } catch (bug) {
      throw new HandlerBug(bug);
    }
  }
}

/** Doubles from 100 ms to the cap, the upper half of it at random; never less than the server asked for. */
function retryDelayMs(error: Error, failures: number): number {
  const { code, retryAfterMs = 0 } = error instanceof KubeError ? error : { code: 0 };
  const capMs = code === 403 || code === 404 ? MAX_INSTALL_RETRY_MS : MAX_RETRY_MS;
  const delayMs = Math.min(capMs, FIRST_RETRY_MS * 2 ** failures);
  return Math.max(retryAfterMs, Math.round(delayMs * (0.5 + Math.random() / 2)));
}

/** ± 20 %. */
function jitteredSeconds(seconds: number): number {
  return Math.max(1, Math.floor(seconds * (0.8 + Math.random() * 0.4)));
}

function definedOf<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
