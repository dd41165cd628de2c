import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import type { Cluster } from "../../src/generator/ports.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { Json, KubeObject, ObjectKey } from "../../src/resources/object.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  list,
  makeNamespace,
  onEnd,
  openCluster,
  type RunningGenerator,
  startGenerator,
  waitFor,
  withCreate,
  withOwn,
  writeConfigMap,
} from "./running.ts";

interface World {
  client: KubeClient;
  source: string;
  target: string;
  generator: RunningGenerator;
}

const TRIGGER = "go";
const dataOf = (object: KubeObject | undefined) => object?.["data"];
const copyData = { data: { x: "{{ request.object.data.x }}" } };

/** A generator that runs rules whose trigger is ConfigMap `go` of namespace `source`. */
async function start(
  t: TestContext,
  generate: (source: string, target: string) => { [key: string]: Json },
  more: { [key: string]: Json } = {},
  spec: object = {},
): Promise<World> {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  await createPolicy(t, client, clusterPolicy(source, [ruleOf(source, generate(source, target), more)], spec));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  return { client, source, target, generator };
}

function ruleOf(source: string, generate: { [key: string]: Json }, more: { [key: string]: Json } = {}) {
  const match = { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], names: [TRIGGER] } }] };
  return { match, ...more, generate: { synchronize: true, ...generate } };
}

const dataRule = (_: string, target: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: target,
  name: "made",
  data: copyData,
});

const cloneRule = (source: string, target: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  namespace: target,
  name: "made",
  clone: { namespace: source, name: "origin" },
});

function becomes(client: KubeClient, key: ObjectKey, isIt: (found: KubeObject | undefined) => boolean) {
  return waitFor(() => client.get(CONFIG_MAP, key), isIt);
}

const isGone = (found: KubeObject | undefined) => found === undefined;
const hasData = (data: object) => (found: KubeObject | undefined) =>
  JSON.stringify(dataOf(found)) === JSON.stringify(data);

test("a synchronized target follows its trigger, is restored when changed or deleted, and goes with the trigger", async (t) => {
  const { client, source, target } = await start(t, dataRule);
  const made = { namespace: target, name: "made" };
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "2" });
  await becomes(client, made, hasData({ x: "2" }));
  await client.mergePatch(CONFIG_MAP, made, { data: { x: "mine", y: "z" }, metadata: { labels: { foreign: "x" } } });
  const restored = await becomes(client, made, hasData({ x: "2" }));
  assert.equal(restored?.metadata.labels?.["foreign"], undefined);
  await client.mergePatch(CONFIG_MAP, made, { metadata: { labels: { "app.kubernetes.io/managed-by": null } } });
  await becomes(client, made, (found) => found?.metadata.labels?.["app.kubernetes.io/managed-by"] === "kyverno");
  await client.delete(CONFIG_MAP, made);
  await becomes(client, made, hasData({ x: "2" }));
  await client.delete(CONFIG_MAP, { namespace: source, name: TRIGGER });
  await becomes(client, made, isGone);
});

test("a target goes when its trigger stops matching, or stops meeting the preconditions", async (t) => {
  const preconditions = { all: [{ key: "{{ request.object.data.x }}", operator: "Equals", value: "1" }] };
  const selector = { matchLabels: { on: "yes" } };
  const exclude = { any: [{ resources: { kinds: ["ConfigMap"], selector: { matchLabels: { off: "yes" } } } }] };
  const { client, source, target } = await start(t, dataRule, { preconditions, exclude });
  const [go, made] = [
    { namespace: source, name: TRIGGER },
    { namespace: target, name: "made" },
  ];
  await writeConfigMap(client, go, { x: "1" }, { labels: selector.matchLabels });
  await becomes(client, made, hasData({ x: "1" }));
  await writeConfigMap(client, go, { x: "2" });
  await becomes(client, made, isGone);
  await writeConfigMap(client, go, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  await writeConfigMap(client, go, { x: "1" }, { labels: { off: "yes" } });
  await becomes(client, made, isGone);
});

test("with operations that leave DELETE out the target stays when its trigger goes, and is not restored", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const resources = { kinds: ["ConfigMap"], namespaces: [source], names: [TRIGGER], operations: ["CREATE"] };
  const rule = { match: { any: [{ resources }] }, generate: { synchronize: true, ...dataRule(source, target) } };
  await createPolicy(t, client, clusterPolicy(source, [rule]));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  const made = { namespace: target, name: "made" };
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  await client.mergePatch(CONFIG_MAP, made, { data: { x: "mine" } });
  await generator.logged(({ because }) => String(because).includes("do not include a look at what exists"));
  await client.delete(CONFIG_MAP, { namespace: source, name: TRIGGER });
  await generator.logged(({ because }) => String(because).includes("do not include DELETE"));
  assert.deepEqual(dataOf(await client.get(CONFIG_MAP, made)), { x: "mine" });
});

test("a copy follows its source, is restored, and goes with the source", async (t) => {
  const { client, source, target } = await start(t, cloneRule);
  const [origin, made] = [
    { namespace: source, name: "origin" },
    { namespace: target, name: "made" },
  ];
  await writeConfigMap(client, origin, { x: "1" });
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "0" });
  await becomes(client, made, hasData({ x: "1" }));
  await becomes(client, origin, (found) => found?.metadata.labels?.["generate.kyverno.io/clone-source"] === "");
  await writeConfigMap(client, origin, { x: "2" });
  await becomes(client, made, hasData({ x: "2" }));
  await client.mergePatch(CONFIG_MAP, made, { data: { x: "mine" } });
  await becomes(client, made, hasData({ x: "2" }));
  await client.delete(CONFIG_MAP, origin);
  await becomes(client, made, isGone);
});

test("the copies of a list follow their sources one by one", async (t) => {
  const cloneList = (source: string) => ({
    namespace: source,
    kinds: ["v1/ConfigMap"],
    selector: { matchLabels: { share: "yes" } },
  });
  const { client, source, target } = await start(t, (from, to) => ({ namespace: to, cloneList: cloneList(from) }));
  const labels = { share: "yes" };
  for (const name of ["a", "b"]) await writeConfigMap(client, { namespace: source, name }, { x: "1" }, { labels });
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "0" });
  for (const name of ["a", "b"]) await becomes(client, { namespace: target, name }, hasData({ x: "1" }));
  await writeConfigMap(client, { namespace: source, name: "a" }, { x: "2" });
  await becomes(client, { namespace: target, name: "a" }, hasData({ x: "2" }));
  await client.delete(CONFIG_MAP, { namespace: source, name: "a" });
  await becomes(client, { namespace: target, name: "a" }, isGone);
  assert.deepEqual(dataOf(await client.get(CONFIG_MAP, { namespace: target, name: "b" })), { x: "1" });
});

test("what foreach makes is restored item by item", async (t) => {
  const entry = (target: string) => ({
    list: "split(request.object.data.x, ',')",
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: target,
    name: "made-{{ element }}",
    data: { data: { of: "{{ element }}" } },
  });
  const { client, source, target } = await start(t, (_, to) => ({ foreach: [entry(to)] }));
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "a,b" });
  await becomes(client, { namespace: target, name: "made-b" }, hasData({ of: "b" }));
  await client.delete(CONFIG_MAP, { namespace: target, name: "made-a" });
  await becomes(client, { namespace: target, name: "made-a" }, hasData({ of: "a" }));
});

test("a changed rule is applied to what it made, and a removed policy takes it along", async (t) => {
  const { client, source, target } = await start(t, dataRule);
  const made = { namespace: target, name: "made" };
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  const changed = { ...dataRule(source, target), data: { data: { y: "new" } } };
  const { spec } = clusterPolicy(source, [ruleOf(source, changed)]);
  await client.mergePatch(CLUSTER_POLICY, { namespace: "", name: source }, { spec });
  await becomes(client, made, hasData({ y: "new" }));
  await client.delete(CLUSTER_POLICY, { namespace: "", name: source });
  await becomes(client, made, isGone);
});

test("what a policy made is looked for where its rules name namespaces, and everywhere where one does not", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const lists: string[] = [];
  const listPages: KubeClient["listPages"] = (type, options, signal) => {
    if (options.labelSelector?.includes("rule-name")) lists.push(`${type.plural} in ${options.namespace ?? "all"}`);
    return client.listPages(type, options, signal);
  };
  const block = dataRule(source, target);
  const elsewhere = { ...block, namespace: "{{ request.object.metadata.namespace }}", name: "elsewhere" };
  const item = (namespace: string, name: string) => ({ ...block, list: "['x']", namespace, name });
  const rules = [
    ruleOf(source, block),
    ruleOf(source, { foreach: [item(target, "made-item"), item(source, "each-item")] }),
    ruleOf(source, elsewhere),
  ];
  await client.create(CLUSTER_POLICY, clusterPolicy(source, rules));
  const generator = await startGenerator(t, client, {
    namespace: target,
    ports: { cluster: withOwn(client, { listPages }) },
  });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, { namespace: source, name: "elsewhere" }, hasData({ x: "1" }));
  await client.delete(CLUSTER_POLICY, { namespace: "", name: source });
  for (const key of [
    { namespace: target, name: "made" },
    { namespace: target, name: "made-item" },
    { namespace: source, name: "each-item" },
    { namespace: source, name: "elsewhere" },
  ])
    await becomes(client, key, isGone);
  await generator.stop();
  assert.deepEqual(lists.sort(), [
    "configmaps in all",
    ...[source, target, target].map((namespace) => `configmaps in ${namespace}`),
  ]);
});

for (const [title, change, isIt] of [
  ["edited", "edit", hasData({ y: "new" })],
  ["deleted", "delete", isGone],
] as const)
  test(`a target that is still being made when its policy is ${title} becomes what the policy says then`, async (t) => {
    const client = await openCluster(t);
    const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
    const [begun, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const create: Cluster["create"] = async (type, object, signal) => {
      if (object.metadata.name === "made" && JSON.stringify(dataOf(object)) === '{"x":"1"}') {
        begun.resolve();
        await letGo.promise;
      }
      return await client.create(type, object, signal);
    };
    await createPolicy(t, client, clusterPolicy(source, [ruleOf(source, dataRule(source, target))]));
    const generator = await startGenerator(t, client, {
      namespace: target,
      ports: { cluster: withCreate(client, create) },
    });
    onEnd(t, async () => letGo.resolve());
    await generator.logged(isPolicyReady);
    await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
    await begun.promise;
    const key = { namespace: "", name: source };
    const changed = { ...dataRule(source, target), data: { data: { y: "new" } } };
    if (change === "delete") await client.delete(CLUSTER_POLICY, key);
    else await client.mergePatch(CLUSTER_POLICY, key, clusterPolicy(source, [ruleOf(source, changed)]));
    const later = ruleOf(target, { ...changed, name: "later" }); // when it runs, the change is known
    await createPolicy(t, client, clusterPolicy(`${source}-later`, [later]));
    await waitFor(
      async () => {
        await writeConfigMap(client, { namespace: target, name: TRIGGER }, { x: `${Math.random()}` });
        return client.get(CONFIG_MAP, { namespace: target, name: "later" });
      },
      (found) => found !== undefined,
    );
    letGo.resolve();
    const made = { namespace: target, name: "made" };
    await generator.logged((record) => isCreated(record) && record["target"] === `v1/ConfigMap/${target}/made`);
    await becomes(client, made, isIt);
  });

test("a rule that makes something else leaves what it made without a rule", async (t) => {
  const { client, source, target } = await start(t, dataRule);
  const made = { namespace: target, name: "made" };
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  const { spec } = clusterPolicy(source, [ruleOf(source, { ...dataRule(source, target), name: "other" })]);
  await client.mergePatch(CLUSTER_POLICY, { namespace: "", name: source }, { spec });
  const left = await becomes(client, made, (found) => !found?.metadata.labels?.["generate.kyverno.io/rule-name"]);
  assert.deepEqual(dataOf(left), { x: "1" });
});

for (const [title, generate] of [
  [
    "orphanDownstreamOnPolicyDelete",
    (s: string, n: string) => ({ ...dataRule(s, n), orphanDownstreamOnPolicyDelete: true }),
  ],
  ["clone", cloneRule],
] as const) {
  test(`what a rule with ${title} made outlives the policy`, async (t) => {
    const client = await openCluster(t);
    const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
    const goes = ruleOf(source, { ...dataRule(source, target), name: "goes" });
    await createPolicy(t, client, clusterPolicy(source, [ruleOf(source, generate(source, target)), goes]));
    const generator = await startGenerator(t, client, { namespace: target });
    await generator.logged(isPolicyReady);
    await writeConfigMap(client, { namespace: source, name: "origin" }, { x: "1" });
    await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
    for (const name of ["made", "goes"]) await becomes(client, { namespace: target, name }, hasData({ x: "1" }));
    await client.delete(CLUSTER_POLICY, { namespace: "", name: source });
    await becomes(client, { namespace: target, name: "goes" }, isGone);
    assert.notEqual(await client.get(CONFIG_MAP, { namespace: target, name: "made" }), undefined);
  });
}

test("with server-side apply the fields of others stay", async (t) => {
  const { client, source, target } = await start(t, dataRule, {}, { useServerSideApply: true });
  const made = { namespace: target, name: "made" };
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  await client.mergePatch(CONFIG_MAP, made, { data: { x: "mine", y: "theirs" } });
  await becomes(client, made, hasData({ x: "1", y: "theirs" }));
});

test("a target that was changed while the generator was down is restored when it is back", async (t) => {
  const { client, source, target, generator } = await start(t, dataRule);
  const made = { namespace: target, name: "made" };
  await writeConfigMap(client, { namespace: source, name: TRIGGER }, { x: "1" });
  await becomes(client, made, hasData({ x: "1" }));
  await generator.stop();
  await client.mergePatch(CONFIG_MAP, made, { data: { x: "mine" } });
  await startGenerator(t, client, { namespace: target });
  await becomes(client, made, hasData({ x: "1" }));
  assert.equal((await list(client, CONFIG_MAP, target)).filter(({ metadata }) => metadata.name === "made").length, 1);
});
