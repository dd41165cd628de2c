import assert from "node:assert/strict";
import test from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { guardWrites } from "../../src/app/lease-guard.ts";
import { CHECKPOINT_VERSION, decodePart, encode } from "../../src/generator/checkpoint.ts";
import { fitPart } from "../../src/generator/checkpoint-part.ts";
import { CheckpointStore, PARTS } from "../../src/generator/checkpoint-store.ts";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import type { GeneratorPorts } from "../../src/generator/ports.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { CONFIG_MAP, NOTIFICATION_MESSAGE, SECRET } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { openWorld, settle, startReady, tellingRule, told } from "./restarts.ts";
import {
  CHECKPOINT,
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  list,
  portsOf,
  waitFor,
  withCreate,
  writeConfigMap,
} from "./running.ts";

/** The API server, where it remembers nothing of what was. */
function forgetful(client: KubeClient): GeneratorPorts["watch"] {
  const { watch } = portsOf(client);
  return (type, { resourceVersion: _, ...options }, handlers, signal) => watch(type, options, handlers, signal);
}

for (const how of ["the API server remembers", "the API server does not remember"] as const) {
  test(`what happened while the generator was down generates once when it is back, if ${how} it`, async (t) => {
    const world = await openWorld(t);
    const { client, source: namespace } = world;
    await createPolicy(t, client, clusterPolicy(namespace, [tellingRule(world, ["a", "b", "c", "z"])]));
    for (const name of ["a", "b"]) await writeConfigMap(client, { namespace, name }, { x: "1" });
    const first = await startReady(t, world);
    await first.logged(isPolicyReady);
    await first.stop();
    await writeConfigMap(client, { namespace, name: "a" }, { x: "2" });
    await writeConfigMap(client, { namespace, name: "a" }, { x: "3" });
    await client.delete(CONFIG_MAP, { namespace, name: "b" });
    await writeConfigMap(client, { namespace, name: "c" }, { x: "1" });
    const second = await startReady(t, world, how === "the API server remembers" ? {} : { watch: forgetful(client) });
    await settle(world, second, "z");
    const updates = how === "the API server remembers" ? ["UPDATE 1 2", "UPDATE 2 3"] : ["UPDATE 1 3"];
    const changes = (await told(world, updates.length + 3)).filter((change) => !/0\./.test(change));
    assert.deepEqual(changes, ["CREATE - 1", "DELETE 1 1", ...updates]);
  });
}

test("a change that was under way is done after a restart, though the API server has forgotten it", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace } = world;
  await createPolicy(t, client, clusterPolicy(namespace, [tellingRule(world, ["a", "z"])]));
  await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
  const begun = Promise.withResolvers<void>();
  const never: typeof client.create = async (type, object, signal) => {
    if (object.metadata.name?.startsWith("t-update-a-") !== true) return client.create(type, object, signal);
    begun.resolve();
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  };
  const first = await startReady(t, world, { cluster: withCreate(client, never) });
  await first.logged(isPolicyReady);
  await writeConfigMap(client, { namespace, name: "a" }, { x: "2" });
  await begun.promise;
  await first.stop();
  await writeConfigMap(client, { namespace, name: "a" }, { x: "3" });
  const second = await startReady(t, world, { watch: forgetful(client) });
  await settle(world, second, "z");
  assert.deepEqual((await told(world, 2, "t-update-a")).sort(), ["UPDATE 1 2", "UPDATE 2 3"]);
});

test("a policy that came while the generator was down takes what it finds as it is, the others do not", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace } = world;
  await createPolicy(t, client, clusterPolicy(namespace, [tellingRule(world, ["a"], "known")]));
  await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
  const first = await startReady(t, world);
  await first.stop();
  const late = [tellingRule(world, ["a", "b"], "late")];
  await createPolicy(t, client, clusterPolicy(`${namespace}-late`, late));
  await writeConfigMap(client, { namespace, name: "a" }, { x: "2" });
  await writeConfigMap(client, { namespace, name: "b" }, { x: "1" });
  const second = await startReady(t, world);
  assert.deepEqual(await told(world, 1, "known"), ["UPDATE 1 2"]);
  await writeConfigMap(client, { namespace, name: "b" }, { x: "2" });
  await second.logged(({ msg, target }) => isCreated({ msg }) && String(target).includes("/late-"));
  assert.deepEqual(await told(world, 1, "late"), ["UPDATE 1 2"]);
});

test("what a synchronized policy made goes when the policy was deleted while the generator was down", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace, target } = world;
  const rule = tellingRule(world, ["a"], "t", { synchronize: true, name: "t-made" });
  const policy = clusterPolicy(namespace, [
    { ...rule, match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [namespace], names: ["a"] } }] } },
  ]);
  await client.create(CLUSTER_POLICY, policy);
  const first = await startReady(t, world);
  await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
  await first.logged(isCreated);
  await first.stop();
  await client.delete(CLUSTER_POLICY, { namespace: "", name: namespace });
  await startReady(t, world);
  await waitFor(
    () => client.get(CONFIG_MAP, { namespace: target, name: "t-made" }),
    (found) => found === undefined,
  );
});

test("a target that was consumed before the checkpoint was written is not made again", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace, target } = world;
  const rule = tellingRule(world, ["a", "z"]);
  const generate = {
    ...rule.generate,
    apiVersion: "aitextensions.alauda.io/v1beta1",
    kind: "NotificationMessage",
    data: { spec: { notifications: [{ name: "nobody" }] } },
  };
  await createPolicy(t, client, clusterPolicy(namespace, [{ ...rule, generate }]));
  await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
  let isLost = false;
  const cluster = guardWrites(client, () => !isLost);
  const first = await startReady(t, world, { cluster });
  await first.logged(isPolicyReady);
  const made = first.logged(isCreated);
  await writeConfigMap(client, { namespace, name: "a" }, { x: "2" });
  await made;
  isLost = true; // nothing is written from now on, as if the process had died
  await first.stop();
  const [message] = await list(client, NOTIFICATION_MESSAGE, target);
  const name = message?.metadata.name ?? "";
  await client.delete(NOTIFICATION_MESSAGE, { namespace: target, name });
  const second = await startReady(t, world);
  await settle(world, second, "z");
  const again = second.records.filter(isCreated).map(({ target: path }) => String(path));
  assert.deepEqual(
    again.filter((path) => path.endsWith(name)),
    [],
  );
});

test("what happens after a restart does not wait until it is known what was made before", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace } = world;
  await createPolicy(t, client, clusterPolicy(namespace, [tellingRule(world, ["a"])]));
  const first = await startReady(t, world);
  await settle(world, first, "a");
  await first.stop();
  await writeConfigMap(client, { namespace, name: "a" }, { x: "while down" });
  const end = Promise.withResolvers<void>();
  const history: GeneratorPorts["history"] = () => ({
    [Symbol.asyncIterator]: () => ({
      next: () => end.promise.then(() => ({ done: true as const, value: undefined })),
    }),
  });
  const second = await startReady(t, world, { history });
  await settle(world, second, "a");
  const madeBefore = (await told(world, 2)).filter((change) => change.endsWith(" while down"));
  end.resolve();
  assert.equal((await told(world, 3)).filter((change) => change.endsWith(" while down")).length, 1);
  assert.deepEqual(madeBefore, []);
});

for (const [what, index, because] of [
  ["damaged", "bm90IGd6aXA=", /it is damaged: /],
  [
    "of another version",
    gzipSync('{"version":99}').toString("base64"),
    /it is of version 99, and this courier reads versions 1 and 2/,
  ],
] as const) {
  test(`a checkpoint that is ${what} is told, and the generator starts as for the first time`, async (t) => {
    const world = await openWorld(t);
    const { client, source: namespace, target } = world;
    await createPolicy(t, client, clusterPolicy(namespace, [tellingRule(world, ["a"])]));
    await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
    const metadata = { namespace: target, name: CHECKPOINT };
    await client.create(SECRET, { apiVersion: "v1", kind: "Secret", metadata, data: { index } });
    const generator = await startReady(t, world);
    const { problem } = await generator.logged(({ msg }) => msg === "the checkpoint is not used");
    assert.match(String(problem), because);
    await settle(world, generator, "a");
    assert.equal((await told(world, 1)).length, 1);
    const written = await waitFor(
      async () => ((await client.get(SECRET, metadata))?.["data"] as { index: string } | undefined)?.index ?? "",
      (found) => found !== index,
    );
    const { version } = JSON.parse(gunzipSync(Buffer.from(written, "base64")).toString()) as { version: number };
    assert.equal(version, CHECKPOINT_VERSION);
  });
}

test("objects that do not fit beside the index go into further Secrets, and come back from there", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace, target } = world;
  await createPolicy(t, client, clusterPolicy(namespace, [tellingRule(world, ["big-*", "z"])]));
  const names = ["big-1", "big-2", "big-3"];
  for (const name of names) await writeConfigMap(client, { namespace, name }, { x: "1", padding: "p".repeat(100_000) });
  const first = await startReady(t, world);
  await first.stop();
  const secrets = (await list(client, SECRET, target)).map(({ metadata }) => metadata.name);
  assert.ok(Array.from({ length: PARTS }, (_, number) => secrets.includes(`${CHECKPOINT}-${number}`)).every(Boolean));
  for (const name of names) await writeConfigMap(client, { namespace, name }, { x: "2" });
  const second = await startReady(t, world);
  await settle(world, second, "z");
  const changes = (await told(world, names.length + 1)).filter((change) => !/0\./.test(change));
  assert.deepEqual(changes, ["UPDATE 1 2", "UPDATE 1 2", "UPDATE 1 2"]);
});

test("where not all objects have room, the largest stay out", async () => {
  const object = (uid: string, size: number): readonly [KubeObject, [string, string][]] => {
    const data = { noise: Array.from({ length: size }, () => Math.random().toString(36)).join("") };
    return [{ apiVersion: "v1", kind: "ConfigMap", metadata: { uid }, data }, []];
  };
  const part = { "v1/ConfigMap": { objects: [object("large", 20_000), object("small", 10)], deleted: [] } };
  const { data, left } = await fitPart(part, 10_000);
  assert.deepEqual(left, ["v1/ConfigMap"]);
  const kept = (await decodePart(data))["v1/ConfigMap"]?.objects.map(([{ metadata }]) => metadata.uid);
  assert.deepEqual(kept, ["small"]);
});

test("a leader that lost its Lease writes no checkpoint, and its successor writes over what it wrote late", async (t) => {
  const { client, target } = await openWorld(t);
  const key = { namespace: target, name: CHECKPOINT };
  const signal = AbortSignal.timeout(10_000);
  const write = async (store: CheckpointStore, madeAfter: string) =>
    store.writeIndex(
      { version: CHECKPOINT_VERSION, madeAfter, documents: {}, policies: [], sources: {} },
      await encode({}),
      signal,
    );
  let isHeld = true;
  const old = new CheckpointStore(
    guardWrites(client, () => isHeld),
    key,
  );
  await write(old, "1");
  const next = new CheckpointStore(client, key);
  await next.read(signal);
  await write(old, "late"); // it was under way when the Lease was lost
  await write(next, "2");
  isHeld = false;
  await assert.rejects(write(old, "later"), /the Lease is not held/);
  assert.equal((await next.read(signal))?.index.madeAfter, "2");
});
