import { isObject } from "../resources/fields.ts";
import { SECRET } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../resources/object.ts";
import {
  CheckpointError,
  type CheckpointIndex,
  type CheckpointPart,
  decodeIndex,
  decodePart,
  encode,
} from "./checkpoint.ts";
import { type Cluster, isApiError } from "./ports.ts";

/** How many Secrets take the objects once they do not fit beside the index. */
export const PARTS = 16;

/** Keeps a checkpoint in Secrets, since sources may be Secrets: `NAME`, and `NAME-0` to `NAME-15` where it is large. */
export class CheckpointStore {
  readonly #cluster: Pick<Cluster, "get" | "create" | "mergePatch">;
  readonly #key: ObjectKey;
  /** Of each Secret, as last read or written: what someone else wrote since is seen. */
  readonly #versions = new Map<string, string>();
  /** The version of the last write. */
  #lastVersion = "";

  /** @param key namespace and name of the first Secret */
  constructor(cluster: Pick<Cluster, "get" | "create" | "mergePatch">, key: ObjectKey) {
    this.#cluster = cluster;
    this.#key = key;
  }

  /** A version that the cluster has reached; "" before the first write. */
  get lastVersion(): string {
    return this.#lastVersion;
  }

  /** Undefined where there is none. @throws CheckpointError, ApiError, or the signal's reason */
  async read(
    signal: AbortSignal,
  ): Promise<{ index: CheckpointIndex; parts: CheckpointPart[]; isSplit: boolean } | undefined> {
    const { index: encoded, objects } = await this.#get(this.#key.name, signal);
    if (encoded === undefined) return undefined;
    const index = await decodeIndex(encoded);
    if (objects !== undefined) return { index, parts: [await decodePart(objects)], isSplit: false };
    const parts: CheckpointPart[] = [];
    for (let number = 0; number < PARTS; number += 1) {
      const name = this.#partName(number);
      const part = await this.#get(name, signal);
      if (part["objects"] === undefined) throw new CheckpointError(`it is damaged: the Secret ${name} is missing`);
      parts.push(await decodePart(part["objects"], part["update"]));
    }
    return { index, parts, isSplit: true };
  }

  /** Writes the index, with all objects where they fit beside it; else the parts have to be written before. @throws ApiError */
  async writeIndex(index: CheckpointIndex, objects: string | undefined, signal: AbortSignal): Promise<void> {
    await this.#put(this.#key.name, { index: await encode(index), objects: objects ?? null }, signal);
  }

  /** Writes a part whole. @throws ApiError */
  async writePart(number: number, objects: string, signal: AbortSignal): Promise<void> {
    await this.#put(this.#partName(number), { objects, update: null }, signal);
  }

  /**
   * Writes what is different since this process wrote the part whole, in the place of what was before. Resolves with false where
   * somebody else wrote the part since: then nothing is written.
   * @throws ApiError
   */
  async writeUpdate(number: number, update: string, signal: AbortSignal): Promise<boolean> {
    const name = this.#partName(number);
    const known = this.#versions.get(name);
    if (known === undefined) return false;
    try {
      await this.#patch({ ...this.#key, name }, { update }, known, signal);
      return true;
    } catch (error) {
      if (isApiError(error) && error.reason === "Conflict") return false;
      throw error;
    }
  }

  /** Leaves nothing to go on from. @throws ApiError */
  async forget(signal: AbortSignal): Promise<void> {
    const { index } = await this.#get(this.#key.name, signal);
    if (index !== undefined) await this.#put(this.#key.name, { index: null, objects: null }, signal);
  }

  async #get(name: string, signal: AbortSignal): Promise<Record<string, string>> {
    const found = await this.#cluster.get(SECRET, { ...this.#key, name }, signal);
    this.#note(name, found);
    const data = found?.["data"];
    return isObject(data) ? (data as Record<string, string>) : {};
  }

  async #put(name: string, data: Record<string, string | null>, signal: AbortSignal): Promise<void> {
    const key = { ...this.#key, name };
    if (!this.#versions.has(name)) await this.#get(name, signal);
    const known = this.#versions.get(name);
    if (known === undefined) return this.#create(key, data, signal);
    try {
      await this.#patch(key, data, known, signal);
    } catch (error) {
      if (!isApiError(error) || error.reason !== "Conflict") throw error;
      // A leader before this one wrote late. The caller holds the Lease, so what it knows is newer.
      await this.#get(name, signal);
      await this.#patch(key, data, this.#versions.get(name) ?? known, signal);
    }
  }

  async #patch(key: ObjectKey, data: object, resourceVersion: string, signal: AbortSignal): Promise<void> {
    const patch = { metadata: { resourceVersion }, data };
    this.#wrote(key.name, await this.#cluster.mergePatch(SECRET, key, patch, { answer: "metadata" }, signal));
  }

  async #create(key: ObjectKey, data: Record<string, string | null>, signal: AbortSignal): Promise<void> {
    const given = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
    const secret = { apiVersion: "v1", kind: SECRET.kind, metadata: { ...key }, type: "Opaque", data: given };
    this.#wrote(key.name, await this.#cluster.create(SECRET, secret, signal));
  }

  #wrote(name: string, secret: KubeObject): void {
    this.#note(name, secret);
    this.#lastVersion = secret.metadata.resourceVersion ?? this.#lastVersion;
  }

  #note(name: string, secret: KubeObject | undefined): void {
    const version = secret?.metadata.resourceVersion;
    if (version === undefined) this.#versions.delete(name);
    else this.#versions.set(name, version);
  }

  #partName(number: number): string {
    return `${this.#key.name}-${number}`;
  }
}
