import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { isObject } from "../resources/fields.ts";
import type { KubeObject } from "../resources/object.ts";
import type { SeenObject } from "./change.ts";
import type { Creation } from "./creation-log.ts";
import { messageOf, PolicyError } from "./errors.ts";
import type { KnownSource, RecordedChange, WatchPosition } from "./known-source.ts";
import type { LabelledObjects } from "./labelled-memory.ts";
import { parsePolicy } from "./parse-policy.ts";
import type { PolicyRule } from "./reach.ts";
import type { Policy } from "./rule-model.ts";

/** A part of version 2 may have what changed since it was written whole, which a generator of version 1 would not see. */
export const CHECKPOINT_VERSION = 2;
/** Others are not read: what they say is not what this generator would understand. */
const READABLE_VERSIONS: readonly unknown[] = [1, CHECKPOINT_VERSION];

/** A policy as it was written, to be read again by whatever version of courier comes. */
export interface PolicyDocument {
  origin: string;
  document: KubeObject;
}

/** What was followed, and up to where. Everything else is in parts. */
export interface CheckpointIndex {
  version: number;
  /** What was made up to this version is in `made`, or for changes that are in the parts; "" where nothing was made. */
  madeAfter: string;
  /** Absent in what earlier versions of courier wrote. */
  made?: Creation[];
  /** By fingerprint. */
  documents: { [fingerprint: string]: PolicyDocument };
  /** Fingerprints of the policies whose targets were followed. */
  policies: string[];
  sources: { [typeKey: string]: IndexedSource };
}

export interface IndexedSource {
  /** Fingerprint of the policy and name of the rule. */
  rules: (readonly [fingerprint: string, rule: string])[];
  positions: WatchPosition[];
  isPartial: boolean;
}

/** Objects of each kind as last seen, those that are gone, and changes under way. */
export interface CheckpointPart {
  [typeKey: string]: {
    objects: (readonly [object: KubeObject, writers: (readonly [string, string])[]])[];
    deleted: (readonly [uid: string, version: string])[];
    /** Absent in what earlier versions of courier wrote. */
    open?: RecordedChange[];
    /** Absent in what earlier versions of courier wrote, and where there is nothing. */
    labelled?: LabelledObjects;
  };
}

/** What is different since a part was written whole: all of it but for objects that are as they were. */
export interface PartUpdate {
  [typeKey: string]: CheckpointPart[string] & {
    /** UIDs of the part's objects that are not as they were; where they are still there, `objects` has them. */
    outdated: string[];
  };
}

/** What a generator knew when it last wrote its checkpoint. */
export interface Checkpoint {
  madeAfter: string;
  /** What was made for changes that may come again. */
  made: Creation[];
  /** Policies whose targets were followed. */
  policies: Policy[];
  /** By `apiVersion/kind`. */
  sources: Map<string, KnownSource>;
  /** Targets and clone sources of synchronized rules, by `apiVersion/kind`. */
  labelled: Map<string, LabelledObjects>;
}

/** A checkpoint that cannot be used: damaged, or of another version. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** Fast rather than small: it is written every second in a burst. */
const GZIP = { level: 1 };
/** A part holds about ten times less; more than this is no checkpoint of ours. */
const MAX_DECODED_BYTES = 256 * 1024 * 1024;

/** Gzipped JSON in base64, as a Secret's `data` takes it: `base64 -d | gunzip` shows it. */
export async function encode(value: CheckpointIndex | CheckpointPart | PartUpdate): Promise<string> {
  return (await promisify(gzip)(JSON.stringify(value), GZIP)).toString("base64");
}

/** @throws CheckpointError */
export async function decodeIndex(data: string): Promise<CheckpointIndex> {
  const index = await decode(data);
  const { version, documents, policies, sources } = index;
  if (!READABLE_VERSIONS.includes(version))
    throw new CheckpointError(
      `it is of version ${String(version)}, and this courier reads versions ${READABLE_VERSIONS.join(" and ")}`,
    );
  if (isObject(documents) && Array.isArray(policies) && isObject(sources)) return index as unknown as CheckpointIndex;
  throw new CheckpointError("it is damaged: a field is missing");
}

/** A part with what is different since, if anything. @throws CheckpointError */
export async function decodePart(data: string, update?: string): Promise<CheckpointPart> {
  const part = (await decode(data)) as CheckpointPart;
  if (update === undefined) return part;
  const changes = (await decode(update)) as PartUpdate;
  return orDamaged(() => updatePart(part, changes));
}

function updatePart(part: CheckpointPart, update: PartUpdate): CheckpointPart {
  const kinds = Object.entries(update).map(
    ([key, { outdated, objects, ...rest }]): [string, CheckpointPart[string]] => {
      const isOutdated = new Set(outdated);
      const asTheyWere = part[key]?.objects.filter(([{ metadata }]) => !isOutdated.has(metadata.uid ?? "")) ?? [];
      return [key, { ...rest, objects: [...asTheyWere, ...objects] }];
    },
  );
  return Object.fromEntries(kinds);
}

/** @throws CheckpointError where `read` throws */
function orDamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CheckpointError(`it is damaged: ${messageOf(error)}`);
  }
}

async function decode(data: string): Promise<Record<string, unknown>> {
  try {
    const json = await promisify(gunzip)(Buffer.from(data, "base64"), { maxOutputLength: MAX_DECODED_BYTES });
    const value: unknown = JSON.parse(json.toString("utf8"));
    if (isObject(value)) return value;
  } catch (error) {
    throw new CheckpointError(`it is damaged: ${messageOf(error)}`);
  }
  throw new CheckpointError("it is damaged: no JSON object");
}

/** Puts index and parts together. A policy that cannot be read any more is passed over. @throws CheckpointError */
export function restore(index: CheckpointIndex, parts: readonly CheckpointPart[]): Checkpoint {
  return orDamaged(() => {
    const policies = new Map<string, Policy>();
    for (const [fingerprint, document] of Object.entries(index.documents)) {
      const policy = readPolicy(document);
      if (policy !== undefined) policies.set(fingerprint, policy);
    }
    const sources = Object.entries(index.sources).map(
      ([key, source]) => [key, restoreSource(key, source, policies, parts)] as const,
    );
    const followed = index.policies.flatMap((fingerprint) => policies.get(fingerprint) ?? []);
    const { madeAfter, made = [] } = index;
    return { madeAfter, made, policies: followed, sources: new Map(sources), labelled: restoreLabelled(parts) };
  });
}

function restoreSource(
  key: string,
  { rules, positions, isPartial }: IndexedSource,
  policies: ReadonlyMap<string, Policy>,
  parts: readonly CheckpointPart[],
): KnownSource {
  const found = parts.flatMap((part) => part[key] ?? []);
  const objects = found.flatMap((part) =>
    part.objects.map(([object, writers]): SeenObject => {
      if (typeof object.metadata.uid !== "string") throw new TypeError("an object has no UID");
      return { object, writers: new Map(writers) };
    }),
  );
  const subjects = rules.flatMap(([fingerprint, name]): PolicyRule[] => {
    const policy = policies.get(fingerprint);
    const rule = policy?.rules.find((each) => each.name === name);
    return policy === undefined || rule === undefined ? [] : [{ policy, rule }];
  });
  const deleted = found.flatMap((part) => part.deleted);
  const open = found.flatMap((part) => part.open ?? []);
  return { rules: subjects, positions, objects, deleted, open, isPartial };
}

function restoreLabelled(parts: readonly CheckpointPart[]): Map<string, LabelledObjects> {
  const all = new Map<string, LabelledObjects>();
  for (const part of parts)
    for (const [key, { labelled }] of Object.entries(part)) {
      const { targets, sources } = all.get(key) ?? { targets: [], sources: [] };
      if (labelled === undefined) continue;
      all.set(key, { targets: [...targets, ...labelled.targets], sources: [...sources, ...labelled.sources] });
    }
  return all;
}

function readPolicy({ document, origin }: PolicyDocument): Policy | undefined {
  try {
    return parsePolicy(document, origin);
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}
