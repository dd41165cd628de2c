import type { SeenObject } from "./change.ts";
import { type CheckpointPart, encode, type PartUpdate } from "./checkpoint.ts";
import { PARTS } from "./checkpoint-store.ts";
import type { RecordedChange } from "./known-source.ts";
import type { LabelledObjects, RememberedObject } from "./labelled-memory.ts";
import type { SourceSet } from "./source-set.ts";

/** A Secret takes 1 MiB, and its base64 and metadata have to fit into etcd's 1.5 MiB. */
export const MAX_PART_BYTES = 700 * 1024;
/** Up to so much JSON stands beside the index. */
const MAX_INLINE_CHARACTERS = 256 * 1024;

/** A part that fits into a Secret, and the kinds of which objects did not. */
export interface FittedPart {
  data: string;
  left: string[];
}

/** What a checkpoint, or a part of it, is to say now. */
export interface PartContent {
  [typeKey: string]: {
    objects: SeenObject[];
    deleted: (readonly [uid: string, version: string])[];
    open: RecordedChange[];
    /** Absent where there is nothing. */
    labelled?: LabelledObjects;
  };
}

/** Which part an object is in: UIDs are random, their end as well as any hash. */
export function partOf(uid: string): number {
  return (Number.parseInt(uid.slice(-4), 16) || 0) % PARTS;
}

/** All that is to be remembered. */
export function collectContent(
  sources: Pick<SourceSet, "remembered">,
  labelled: ReadonlyMap<string, LabelledObjects>,
  since: (typeKey: string) => string,
): PartContent {
  const content: PartContent = {};
  for (const [key, source] of sources.remembered())
    content[key] = {
      objects: [...source.settled()],
      deleted: [...source.deletedSince(since(key))],
      open: [...source.recorded()],
    };
  for (const [key, objects] of labelled)
    if (objects.targets.length + objects.sources.length > 0)
      content[key] = { ...(content[key] ?? { objects: [], deleted: [], open: [] }), labelled: objects };
  return content;
}

/** The same by parts. */
export function splitContent(content: PartContent): PartContent[] {
  const parts = Array.from({ length: PARTS }, (): PartContent => ({}));
  for (const [key, { objects, deleted, open, labelled }] of Object.entries(content)) {
    const byNumber = parts.map((part, number) => {
      const own = labelled === undefined ? {} : { labelled: labelledIn(labelled, number) };
      const empty: PartContent[string] = { objects: [], deleted: [], open: [], ...own };
      part[key] = empty;
      return empty;
    });
    const partFor = (uid = "") => byNumber[partOf(uid)];
    for (const seen of objects) partFor(seen.object.metadata.uid)?.objects.push(seen);
    for (const end of deleted) partFor(end[0])?.deleted.push(end);
    for (const change of open) partFor(change.object.metadata.uid)?.open.push(change);
  }
  return parts;
}

function labelledIn({ targets, sources }: LabelledObjects, number: number): LabelledObjects {
  const isIn = ([uid]: RememberedObject) => partOf(uid) === number;
  return { targets: targets.filter(isIn), sources: sources.filter(isIn) };
}

/** What a part says when it is written whole. */
export function wholePart(content: PartContent): CheckpointPart {
  const kinds = Object.entries(content).map(
    ([key, { objects, ...rest }]) => [key, { ...rest, objects: objects.map(entryOf) }] as const,
  );
  return Object.fromEntries(kinds);
}

/** @param before the objects of each kind when the part was written whole */
export function partUpdate(before: ReadonlyMap<string, ReadonlySet<SeenObject>>, content: PartContent): PartUpdate {
  const kinds = Object.entries(content).map(([key, { objects, ...rest }]) => {
    const left = new Set(before.get(key));
    const changed = objects.filter((seen) => !left.delete(seen));
    const outdated = [...left].map(({ object }) => object.metadata.uid ?? "");
    return [key, { ...rest, objects: changed.map(entryOf), outdated }] as const;
  });
  return Object.fromEntries(kinds);
}

function entryOf({ object, writers }: SeenObject): CheckpointPart[string]["objects"][number] {
  return [object, [...writers]];
}

/** Everything, where it is so small that it may stand beside the index. */
export async function encodeInline(content: PartContent): Promise<string | undefined> {
  let characters = 0;
  for (const { objects, deleted, open, labelled = {} } of Object.values(content)) {
    characters += deleted.length * 50 + JSON.stringify([open, labelled]).length;
    for (const { object } of objects) {
      characters += JSON.stringify(object).length;
      if (characters > MAX_INLINE_CHARACTERS) return undefined;
    }
  }
  return encode(wholePart(content));
}

/** Leaves the largest objects out where not all have room. */
export async function fitPart(part: CheckpointPart, maxBytes = MAX_PART_BYTES): Promise<FittedPart> {
  const left = new Set<string>();
  let data = await encode(part);
  let smaller = part;
  while (sizeOf(data) > maxBytes) {
    const kept = dropLargest(smaller, (maxBytes / sizeOf(data)) * 0.9, left);
    if (kept === undefined) break;
    smaller = kept;
    data = await encode(smaller);
  }
  return { data, left: [...left] };
}

/** Bytes of what base64 stands for. */
export function sizeOf(base64: string): number {
  return (base64.length * 3) / 4;
}

/** The smallest objects that together make `share` of the part; undefined where there is none to drop. */
function dropLargest(part: CheckpointPart, share: number, left: Set<string>): CheckpointPart | undefined {
  const sized = Object.entries(part).flatMap(([key, { objects }]) =>
    objects.map((entry) => ({ key, entry, characters: JSON.stringify(entry).length })),
  );
  if (sized.length === 0) return undefined;
  sized.sort((a, b) => a.characters - b.characters);
  let room = sized.reduce((sum, { characters }) => sum + characters, 0) * share;
  const kept: CheckpointPart = {};
  for (const [key, kind] of Object.entries(part)) kept[key] = { ...kind, objects: [] };
  for (const { key, entry, characters } of sized) {
    room -= characters;
    if (room >= 0) kept[key]?.objects.push(entry);
    else left.add(key);
  }
  return kept;
}
