import { RecentSet } from "../control/recent-set.ts";
import type { KubeObject } from "../resources/object.ts";

const REMEMBERED = 20_000;

/** Remembers which versions of which objects this generator wrote, so that its own targets do not trigger its rules. */
export class OwnWrites {
  readonly #written = new RecentSet<string>(REMEMBERED);
  readonly #deleted = new RecentSet<string>(REMEMBERED);
  readonly #pending = new Map<string, Promise<unknown>>();
  readonly #onWritten: (object: KubeObject) => void;

  /** @param onWritten called with what the API server answered to each write */
  constructor(onWritten: (object: KubeObject) => void = () => {}) {
    this.#onWritten = onWritten;
  }

  /** Does `write`; an event about the object can arrive before the answer does, and waits for it in {@link includes}. */
  async during(kind: string, object: KubeObject, write: () => Promise<KubeObject>): Promise<KubeObject> {
    const place = placeOf(kind, object);
    const done = write();
    const settled = done.catch(() => undefined);
    this.#pending.set(place, settled);
    try {
      const written = await done;
      this.note(written);
      this.#onWritten(written);
      return written;
    } finally {
      if (this.#pending.get(place) === settled) this.#pending.delete(place);
    }
  }

  /** Whether this very version of the object was written here. */
  async includes(kind: string, object: KubeObject): Promise<boolean> {
    await this.#pending.get(placeOf(kind, object));
    return this.#written.has(versionOf(object));
  }

  /** To be called before the object of this UID is deleted. */
  willDelete(uid: string): void {
    this.#deleted.add(uid);
  }

  /** Whether the object of this UID was deleted here. */
  deleted(uid: string): boolean {
    return this.#deleted.has(uid);
  }

  /** Remembers that this version of the object was written here. */
  note(object: KubeObject): void {
    this.#written.add(versionOf(object));
  }
}

function versionOf({ metadata }: KubeObject): string {
  return `${metadata.uid}/${metadata.resourceVersion}`;
}

function placeOf(kind: string, { metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
