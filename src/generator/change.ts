import { isDeepStrictEqual } from "node:util";
import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject, ManagedFieldsEntry } from "../resources/object.ts";
import type { ServedType } from "./ports.ts";
import type { ChangeRequest } from "./request.ts";

/** The last seen state of one object, without managedFields, and when each of its managers last wrote. */
export interface SeenObject {
  object: KubeObject;
  writers: ReadonlyMap<string, string>;
}

/** What is kept of an object. */
export function rememberObject(object: KubeObject): SeenObject {
  const { managedFields = [], ...metadata } = object.metadata;
  return { object: { ...object, metadata }, writers: new Map(managedFields.map(writerEntry)) };
}

function writerEntry(entry: ManagedFieldsEntry): [string, string] {
  const { manager = "", operation = "", subresource = "", time = "" } = entry;
  return [`${subresource}/${operation}/${manager}/${String(entry["apiVersion"] ?? "")}`, String(time)];
}

/**
 * The admission request that a modification would have been; undefined for one that triggers nothing: a write to a
 * subresource (status, scale), or a change of status alone.
 */
export function requestForUpdate(old: SeenObject, next: SeenObject, type: ServedType): ChangeRequest | undefined {
  const wasTerminating = old.object.metadata.deletionTimestamp !== undefined;
  if (!wasTerminating && next.object.metadata.deletionTimestamp !== undefined) return requestForDelete(old, type);
  if (isSubresourceWrite(old, next, type) || (type.hasStatus && differsInStatusOnly(old.object, next.object)))
    return undefined;
  return { operation: "UPDATE", type, object: next.object, oldObject: old.object };
}

export function requestForCreate({ object }: SeenObject, type: ResourceType): ChangeRequest {
  return { operation: "CREATE", type, object, oldObject: undefined };
}

/** The deleted object is both the object and the old object. */
export function requestForDelete({ object }: SeenObject, type: ResourceType): ChangeRequest {
  return { operation: "DELETE", type, object, oldObject: object };
}

/** The request of an object that is looked at again although nothing happened to it. */
export function requestForExisting(object: KubeObject, type: ResourceType): ChangeRequest {
  return { operation: "", type, object, oldObject: undefined };
}

/**
 * Whether all managers that wrote since wrote to a subresource. A write that only removes fields leaves no such trace. To
 * Kyverno, a Pod's ephemeral containers are the Pod itself.
 */
function isSubresourceWrite(old: SeenObject, next: SeenObject, { kind }: ServedType): boolean {
  const isOfObject = (writer: string) =>
    writer.startsWith("/") || (kind === "Pod" && writer.startsWith("ephemeralcontainers/"));
  const written = [...next.writers].filter(([writer, time]) => old.writers.get(writer) !== time);
  return written.length > 0 && written.every(([writer]) => !isOfObject(writer));
}

function differsInStatusOnly(old: KubeObject, next: KubeObject): boolean {
  return isDeepStrictEqual(withoutStatus(old), withoutStatus(next));
}

function withoutStatus({ status: _, metadata, ...rest }: KubeObject): object {
  const { resourceVersion: __, ...meta } = metadata;
  return { ...rest, metadata: meta };
}

/** Whether `version` is not newer than `known`: resource versions are numbers that grow, as far as they are numbers. */
export function isStale(version: string, known: string): boolean {
  if (version === known) return true;
  return /^\d+$/.test(version) && /^\d+$/.test(known) && BigInt(version) < BigInt(known);
}

/** The oldest of these versions; undefined of none. */
export function oldestVersion(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (oldest, each) => (oldest !== undefined && isStale(oldest, each) ? oldest : each),
    undefined,
  );
}

/** The newest of these versions; undefined of none. */
export function newestVersion(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (newest, each) => (newest !== undefined && isStale(each, newest) ? newest : each),
    undefined,
  );
}
