import type { ServedType, SourceEvent, WatchSource } from "../../src/generator/ports.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { configMap } from "./objects.ts";

export const TYPE: ServedType = { ...CONFIG_MAP, preferred: true, verbs: ["list", "watch"], hasStatus: false };

/** One write to an object. */
export interface Write {
  version: number;
  operation: "CREATE" | "UPDATE" | "DELETE";
  /** The object after the write; a deleted one with the version of its end. */
  object: KubeObject;
  before: KubeObject | undefined;
}

/** A list or a watch that a source has open: it tells a word each time that it is asked to. */
export interface OpenWatch {
  /** Whether it is ended, or waits until its last word is taken. */
  isDone(): boolean;
  /** Tells the next word, if there is one. */
  step(): boolean;
  /** Fails: the list, should one be under way, begins anew. */
  fail(code: number): void;
  readonly namespace: string;
  readonly isListing: boolean;
  /** How often it listed. */
  readonly lists: number;
}

/** What an API server remembers of one kind: every write, in one order. Watches tell of it each at their own pace. */
export class FakeHistory {
  readonly writes: Write[] = [];
  readonly watches: OpenWatch[] = [];
  readonly #live = new Map<string, KubeObject>();

  get version(): number {
    return this.writes.length;
  }

  /** Creates, changes or deletes an object of this place. */
  write(namespace: string, name: string, isDeletion: boolean): void {
    const place = `${namespace}/${name}`;
    const before = this.#live.get(place);
    if (isDeletion && before === undefined) return;
    const version = this.version + 1;
    const uid = before?.metadata.uid ?? `${place}@${version}`;
    const object = configMap(`${version}`, { v: `${version}` }, { namespace, name, uid });
    const operation = isDeletion ? "DELETE" : before === undefined ? "CREATE" : "UPDATE";
    if (isDeletion) this.#live.delete(place);
    else this.#live.set(place, object);
    this.writes.push({ version, operation, object, before });
  }

  /** The port of a source that watches this history. */
  readonly watch: WatchSource = (_type, { namespace = "", resourceVersion }, handlers, signal) => {
    const ended = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => ended.resolve());
    let isBusy = false;
    let lists = 0;
    let told = Number(resourceVersion ?? -1);
    let listed: SourceEvent[] | undefined;
    let phase: "listing" | "opening" | "watching" = resourceVersion === undefined ? "listing" : "opening";
    const tell = (event: SourceEvent, then: () => void) => {
      isBusy = true;
      void Promise.resolve(handlers.onEvent(event)).then(() => {
        isBusy = false;
        then();
      });
      return true;
    };
    const moveTo = (version: number) => {
      told = version;
      handlers.onPosition?.(`${version}`);
    };
    const snapshot = (): SourceEvent[] => {
      lists += 1;
      const objects = [...this.#live.values()].filter(({ metadata }) => !namespace || metadata.namespace === namespace);
      const words = objects.map((object): SourceEvent => ({ type: "Listed", object }));
      return [...words, { type: "Synced", resourceVersion: `${this.version}` }];
    };
    const step = (): boolean => {
      if (phase === "opening") {
        handlers.onState?.({ phase: "watching" });
        phase = "watching";
        return true;
      }
      if (phase === "listing") {
        if (listed === undefined) handlers.onState?.({ phase: "listing" });
        listed ??= snapshot();
        const word = listed.shift();
        if (word?.type !== "Synced") return word !== undefined && tell(word, () => {});
        return tell(word, () => {
          moveTo(Number(word.resourceVersion));
          phase = "opening";
          listed = undefined;
        });
      }
      const next = this.writes.find(
        ({ version, object }) => version > told && (!namespace || object.metadata.namespace === namespace),
      );
      if (next === undefined) return false;
      const type = ({ CREATE: "Added", UPDATE: "Modified", DELETE: "Deleted" } as const)[next.operation];
      return tell({ type, object: next.object }, () => moveTo(next.version));
    };
    const fail = (code: number) => {
      if (isBusy || signal.aborted) return;
      if (phase === "listing") listed = undefined;
      else if (code === 410) phase = "listing";
      else phase = "opening";
      const error = Object.assign(new Error(`refused with ${code}`), { code, reason: "Failed" });
      handlers.onState?.({ phase: "retrying", error, retryInMs: 0 });
    };
    this.watches.push({
      namespace,
      step,
      fail,
      isDone: () => signal.aborted || isBusy,
      get isListing() {
        return phase === "listing";
      },
      get lists() {
        return lists;
      },
    });
    return ended.promise;
  };
}
