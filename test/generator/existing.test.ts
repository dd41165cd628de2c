import assert from "node:assert/strict";
import test from "node:test";
import { ExistingSchedule } from "../../src/generator/existing-schedule.ts";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { Json } from "../../src/resources/object.ts";
import { policyOf } from "./objects.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  list,
  makeNamespace,
  openCluster,
  startGenerator,
  waitFor,
  writeConfigMap,
} from "./running.ts";

/** A rule that makes one ConfigMap for each in `source`, for what exists too. */
function copyRule(source: string, target: string, resources: { [key: string]: Json } = {}, generate: object = {}) {
  return {
    match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], ...resources } }] },
    exclude: { any: [{ resources: { names: ["kube-root-ca.crt"] } }] },
    generate: {
      generateExisting: true,
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: target,
      name: "copy-of-{{ request.object.metadata.name }}",
      data: { data: { operation: "{{ request.operation || 'BACKGROUND' }}" } },
      ...generate,
    },
  };
}

test("a policy for what exists generates for it when it comes and when it changes", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const generator = await startGenerator(t, client, { namespace: target });
  for (const name of ["a", "b"]) await writeConfigMap(client, { namespace: source, name }, { x: "1" });
  const rule = copyRule(source, target, { names: ["a"] });
  await createPolicy(t, client, clusterPolicy(source, [rule]));
  await generator.logged(isCreated);
  const made = await client.get(CONFIG_MAP, { namespace: target, name: "copy-of-a" });
  assert.deepEqual(made?.["data"], { operation: "BACKGROUND" });
  const { spec } = clusterPolicy(source, [copyRule(source, target, { names: ["a", "b"] })]);
  await client.mergePatch(CLUSTER_POLICY, { namespace: "", name: source }, { spec });
  await generator.logged(({ msg, target: made }) => isCreated({ msg }) && String(made).endsWith("copy-of-b"));
});

test("spec.generateExisting stands for the rules that say nothing, and operations leave what exists alone", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  await writeConfigMap(client, { namespace: source, name: "a" }, { x: "1" });
  const rules = [
    copyRule(source, target, { operations: ["CREATE"] }, { name: "operations", generateExisting: true }),
    copyRule(source, target, {}, { name: "says-no", generateExisting: false }),
    copyRule(source, target, {}, { name: "says-nothing", generateExisting: null }),
  ];
  await createPolicy(t, client, clusterPolicy(source, rules, { generateExisting: true }));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(({ msg }) => msg === "policy applied to what exists");
  await generator.logged(isCreated);
  const names = (await list(client, CONFIG_MAP, target)).map(({ metadata }) => metadata.name);
  assert.deepEqual(
    names.filter((name) => name !== "kube-root-ca.crt"),
    ["says-nothing"],
  );
});

test("what was deleted is there again after the next pass, and a rule does not run on its own targets", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  await writeConfigMap(client, { namespace: source, name: "a" }, { x: "1" });
  await createPolicy(t, client, clusterPolicy(source, [copyRule(source, source)]));
  const generator = await startGenerator(t, client, { namespace: source, existingEveryMs: 200 });
  await generator.logged(isPolicyReady);
  await generator.logged(isCreated);
  const key = { namespace: source, name: "copy-of-a" };
  await client.delete(CONFIG_MAP, key);
  await waitFor(
    () => client.get(CONFIG_MAP, key),
    (found) => found !== undefined,
  );
  await generator.stop();
  const again = await startGenerator(t, client, { namespace: source, existingEveryMs: 200 });
  await again.logged(({ msg }) => msg === "rule skipped: the change was made by this generator");
  assert.equal(await client.get(CONFIG_MAP, { namespace: source, name: "copy-of-copy-of-a" }), undefined);
});

test("a policy is due when it comes, when it changes and when the time is up", () => {
  const schedule = new ExistingSchedule(1_000);
  const generate = "generate: {generateExisting: true, apiVersion: v1, kind: ConfigMap, name: a, namespace: b}";
  const policy = policyOf(generate);
  const due = [
    [policy, 0],
    [policy, 999],
    [{ ...policy, generation: 2 }, 999],
    [{ ...policy, generation: 2 }, 1_998],
    [{ ...policy, generation: 2 }, 1_999],
    [policyOf("name: other"), 0],
  ] as const;
  assert.deepEqual(
    due.map(([each, at]) => schedule.take(each, at)),
    [true, false, true, false, true, false],
  );
});

test("what a synchronized data rule made is written again after a while, what a clone made is not", () => {
  const schedule = new ExistingSchedule(1_000);
  const block = (content: string) =>
    `generate: {synchronize: true, apiVersion: v1, kind: A, name: a, namespace: b, ${content}}`;
  const [data, clone] = [policyOf(block("data: {}")), policyOf(block("clone: {name: c, namespace: d}"))];
  assert.deepEqual(
    [0, 999, 1_000, 1_001, 2_000].map((at) => schedule.take(data, at)),
    [false, false, true, false, true],
  );
  assert.equal(schedule.take({ ...data, generation: 2 }, 2_001), false);
  assert.equal(
    [0, 5_000].some((at) => new ExistingSchedule(1_000).take(clone, at)),
    false,
  );
});

test("a rule that asks for the user is not applied to what exists", () => {
  const name = "'{{ request.userInfo.username }}'";
  const policy = policyOf(`generate: {generateExisting: true, apiVersion: v1, kind: A, name: ${name}, namespace: b}`);
  assert.equal(new ExistingSchedule(1_000).take(policy, 0), false);
});
