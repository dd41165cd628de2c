import { randomInt, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../../resources/object.ts";
import { labelErrors, nameProblems, qualifiedNameProblems, tooLong } from "../kinds/names.ts";
import type { StatusCause } from "../protocol/api-error.ts";
import type { Resource } from "../resources/resource.ts";
import { forbidden, invalid, required } from "../schema/field-error.ts";

const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
const MAX_GENERATED_BASE = 58;
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Now, to the second, as every time in an object's metadata. */
export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

/** Gives a new object what only the server gives: a name from generateName, uid, time of creation, generation. */
export function stampNew(resource: Resource, { metadata }: KubeObject): void {
  if (!metadata.name && metadata.generateName) metadata.name = generatedName(metadata.generateName);
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp();
  for (const field of ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"])
    delete metadata[field];
  if (resource.rules.generation) metadata.generation = 1;
  else delete metadata.generation;
}

function generatedName(base: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)]);
  return `${base.slice(0, MAX_GENERATED_BASE)}${suffix.join("")}`;
}

const KEPT_FIELDS = [
  "uid",
  "creationTimestamp",
  "generation",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
];

/** Takes over from the live object what a client cannot change. */
export function keepServerFields({ metadata }: KubeObject, live: KubeObject): void {
  for (const field of KEPT_FIELDS) {
    if (live.metadata[field] === undefined) delete metadata[field];
    else metadata[field] = live.metadata[field];
  }
  if (live.metadata.generateName !== undefined) metadata.generateName ??= live.metadata.generateName;
}

/** True when anything outside metadata and status differs: what `metadata.generation` counts. */
export function contentDiffers(a: KubeObject, b: KubeObject, hasStatus: boolean): boolean {
  return !isDeepStrictEqual(contentOf(a, hasStatus), contentOf(b, hasStatus));
}

function contentOf(object: KubeObject, hasStatus: boolean): object {
  const { metadata: _, status, apiVersion: __, ...content } = object;
  return hasStatus || status === undefined ? content : { ...content, status };
}

/** What is wrong with an object's metadata, in a real server's words. */
export function metadataErrors(
  resource: Resource,
  { metadata }: KubeObject,
  live: KubeObject | undefined,
): StatusCause[] {
  const { name = "", labels = {}, annotations = {}, finalizers = [] } = metadata;
  const nameErrors =
    name === ""
      ? [required("metadata.name", "name or generateName is required")]
      : nameProblems(name, resource.rules.names ?? "subdomain").map((why) => invalid("metadata.name", name, why));
  return [
    ...(live === undefined ? nameErrors : []),
    ...labelErrors(labels, "metadata.labels"),
    ...annotationErrors(annotations),
    ...finalizers.flatMap((finalizer) =>
      qualifiedNameProblems(finalizer).map((why) => invalid("metadata.finalizers", finalizer, why)),
    ),
    ...(live === undefined ? [] : finalizerErrors(finalizers, live)),
  ];
}

function annotationErrors(annotations: Record<string, string>): StatusCause[] {
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  return [
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedNameProblems(key.toLowerCase()).map((why) => invalid("metadata.annotations", key, why)),
    ),
    ...(bytes > MAX_ANNOTATION_BYTES ? [tooLong("metadata.annotations", MAX_ANNOTATION_BYTES)] : []),
  ];
}

function finalizerErrors(finalizers: readonly string[], live: KubeObject): StatusCause[] {
  if (live.metadata.deletionTimestamp === undefined) return [];
  const added = finalizers.filter((finalizer) => !live.metadata.finalizers?.includes(finalizer));
  if (added.length === 0) return [];
  const list = `[]string{${added.map((one) => JSON.stringify(one)).join(", ")}}`;
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
  return [forbidden("metadata.finalizers", why)];
}
