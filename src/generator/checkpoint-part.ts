import { type CheckpointPart, encode } from "./checkpoint.ts";
import { PARTS } from "./checkpoint-store.ts";
import type { SourceSet } from "./source-set.ts";

/** A Secret takes 1 MiB, and its base64 and metadata have to fit into etcd's 1.5 MiB. */
const MAX_PART_BYTES = 700 * 1024;
/** Up to so much JSON stands beside the index. */
const MAX_INLINE_CHARACTERS = 256 * 1024;

/** A part that fits into a Secret, and the kinds of which objects did not. */
export interface FittedPart {
  data: string;
  left: string[];
}

/** Which part an object is in: UIDs are random, their end as well as any hash. */
export function partOf(uid: string): number {
  return (Number.parseInt(uid.slice(-4), 16) || 0) % PARTS;
}

/** The objects as they are to be remembered. @param number of the part; absent for all of them */
export function collectPart(
  sources: Pick<SourceSet, "remembered">,
  since: (typeKey: string) => string,
  number?: number,
): CheckpointPart {
  const isIn = (uid: string) => number === undefined || partOf(uid) === number;
  const part: CheckpointPart = {};
  for (const [key, source] of sources.remembered()) {
    const objects: CheckpointPart[string]["objects"] = [];
    for (const { object, writers } of source.settled())
      if (isIn(object.metadata.uid ?? "")) objects.push([object, [...writers]]);
    const deleted = [...source.deletedSince(since(key))].filter(([uid]) => isIn(uid));
    const open = [...source.recorded()].filter(({ object }) => isIn(object.metadata.uid ?? ""));
    part[key] = { objects, deleted, open };
  }
  return part;
}

/** The part where it is so small that it may stand beside the index. */
export async function encodeInline(part: CheckpointPart): Promise<string | undefined> {
  let characters = 0;
  for (const { objects, deleted, open } of Object.values(part)) {
    characters += deleted.length * 50 + JSON.stringify(open).length;
    for (const [object] of objects) {
      characters += JSON.stringify(object).length;
      if (characters > MAX_INLINE_CHARACTERS) return undefined;
    }
  }
  return encode(part);
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

function sizeOf(base64: string): number {
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
  for (const [key, { deleted, open }] of Object.entries(part)) kept[key] = { objects: [], deleted, open };
  for (const { key, entry, characters } of sized) {
    room -= characters;
    if (room >= 0) kept[key]?.objects.push(entry);
    else left.add(key);
  }
  return kept;
}
