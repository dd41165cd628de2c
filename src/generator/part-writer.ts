import type { SeenObject } from "./change.ts";
import { encode, type PartUpdate } from "./checkpoint.ts";
import { fitPart, MAX_PART_BYTES, type PartContent, partUpdate, sizeOf, wholePart } from "./checkpoint-part.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";

/** A part is written whole again when one in so many of its objects has changed. */
const MAX_CHANGED = 1 / 4;

interface WholePart {
  /** By kind; those that had no room, too: they have none until the part is written whole again. */
  objects: ReadonlyMap<string, ReadonlySet<SeenObject>>;
  count: number;
  bytes: number;
  /** Kinds of which objects had no room. */
  left: string[];
}

/** Writes one part of the checkpoint: whole, and from then on what changed since, which in a burst is a small share of it. */
export class PartWriter {
  readonly #store: Pick<CheckpointStore, "writePart" | "writeUpdate">;
  readonly #number: number;
  /** As last written; undefined while that is not known. */
  #whole: WholePart | undefined;

  constructor(store: Pick<CheckpointStore, "writePart" | "writeUpdate">, number: number) {
    this.#store = store;
    this.#number = number;
  }

  /** Kinds of which not all objects had room. */
  get left(): readonly string[] {
    return this.#whole?.left ?? [];
  }

  /** @throws ApiError, or the signal's reason */
  async write(content: PartContent, signal: AbortSignal): Promise<void> {
    const whole = this.#whole;
    this.#whole = undefined; // a write that fails may have been done or not
    this.#whole =
      whole !== undefined && (await this.#update(whole, content, signal))
        ? whole
        : await this.#rewrite(content, signal);
  }

  /** Whether what is written now is the part as it was with an update. */
  async #update(whole: WholePart, content: PartContent, signal: AbortSignal): Promise<boolean> {
    const update = partUpdate(whole.objects, content);
    if (changesOf(update) > whole.count * MAX_CHANGED) return false;
    const data = await encode(update);
    if (whole.bytes + sizeOf(data) > MAX_PART_BYTES) return false;
    return this.#store.writeUpdate(this.#number, data, signal);
  }

  async #rewrite(content: PartContent, signal: AbortSignal): Promise<WholePart> {
    const { data, left } = await fitPart(wholePart(content));
    await this.#store.writePart(this.#number, data, signal);
    const objects = Object.entries(content).map(([key, kind]) => [key, new Set(kind.objects)] as const);
    const count = objects.reduce((sum, [, each]) => sum + each.size, 0);
    return { objects: new Map(objects), count, bytes: sizeOf(data), left };
  }
}

function changesOf(update: PartUpdate): number {
  return Object.values(update).reduce(
    (sum, { objects, outdated }) => sum + Math.max(objects.length, outdated.length),
    0,
  );
}
