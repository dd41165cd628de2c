import assert from "node:assert/strict";
import test from "node:test";
import { copyObject, isUpToDate } from "../../src/generator/clone.ts";
import { formatSelector } from "../../src/generator/label-selector.ts";
import { CONFIG_MAP, SECRET } from "../../src/resources/kinds.ts";
import { configMap } from "./objects.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  list,
  makeNamespace,
  openCluster,
  type RuleFields,
  startGenerator,
  writeConfigMap,
} from "./running.ts";

const matchIn = (namespace: string) => ({
  any: [{ resources: { kinds: ["ConfigMap"], namespaces: [namespace], names: ["go"] } }],
});

test("a copy has the source's content and labels, its own identity and labels that name the source", () => {
  const source = configMap(
    "7",
    { a: "1" },
    { labels: { own: "x", "generate.kyverno.io/clone-source": "" }, selfLink: "/x" },
  );
  const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u-2" };
  source.metadata.ownerReferences = [owner];
  const identity = { apiVersion: "v1", kind: "ConfigMap", namespace: "out", name: "copy" };
  const copy = copyObject(source, CONFIG_MAP, identity, { own2: "y" });
  const labels = {
    own: "x",
    own2: "y",
    "generate.kyverno.io/source-group": "",
    "generate.kyverno.io/source-version": "v1",
    "generate.kyverno.io/source-kind": "ConfigMap",
    "generate.kyverno.io/source-namespace": "app-team-a",
    "generate.kyverno.io/source-uid": "u-1",
  };
  const expected = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "copy", namespace: "out", labels } };
  assert.deepEqual(copy, { ...expected, data: { a: "1" } });
  const beside = copyObject(source, CONFIG_MAP, { ...identity, namespace: "app-team-a" }, {});
  assert.deepEqual(beside.metadata.ownerReferences, [owner]);
});

test("a target is up to date when nothing but the server's own fields and status differ", () => {
  const target = configMap("1", { a: "1" }, { annotations: {} });
  const live = { ...configMap("9", { a: "1" }, { managedFields: [{}], generation: 3 }), status: { x: 1 } };
  assert.equal(isUpToDate(live, target), true);
  assert.equal(isUpToDate(configMap("9", { a: "2" }), target), false);
  assert.equal(isUpToDate(configMap("9", { a: "1" }, { labels: { foreign: "x" } }), target), false);
});

test("a selector is written as the API takes it, without its wildcards", () => {
  const matchExpressions = [
    { key: "a", operator: "In" as const, values: ["x", "y"] },
    { key: "b", operator: "NotIn" as const, values: ["z"] },
    { key: "c", operator: "Exists" as const, values: [] },
    { key: "d", operator: "DoesNotExist" as const, values: [] },
  ];
  const text = formatSelector({ matchLabels: { app: "pay", "x*": "y" }, matchExpressions });
  assert.equal(text, "app=pay,a in (x,y),b notin (z),c,!d");
});

test("clone copies an object, marks its source and leaves a target that exists alone", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const secret = { apiVersion: "v1", kind: "Secret", type: "Opaque", data: { password: "eA==" } };
  await client.create(SECRET, { ...secret, metadata: { name: "registry", namespace: source, labels: { team: "a" } } });
  const generate = { apiVersion: "v1", kind: "Secret", namespace: target, name: "registry" };
  const clone = { namespace: source, name: "registry" };
  const rules = [
    { match: matchIn(source), generate: { ...generate, clone } },
    { match: matchIn(source), generate: { ...generate, namespace: source, clone } },
  ];
  await createPolicy(t, client, clusterPolicy(source, rules));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  const trigger = await writeConfigMap(client, { namespace: source, name: "go" }, { x: "1" });
  const record = await generator.logged(isCreated);
  assert.equal(record["type"], "clone");
  await generator.logged(({ msg }) => msg === "generate target resource is its own source");
  const copy = await client.get(SECRET, { namespace: target, name: "registry" });
  assert.deepEqual([copy?.["data"], copy?.["type"]], [{ password: "eA==" }, "Opaque"]);
  const { labels = {} } = copy?.metadata ?? {};
  assert.deepEqual([labels["team"], labels["generate.kyverno.io/trigger-uid"]], ["a", trigger.metadata.uid]);
  const marked = await client.get(SECRET, { namespace: source, name: "registry" });
  assert.equal(marked?.metadata.labels?.["generate.kyverno.io/clone-source"], "");
  assert.equal(labels["generate.kyverno.io/source-uid"], marked?.metadata.uid);
  await client.mergePatch(SECRET, clone, { data: { password: "eQ==" } });
  await writeConfigMap(client, { namespace: source, name: "go" }, { x: "2" });
  await generator.logged(({ msg }) => msg === "generate target resource exists already");
  const kept = await client.get(SECRET, { namespace: target, name: "registry" });
  assert.deepEqual(kept?.["data"], { password: "eA==" });
});

test("a clone source that is missing is tried again until it is there", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace: target, name: "late" };
  const rule = { match: matchIn(source), generate: { ...generate, clone: { namespace: source, name: "late" } } };
  await createPolicy(t, client, clusterPolicy(source, [rule]));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "go" }, { x: "1" });
  const failure = await generator.logged(({ msg }) => msg === "failed to create generate target resource");
  assert.equal(
    failure["error"],
    `the clone source ConfigMap ${source}/late does not exist: create it, or correct generate.clone`,
  );
  await writeConfigMap(client, { namespace: source, name: "late" }, { x: "1" });
  await generator.logged(isCreated);
});

test("cloneList copies what its selector names, each under its own name", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const labels = { share: "yes" };
  await writeConfigMap(client, { namespace: source, name: "a" }, { x: "1" }, { labels });
  await writeConfigMap(client, { namespace: source, name: "b" }, { x: "1" });
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "c", namespace: source, labels } };
  await client.create(SECRET, secret);
  const cloneList = { namespace: source, kinds: ["v1/ConfigMap", "v1/Secret"], selector: { matchLabels: labels } };
  const rule = { match: matchIn(source), generate: { namespace: target, cloneList } };
  await createPolicy(t, client, clusterPolicy(source, [rule]));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "go" }, { x: "1" });
  await generator.logged(({ msg, target: made }) => isCreated({ msg }) && String(made).endsWith("/c"));
  const made = [...(await list(client, CONFIG_MAP, target)), ...(await list(client, SECRET, target))]
    .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/managed-by"] === "kyverno")
    .map(({ metadata }) => metadata.name);
  assert.deepEqual(made, ["a", "c"]);
});

test("a Policy copies from its own namespace alone", async (t) => {
  const client = await openCluster(t);
  const [mine, other] = [await makeNamespace(t, client, "mine"), await makeNamespace(t, client, "other")];
  await writeConfigMap(client, { namespace: other, name: "secret" }, { x: "1" });
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace: mine, name: "stolen" };
  const away = `{{ '${other}' }}`; // in plain text it would be refused when the policy is read
  const cloneList = { namespace: away, kinds: ["v1/ConfigMap"], selector: { matchLabels: { a: "b" } } };
  const rules: RuleFields[] = [
    { match: matchIn(mine), generate: { ...generate, clone: { namespace: away, name: "secret" } } },
    { match: matchIn(mine), generate: { namespace: mine, cloneList } },
  ];
  const policy = { ...clusterPolicy(mine, rules), kind: "Policy", metadata: { namespace: mine, name: "steal" } };
  await createPolicy(t, client, policy);
  const generator = await startGenerator(t, client, { namespace: mine });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: mine, name: "go" }, { x: "1" });
  for (const rule of ["rule-0", "rule-1"]) {
    const failed = await generator.logged(({ msg, rule: name }) => msg === "rule failed" && name === rule);
    assert.match(String(failed["error"]), /a Policy generates only in its own namespace/);
  }
  assert.equal(await client.get(CONFIG_MAP, { namespace: mine, name: "stolen" }), undefined);
});

test("with useServerSideApply the target is applied by Kyverno's field manager", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace: source, name: "made", data: { data: { a: "1" } } };
  const policy = clusterPolicy(source, [{ match: matchIn(source), generate }], { useServerSideApply: true });
  await createPolicy(t, client, policy);
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "go" }, { x: "1" });
  await generator.logged(isCreated);
  const made = await client.get(CONFIG_MAP, { namespace: source, name: "made" });
  const [manager] = made?.metadata.managedFields ?? [];
  assert.deepEqual([manager?.manager, manager?.operation], ["kyverno-generate", "Apply"]);
  await writeConfigMap(client, { namespace: source, name: "go" }, { x: "2" });
  await generator.logged(({ msg }) => msg === "generate target resource exists already");
});
