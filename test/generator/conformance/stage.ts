import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { parseAllDocuments } from "yaml";
import type { ServedType } from "../../../src/generator/ports.ts";
import type { KubeClient } from "../../../src/kube/client.ts";
import { apiVersionOf } from "../../../src/resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../../../src/resources/object.ts";
import { onEnd, waitFor } from "../running.ts";

/** Many cases are played at once, beside other suites. */
const WAIT_MS = 40_000;

/**
 * One case of the suite: objects written as YAML in which `%x` stands for a name that is this case's own. Nothing but the API
 * server is asked, as Kyverno's own suite does.
 */
export class Stage {
  readonly #t: TestContext;
  readonly #client: KubeClient;
  readonly #types: readonly ServedType[];
  readonly #id: string;

  constructor(t: TestContext, client: KubeClient, types: readonly ServedType[], id: string) {
    this.#t = t;
    this.#client = client;
    this.#types = types;
    this.#id = id;
  }

  /** Creates these objects, or changes those that exist; they go with the test. */
  async apply(yaml: string): Promise<void> {
    for (const object of this.#read(yaml)) {
      const type = this.#typeOf(object.kind, object.apiVersion);
      const live = await this.#client.get(type, keyOf(object));
      if (live === undefined) await this.#create(type, object);
      else {
        const { resourceVersion, uid } = live.metadata;
        const metadata = { ...object.metadata, resourceVersion, uid } as KubeObject["metadata"];
        await this.#client.replace(type, { ...object, metadata });
      }
    }
  }

  /** The policies of `%p`: waits for the one condition that Kyverno writes. */
  async ready(policy: "ClusterPolicy" | "Policy %a" = "ClusterPolicy"): Promise<void> {
    const [kind = "", namespace = ""] = policy.split(" ");
    const key = { namespace: this.#own(namespace), name: this.#own("%p") };
    await waitFor(
      () => this.#client.get(this.#typeOf(kind), key),
      (found) => {
        const { metadata, status } = found as KubeObject & { status?: { conditions?: Record<string, unknown>[] } };
        const [only, ...others] = status?.conditions ?? [];
        const isCurrent = only?.["observedGeneration"] === metadata.generation;
        const { type, status: state, reason } = only ?? {};
        return isCurrent && others.length === 0 && `${type} ${state} ${reason}` === "Ready True Succeeded";
      },
      WAIT_MS,
    );
  }

  /** Waits until each of these objects is there with at least these fields. */
  async expect(yaml: string): Promise<void> {
    for (const object of this.#read(yaml)) {
      const type = this.#typeOf(object.kind, object.apiVersion);
      await waitFor(
        () => this.#client.get(type, keyOf(object)),
        (found) => found !== undefined && includes(found, object),
        WAIT_MS,
      );
    }
  }

  /** Waits until the object is gone. @param reference `Kind namespace/name`, `Kind name` */
  async gone(reference: string): Promise<void> {
    await waitFor(
      () => this.#find(reference),
      (found) => found === undefined || found.metadata.deletionTimestamp !== undefined,
      WAIT_MS,
    );
  }

  /** That there is no such object now: to be asked after something that comes later has been seen. */
  async absent(reference: string): Promise<void> {
    assert.equal(await this.#find(reference), undefined, reference);
  }

  async delete(reference: string): Promise<void> {
    const { type, key } = this.#locate(reference);
    await this.#client.delete(type, key);
  }

  /** Changes these fields, as somebody by hand. */
  async patch(reference: string, fields: object): Promise<void> {
    const { type, key } = this.#locate(reference);
    await this.#client.mergePatch(type, key, fields);
  }

  /** What `%x` stands for. */
  name(x: string): string {
    return this.#own(`%${x}`);
  }

  /** The value of a field that the server gave: `uid`. */
  async uid(reference: string): Promise<string> {
    return (await this.#find(reference))?.metadata.uid ?? "";
  }

  async #create(type: ServedType, object: KubeObject): Promise<void> {
    await this.#client.create(type, object);
    onEnd(this.#t, async () => void (await this.#client.delete(type, keyOf(object))));
  }

  #find(reference: string): Promise<KubeObject | undefined> {
    const { type, key } = this.#locate(reference);
    return this.#client.get(type, key);
  }

  #locate(reference: string): { type: ServedType; key: ObjectKey } {
    const [kind = "", place = ""] = this.#own(reference).split(" ");
    const [name = "", namespace = ""] = place.split("/").reverse();
    return { type: this.#typeOf(kind), key: { namespace, name } };
  }

  #read(yaml: string): KubeObject[] {
    return parseAllDocuments(this.#own(yaml)).map((document) => document.toJS() as KubeObject);
  }

  #own(text: string): string {
    return text.replace(/%(\w+)/g, `${this.#id}-$1`);
  }

  /** @param version of the API; the one that the server prefers where absent, `v1` of policies */
  #typeOf(kind: string, version?: string): ServedType {
    const isIt = (type: ServedType) => type.preferred || apiVersionOf(type) === "kyverno.io/v1";
    const found = this.#types.find(
      (type) => type.kind === kind && (version === undefined ? isIt(type) : apiVersionOf(type) === version),
    );
    if (found === undefined) throw new Error(`${kind} is not served`);
    return found;
  }
}

function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

/** Whether `found` has everything that `wanted` has; lists item by item. */
function includes(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return found === wanted;
  if (Array.isArray(wanted))
    return (
      Array.isArray(found) &&
      found.length === wanted.length &&
      wanted.every((item, index) => includes(found[index], item))
    );
  if (typeof found !== "object" || found === null) return false;
  return Object.entries(wanted).every(([key, value]) =>
    value === null ? !Object.hasOwn(found, key) : includes((found as Record<string, unknown>)[key], value),
  );
}
