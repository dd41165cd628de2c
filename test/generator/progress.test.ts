import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { rememberObject, type SeenObject } from "../../src/generator/change.ts";
import type { RecordedChange } from "../../src/generator/known-source.ts";
import { type OpenChange, Progress } from "../../src/generator/progress.ts";
import type { KubeObject } from "../../src/resources/object.ts";

/** Large enough that a checkpoint holds few changes of it. */
const PAD = "x".repeat(40_000);

type Step = { what: "change"; uid: string } | { what: "end"; which: number };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constant("change" as const), uid: fc.constantFrom("a", "b", "c") }),
  fc.record({ what: fc.constant("end" as const), which: fc.nat() }),
);

function objectOf(uid: string, version: number): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { uid, resourceVersion: String(version) }, data: { PAD } };
}

const versionOf = (object: KubeObject | undefined) => Number(object?.metadata.resourceVersion ?? 0);

/** A kind that one watch follows: it holds its position before the changes that no checkpoint holds. */
class Followed {
  readonly seen = new Map<string, SeenObject>();
  readonly progress = new Progress({ seen: this.seen, deleted: new Map() });
  readonly changes: RecordedChange[] = [];
  open: { entry: OpenChange; version: number }[] = [];

  play(step: Step): void {
    if (step.what === "end") {
      const [ended] = this.open.splice(step.which % Math.max(1, this.open.length), 1);
      if (ended !== undefined) this.progress.end(ended.entry);
      return;
    }
    const { uid } = step;
    const version = this.changes.length + 1;
    const before = this.seen.get(uid);
    const object = objectOf(uid, version);
    const change = { operation: "UPDATE" as const, object, oldObject: before?.object, changedAt: String(version) };
    this.changes.push(change);
    this.seen.set(uid, rememberObject(object));
    this.open.push({ entry: this.progress.begin(uid, before, change), version });
  }

  /** Everything up to it is done, or in the checkpoint. */
  get position(): number {
    const held = this.open.filter(({ entry }) => !entry.isRecorded).map(({ version }) => version - 1);
    return Math.min(this.changes.length, ...held);
  }

  /** What the checkpoint holds of changes. */
  recorded(): { version: number; before: number }[] {
    return [...this.progress.recorded()].map(({ object, oldObject }) => ({
      version: versionOf(object),
      before: versionOf(oldObject),
    }));
  }

  /** What a restart looks at: what the checkpoint holds, and what the watch tells that is newer than the objects in it. */
  lookedAtAfterRestart(): { version: number; before: number }[] {
    const known = new Map([...this.progress.settled()].map(({ object }) => [object.metadata.uid, versionOf(object)]));
    const told = this.changes.slice(this.position).flatMap(({ object }) => {
      const { uid } = object.metadata;
      const [version, before] = [versionOf(object), known.get(uid) ?? 0];
      if (version <= before) return [];
      known.set(uid, version);
      return [{ version, before }];
    });
    return [...this.recorded(), ...told];
  }
}

test("a restart looks at every change that was under way once, with the object as it was before", () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 40, size: "max" }), (steps) => {
      const followed = new Followed();
      for (const step of steps) {
        followed.play(step);
        const looked = followed.lookedAtAfterRestart();
        const versions = looked.map(({ version }) => version);
        assert.equal(new Set(versions).size, versions.length, "each once");
        const open = new Set(followed.open.map(({ version }) => version));
        for (const { version } of followed.recorded()) assert.ok(open.has(version), `${version} is not done`);
        for (const version of open) assert.ok(versions.includes(version), `${version} is looked at`);
        for (const { version, before } of looked)
          assert.equal(before, versionOf(followed.changes[version - 1]?.oldObject), `before ${version}`);
      }
    }),
    { numRuns: 100 },
  );
});

test("changes that a checkpoint has room for do not hold the position of their watch", () => {
  const followed = new Followed();
  followed.play({ what: "change", uid: "a" });
  followed.play({ what: "change", uid: "b" });
  assert.equal(followed.position, 2);
  for (let count = 0; count < 10; count += 1) followed.play({ what: "change", uid: "c" });
  assert.ok(followed.position < 12);
});
