import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "../../src/kube/connect.ts";
import { type LeaseTerm, runWithLease } from "../../src/kube/lease.ts";
import { recordEvent } from "../../src/kube/record-event.ts";
import { type WatchEvent, watchResource } from "../../src/kube/watch-resource.ts";
import { CONFIG_MAP, EVENT, LEASE, NAMESPACE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { scratch, until } from "./scripted-server.ts";

/** KUBECONFIG counts for `npm run test:cluster` alone: `npm test` must not write to whatever a shell is logged in to. */
const KUBECONFIG =
  process.env["COURIER_TEST_KUBECONFIG"] ??
  (process.env["npm_lifecycle_event"] === "test:cluster" ? process.env["KUBECONFIG"] : undefined);

/** A client of that cluster as administrator, else of a sandbox, and a namespace that is deleted at the test's end. */
async function cluster(t: TestContext) {
  const sandbox = KUBECONFIG === undefined ? await startApiServer() : undefined;
  const own = join(scratch(t), "kubeconfig");
  await sandbox?.writeKubeconfig(own);
  const client = await connect({ kubeconfig: KUBECONFIG ?? own });
  const namespace = `courier-kube-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  t.after(async () => {
    await client.delete(NAMESPACE, { namespace: "", name: namespace });
    await client.close();
    await sandbox?.close();
  });
  return { client, namespace };
}

function configMap(namespace: string, name: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name, labels: { made: "by-test" } }, data };
}

test("an object is created, read, patched, replaced, applied and deleted", async (t) => {
  const { client, namespace } = await cluster(t);
  const key = { namespace, name: "one" };
  const created = await client.create(CONFIG_MAP, configMap(namespace, "one", { a: "1" }));
  await assert.rejects(client.create(CONFIG_MAP, configMap(namespace, "one")), { code: 409, reason: "AlreadyExists" });
  const patched = await client.mergePatch(CONFIG_MAP, key, { data: { b: "2" } });
  assert.deepEqual(patched["data"], { a: "1", b: "2" });
  await assert.rejects(client.replace(CONFIG_MAP, created), { code: 409, reason: "Conflict" });
  await client.replace(CONFIG_MAP, { ...patched, data: { c: "3" } });
  await client.apply(
    CONFIG_MAP,
    { ...configMap(namespace, "one"), data: { d: "4" } },
    { fieldManager: "t", force: true },
  );
  assert.deepEqual((await client.get(CONFIG_MAP, key))?.["data"], { c: "3", d: "4" });
  await assert.rejects(client.delete(CONFIG_MAP, key, { uid: "another" }), { code: 409, reason: "Conflict" });
  assert.equal(await client.delete(CONFIG_MAP, key, { uid: created.metadata.uid as string }), "deleted");
  assert.equal(await client.delete(CONFIG_MAP, key), "gone");
  assert.equal(await client.get(CONFIG_MAP, key), undefined);
});

test("a patch is answered with the metadata alone where no more is asked for", async (t) => {
  const { client, namespace } = await cluster(t);
  const key = { namespace, name: "one" };
  await client.create(CONFIG_MAP, configMap(namespace, "one", { a: "1" }));
  const answered = await client.mergePatch(CONFIG_MAP, key, { data: { b: "2" } }, { answer: "metadata" });
  const live = await client.get(CONFIG_MAP, key);
  assert.deepEqual(live?.["data"], { a: "1", b: "2" });
  assert.equal(answered["data"], undefined);
  assert.deepEqual(answered.metadata, live?.metadata);
});

test("what the server finds invalid comes with its fields", async (t) => {
  const { client, namespace } = await cluster(t);
  const isInvalid = (error: { code?: number; reason?: string; details?: { causes?: { field?: string }[] } }) =>
    error.code === 422 && error.reason === "Invalid" && error.details?.causes?.[0]?.field === "metadata.name";
  await assert.rejects(client.create(CONFIG_MAP, configMap(namespace, "Not A Name")), isInvalid);
});

test("list and watch see every object once, then every change", async (t) => {
  const { client, namespace } = await cluster(t);
  const names = Array.from({ length: 25 }, (_, index) => `map-${String(index).padStart(2, "0")}`);
  await Promise.all(names.map((name) => client.create(CONFIG_MAP, configMap(namespace, name))));
  const controller = new AbortController();
  const events: string[] = [];
  const onEvent = (event: WatchEvent) =>
    void events.push(event.type === "Synced" ? "Synced" : `${event.type} ${event.object.metadata.name}`);
  const selection = { namespace, labelSelector: "made=by-test", pageSize: 10 };
  const ended = watchResource(client, CONFIG_MAP, selection, { onEvent }, controller.signal);
  await until(() => events.includes("Synced"));
  assert.deepEqual(events, [...names.map((name) => `Listed ${name}`), "Synced"]);
  const key = { namespace, name: "map-00" };
  await client.mergePatch(CONFIG_MAP, key, { data: { x: "y" } });
  await client.delete(CONFIG_MAP, key);
  await client.create(CONFIG_MAP, configMap(namespace, "map-00"));
  await until(() => events.length === 29);
  assert.deepEqual(events.slice(26), ["Modified map-00", "Deleted map-00", "Added map-00"]);
  controller.abort();
  await ended;
});

test("a watch that the server ends after its time goes on without a gap", async (t) => {
  const { client, namespace } = await cluster(t);
  const controller = new AbortController();
  const events: string[] = [];
  const phases: string[] = [];
  const handlers = {
    onEvent: (event: WatchEvent) => void events.push(event.type),
    onState: ({ phase }: { phase: string }) => void phases.push(phase),
  };
  const short = { namespace, labelSelector: "made=by-test", timeoutSeconds: 1 };
  const ended = watchResource(client, CONFIG_MAP, short, handlers, controller.signal);
  await until(() => events.includes("Synced"));
  for (let index = 0; index < 30; index += 1) {
    await client.create(CONFIG_MAP, configMap(namespace, `map-${index}`));
    await new Promise((resolve) => setTimeout(resolve, 100)); // over three ends of the watch
  }
  await until(() => events.filter((type) => type === "Added").length === 30);
  assert.equal(events.filter((type) => type === "Synced").length, 1);
  assert.deepEqual(phases, ["listing", "watching"]);
  controller.abort();
  await ended;
});

test("one of two candidates leads, and the other follows at once", async (t) => {
  const { client, namespace } = await cluster(t);
  const terms = new Map<string, LeaseTerm>();
  const run = (identity: string, signal: AbortSignal) => {
    const lead = async (term: LeaseTerm) => {
      terms.set(identity, term);
      await new Promise<void>((resolve) => term.signal.addEventListener("abort", () => resolve()));
    };
    const timing = { leaseDurationMs: 6_000, renewDeadlineMs: 4_000, retryPeriodMs: 200 };
    return runWithLease(client, { namespace, name: "courier", identity, ...timing }, lead, signal);
  };
  const a = new AbortController();
  const aEnded = run("a", a.signal);
  await until(() => terms.has("a"));
  const b = new AbortController();
  const bEnded = run("b", b.signal);
  a.abort();
  await aEnded;
  const releasedAt = performance.now();
  await until(() => terms.has("b"));
  assert.ok(performance.now() - releasedAt < 2_000);
  assert.deepEqual([terms.get("a")?.isHeld(), terms.get("b")?.isHeld()], [false, true]);
  const lease = await client.get(LEASE, { namespace, name: "courier" });
  const { holderIdentity, leaseTransitions } = Object(lease?.["spec"]) as Record<string, unknown>;
  assert.deepEqual([holderIdentity, leaseTransitions], ["b", 1]);
  b.abort();
  await bEnded;
});

// The sandbox looks for the core group's field names in an event of events.k8s.io.
const todo = KUBECONFIG === undefined && "the sandbox refuses events of events.k8s.io";

test("an event is recorded, and its repeat counted", { todo }, async (t) => {
  const { client, namespace } = await cluster(t);
  const regarding = await client.create(CONFIG_MAP, configMap(namespace, "one"));
  const words = {
    type: "Warning",
    reason: "TemplateInvalid",
    action: "Render",
    note: "line 3\n鍵".repeat(300),
  } as const;
  const input = { regarding, ...words, reportingController: "courier.io/test", reportingInstance: "pod" };
  await recordEvent(client, input, t.signal);
  await recordEvent(client, input, t.signal);
  const events: KubeObject[] = [];
  for await (const page of client.listPages(EVENT, { namespace })) events.push(...page.items);
  assert.equal(events.length, 1);
  assert.equal((Object(events[0]?.["series"]) as { count?: number }).count, 2);
});

test("discovery finds core and named groups, with status and short names", async (t) => {
  const { client } = await cluster(t);
  const types = await client.discover();
  const configMaps = types.find(({ group, plural }) => group === "" && plural === "configmaps");
  assert.deepEqual(configMaps?.shortNames, ["cm"]);
  assert.equal(configMaps?.preferred, true);
  assert.equal(types.find(({ plural }) => plural === "namespaces")?.hasStatus, true);
  assert.ok(types.some(({ group, plural }) => group === "coordination.k8s.io" && plural === "leases"));
});
