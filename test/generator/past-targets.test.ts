import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { guardWrites } from "../../src/app/lease-guard.ts";
import type { CheckpointIndex } from "../../src/generator/checkpoint.ts";
import type { GeneratorPorts } from "../../src/generator/ports.ts";
import { UPDATE_REQUEST } from "../../src/generator/update-request.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import { NOTIFICATION_MESSAGE, SECRET } from "../../src/resources/kinds.ts";
import { openWorld, settle, startReady, tellingRule, type World } from "./restarts.ts";
import {
  CHECKPOINT,
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  type LogRecord,
  list,
  portsOf,
  sandboxKubeconfig,
  waitFor,
  withCreate,
  writeConfigMap,
} from "./running.ts";

/** A rule that makes a message for each change of the ConfigMap `a`. */
function messagingRule(world: World, prefix: string) {
  const rule = tellingRule(world, ["a"], prefix);
  const kind = { apiVersion: "aitextensions.alauda.io/v1beta1", kind: "NotificationMessage" };
  const data = { spec: { notifications: [{ name: "nobody" }] } };
  return { ...rule, generate: { ...rule.generate, ...kind, data } };
}

/** A cluster that refuses to create what is called `prefix`-something. */
function refusing(client: KubeClient, prefix: string): KubeClient {
  return withCreate(client, async (type, object, signal) => {
    if (!object.metadata.name?.startsWith(`${prefix}-`)) return client.create(type, object, signal);
    throw new KubeError({ code: 403, reason: "Forbidden", message: "not that one" });
  });
}

/** A cluster in which a message is consumed as soon as it is there. */
function consuming(client: KubeClient): KubeClient {
  return withCreate(client, async (type, object, signal) => {
    const created = await client.create(type, object, signal);
    const { namespace = "", name = "" } = object.metadata;
    if (type.kind === NOTIFICATION_MESSAGE.kind) await client.delete(type, { namespace, name });
    return created;
  });
}

/** What the checkpoint's index says. */
async function indexOf({ client, target }: World): Promise<CheckpointIndex> {
  const secret = await client.get(SECRET, { namespace: target, name: CHECKPOINT });
  const { index = "" } = (secret?.["data"] ?? {}) as { index?: string };
  return JSON.parse(gunzipSync(Buffer.from(index, "base64")).toString()) as CheckpointIndex;
}

/** The API server, which remembers what was made after `version` alone. */
function forgetfulOf(client: KubeClient, version: string): GeneratorPorts["history"] {
  const { history } = portsOf(client);
  return (type, query, signal) => {
    if (BigInt(query.resourceVersion) >= BigInt(version)) return history(type, query, signal);
    throw new KubeError({ code: 410, reason: "Expired", message: "too old resource version" });
  };
}

/** The history of the API server, of which it is never said that all of the world's messages have come. */
function endlessOf({ client, target }: World): GeneratorPorts["history"] {
  const { history } = portsOf(client);
  return async function* (type, query, signal) {
    yield* history(type, query, signal);
    const isEndless = type.kind === NOTIFICATION_MESSAGE.kind && query.namespace === target;
    if (isEndless) await pause(60_000, undefined, { signal });
  };
}

test("what was found to be made stays known to whoever comes next, though the API server has forgotten it", async (t) => {
  const world = await openWorld(t, await sandboxKubeconfig(t)); // what is remembered is scripted, for all policies there are
  const { client, source: namespace, target } = world;
  const rules = [
    messagingRule(world, "t"),
    messagingRule(world, "u"),
    tellingRule(world, ["z"], "t", { synchronize: true }),
  ];
  await createPolicy(t, client, clusterPolicy(namespace, rules));
  await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
  /** A generator that can lose the right to write, as if the process had died. */
  const startMortal = async (history = portsOf(client).history, open: GeneratorPorts["cluster"] = client) => {
    let isAlive = true;
    const generator = await startReady(t, world, { cluster: guardWrites(open, () => isAlive), history });
    const die = async () => {
      isAlive = false;
      await generator.stop();
    };
    return { ...generator, die };
  };
  const first = await startMortal(portsOf(client).history, refusing(client, "u"));
  await first.logged(isPolicyReady);
  const { metadata } = await writeConfigMap(client, { namespace, name: "a" }, { x: "2" });
  const name = `t-update-a-${metadata.resourceVersion}`;
  const other = `u-update-a-${metadata.resourceVersion}`;
  const isMade = (record: LogRecord, what: string) => isCreated(record) && String(record["target"]).endsWith(what);
  await first.logged((record) => isMade(record, name));
  await first.die();
  await client.delete(NOTIFICATION_MESSAGE, { namespace: target, name });

  const second = await startMortal(endlessOf(world)); // whether the second rule made its target stays unknown
  await settle(world, second, "z");
  const { madeAfter } = await waitFor(
    () => indexOf(world),
    ({ made = [], madeAfter: known }) =>
      made.some(([key, , createdAt]) => key.includes(name) && BigInt(createdAt) <= BigInt(known)),
  );
  await second.die();

  const third = await startMortal(forgetfulOf(client, madeAfter));
  await third.logged((record) => isMade(record, other));
  await settle(world, third, "z");
  const again = third.records.filter((record) => isMade(record, name));
  assert.deepEqual(again, []);
});

test("a failed change that the checkpoint and its UpdateRequest hold is generated once after a restart", async (t) => {
  const world = await openWorld(t);
  const { client, source: namespace, target } = world;
  await createPolicy(t, client, clusterPolicy(namespace, [messagingRule(world, "t"), tellingRule(world, ["z"])]));
  await writeConfigMap(client, { namespace, name: "a" }, { x: "1" });
  let isAlive = true;
  const first = await startReady(t, world, { cluster: guardWrites(refusing(client, "t-update-a"), () => isAlive) });
  await first.logged(isPolicyReady);
  await writeConfigMap(client, { namespace, name: "a" }, { x: "2" });
  await waitFor(
    () => list(client, UPDATE_REQUEST, target),
    ([request]) => request?.status !== undefined,
  );
  isAlive = false; // as if the process had died
  await first.stop();

  const second = await startReady(t, world, { cluster: consuming(client) });
  await waitFor(
    () => list(client, UPDATE_REQUEST, target),
    (found) => found.length === 0,
  );
  await settle(world, second, "z");
  await second.logged(({ msg }) => msg === "generate target resource was made for this change already");
  const made = second.records.filter(
    (record) => isCreated(record) && String(record["target"]).includes("/t-update-a-"),
  );
  assert.equal(made.length, 1);
});
