/** What happens to targets and clone sources while no generator runs. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { UPDATE_REQUEST } from "../../src/generator/update-request.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { Json } from "../../src/resources/object.ts";
import { openWorld, startReady, type World } from "./restarts.ts";
import { clusterPolicy, createPolicy, isCreated, isPolicyReady, list, waitFor, writeConfigMap } from "./running.ts";

const TRIGGER = "go";

/** A policy of synchronized rules, and a generator that has made what they say for ConfigMap `go`, which has this much padding. */
async function begin(t: TestContext, blocks: (world: World) => { [key: string]: Json }[], characters = 0) {
  const world = await openWorld(t);
  const { client, source } = world;
  const resources = { kinds: ["ConfigMap"], namespaces: [source], names: [TRIGGER] };
  const rules = blocks(world).map((generate) => ({
    match: { any: [{ resources }] },
    generate: { synchronize: true, ...generate },
  }));
  await createPolicy(t, client, clusterPolicy(source, rules));
  await writeConfigMap(
    client,
    { namespace: source, name: "origin" },
    { from: "origin" },
    { labels: { listed: source } },
  );
  const first = await startReady(t, world);
  await first.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1", padding: "p".repeat(characters) });
  await waitFor(
    async () => first.records.filter(isCreated),
    (made) => made.length === rules.length,
  );
  return { world, first };
}

const found = ({ client, target }: World, name: string) => client.get(CONFIG_MAP, { namespace: target, name });
const data = ({ target }: World, name = "made") => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: target,
  name,
  data: { data: { x: "{{ request.object.data.x }}" } },
});
const clone = ({ source, target }: World) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: target,
  name: "copied",
  clone: { namespace: source, name: "origin" },
});
const cloneList = ({ source, target }: World) => ({
  namespace: target,
  cloneList: { namespace: source, kinds: ["v1/ConfigMap"], selector: { matchLabels: { listed: source } } },
});

for (const [where, characters] of [
  ["one Secret", 0],
  ["many Secrets", 300_000],
] as const)
  test(`targets that were deleted while the generator was down are made again, from a checkpoint of ${where}`, async (t) => {
    const { world, first } = await begin(t, (place) => [data(place), clone(place), cloneList(place)], characters);
    await first.stop();
    for (const name of ["made", "copied", "origin"])
      await world.client.delete(CONFIG_MAP, { namespace: world.target, name });
    await startReady(t, world);
    for (const name of ["made", "copied", "origin"])
      await waitFor(
        () => found(world, name),
        (object) => object !== undefined,
      );
  });

test("copies whose source was deleted while the generator was down go, and nothing fails for its absence", async (t) => {
  const { world, first } = await begin(t, (place) => [data(place), clone(place), cloneList(place)]);
  await first.stop();
  await world.client.delete(CONFIG_MAP, { namespace: world.source, name: "origin" });
  const second = await startReady(t, world);
  for (const name of ["copied", "origin"])
    await waitFor(
      () => found(world, name),
      (object) => object === undefined,
    );
  await second.stop();
  assert.notEqual(await found(world, "made"), undefined);
  assert.deepEqual(
    (await list(world.client, UPDATE_REQUEST, world.target)).map(({ metadata }) => metadata.name),
    [],
  );
  assert.deepEqual(
    second.records.filter(({ msg }) => /fail/.test(msg)),
    [],
  );
});

test("a copy follows its source, which was changed while the generator was down", async (t) => {
  const { world, first } = await begin(t, (place) => [clone(place)]);
  await first.stop();
  await writeConfigMap(world.client, { namespace: world.source, name: "origin" }, { from: "changed" });
  await startReady(t, world);
  await waitFor(
    () => found(world, "copied"),
    (object) => (object?.["data"] as { from?: string } | undefined)?.from === "changed",
  );
});

test("a target whose trigger was deleted, too, while the generator was down stays away", async (t) => {
  const { world, first } = await begin(t, (place) => [data(place)]);
  await first.stop();
  await world.client.delete(CONFIG_MAP, { namespace: world.target, name: "made" });
  await world.client.delete(CONFIG_MAP, { namespace: world.source, name: TRIGGER });
  await writeConfigMap(world.client, { namespace: world.source, name: "later" }, {});
  const second = await startReady(t, world);
  await second.stop();
  assert.equal(await found(world, "made"), undefined);
});
