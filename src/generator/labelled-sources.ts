import type { Logger } from "../observe/logger.ts";
import { lengthen, type RememberedObject, shorten } from "./labelled-memory.ts";
import { type LabelledChange, LabelledSource, type LabelledSourceOptions } from "./labelled-source.ts";
import type { ServedType } from "./ports.ts";
import type { PlannedSource } from "./sync-plan.ts";

export interface LabelledSourcesOptions extends Pick<LabelledSourceOptions, "watch" | "onState" | "onSeen"> {
  logger: Logger;
  /** Called for each change, in the order of its kind's; the watch waits for it. */
  onChange(type: ServedType, change: LabelledChange): Promise<void>;
}

/** A checkpoint has room for about as many, in their short form. */
const MAX_REMEMBERED = 20_000;
const FULL =
  "there are more synchronized targets or clone sources than the checkpoint keeps: deletions of the others while the generator is down are not noticed";

/** The sources of all kinds that are followed by their labels, by `apiVersion/kind`. */
export class LabelledSources {
  readonly #options: LabelledSourcesOptions;
  readonly #sources = new Map<string, LabelledSource>();
  #recalled: ReadonlyMap<string, readonly RememberedObject[]> = new Map();

  #isFull = false;

  constructor(options: LabelledSourcesOptions) {
    this.#options = options;
  }

  /** Takes over what a generator before this one saw. To be called before the first {@link follow}. */
  resume(recalled: ReadonlyMap<string, readonly RememberedObject[]>): void {
    this.#recalled = recalled;
  }

  get(typeKey: string): LabelledSource | undefined {
    return this.#sources.get(typeKey);
  }

  /** What a checkpoint is to keep; a bounded number. */
  remembered(): Map<string, readonly RememberedObject[]> {
    const all = new Map(this.#recalled);
    let room = MAX_REMEMBERED;
    for (const [key, source] of this.#sources) {
      const objects = source.objects().slice(0, room);
      room -= objects.length;
      all.set(key, objects.map(shorten));
    }
    if (room === 0 && !this.#isFull) this.#options.logger.warn({ kept: MAX_REMEMBERED }, FULL);
    this.#isFull = room === 0;
    return all;
  }

  /** Follows what is planned from now on. Gives the sources that nothing follows any more, which are to be stopped. */
  follow(planned: ReadonlyMap<string, PlannedSource>): LabelledSource[] {
    const { onChange, logger: _, ...options } = this.#options;
    const recalled = this.#recalled;
    this.#recalled = new Map();
    for (const [key, { type, scopes }] of planned) {
      const seen = recalled.get(key)?.map((object) => lengthen(key, object));
      const source =
        this.#sources.get(key) ??
        new LabelledSource({ ...options, type, onChange: (change) => onChange(type, change) }, seen);
      this.#sources.set(key, source);
      source.follow(scopes);
    }
    const left = [...this.#sources].filter(([key]) => !planned.has(key));
    for (const [key] of left) this.#sources.delete(key);
    return left.map(([, source]) => source);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.stop()));
  }
}
