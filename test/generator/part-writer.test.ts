import assert from "node:assert/strict";
import test from "node:test";
import { rememberObject, type SeenObject } from "../../src/generator/change.ts";
import { CHECKPOINT_VERSION, encode } from "../../src/generator/checkpoint.ts";
import { CheckpointStore, PARTS } from "../../src/generator/checkpoint-store.ts";
import { PartWriter } from "../../src/generator/part-writer.ts";
import { SECRET } from "../../src/resources/kinds.ts";
import { openWorld } from "./restarts.ts";
import { CHECKPOINT } from "./running.ts";

function seenObject(uid: string, version: number): SeenObject {
  const metadata = { uid, name: uid, resourceVersion: String(version) };
  return rememberObject({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { x: `${uid} at ${version}` } });
}

const STEPS: [what: string, change: (objects: Map<string, SeenObject>) => void, isWhole: boolean][] = [
  ["at first", () => {}, true],
  ["where one is changed", (objects) => objects.set("u1", seenObject("u1", 2)), false],
  ["where one is changed again", (objects) => objects.set("u1", seenObject("u1", 3)), false],
  ["where one is gone", (objects) => objects.delete("u2"), false],
  ["where one has come", (objects) => objects.set("u99", seenObject("u99", 4)), false],
  [
    "where most are changed",
    (objects) => {
      for (const uid of objects.keys()) objects.set(uid, seenObject(uid, 5));
    },
    true,
  ],
  ["where one is changed after that", (objects) => objects.set("u3", seenObject("u3", 6)), false],
];

test("what is read back of a part is what was last written, be it whole or only what changed", async (t) => {
  const { client, target: namespace } = await openWorld(t);
  const key = { namespace, name: CHECKPOINT };
  const signal = AbortSignal.timeout(60_000);
  const store = new CheckpointStore(client, key);
  const index = { version: CHECKPOINT_VERSION, madeAfter: "", documents: {}, policies: [], sources: {} };
  for (let number = 0; number < PARTS; number += 1) await store.writePart(number, await encode({}), signal);
  await store.writeIndex(index, undefined, signal);
  const writer = new PartWriter(store, 0);
  const objects = new Map(Array.from({ length: 20 }, (_, each) => [`u${each}`, seenObject(`u${each}`, 1)]));

  const secretKey = { namespace, name: `${CHECKPOINT}-0` };
  const wholeOf = async () =>
    ((await client.get(SECRET, secretKey))?.["data"] as { objects?: string } | undefined)?.objects;
  const writeAndRead = async (what: string) => {
    const deleted = [["gone", "7"] as const];
    const content = { "v1/ConfigMap": { objects: [...objects.values()], deleted, open: [] } };
    await writer.write(content, signal);
    const read = (await new CheckpointStore(client, key).read(signal))?.parts[0]?.["v1/ConfigMap"];
    const found = new Map(read?.objects.map(([object]) => [object.metadata.uid, object]));
    assert.deepEqual(found, new Map([...objects].map(([uid, { object }]) => [uid, object])), what);
    assert.deepEqual(read?.deleted, deleted);
  };
  for (const [what, change, isWhole] of STEPS) {
    const before = await wholeOf();
    change(objects);
    await writeAndRead(what);
    assert.equal((await wholeOf()) !== before, isWhole, `${what}: whether the part is written whole`);
  }
  const other = new CheckpointStore(client, key);
  await other.writePart(0, await encode({}), signal); // by a leader before this one, late
  objects.set("u4", seenObject("u4", 8));
  await writeAndRead("where somebody else wrote the part since");
});
