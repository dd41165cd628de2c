import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import {
  buildUpdateRequest,
  failedStatus,
  parseUpdateRequest,
  UPDATE_REQUEST,
} from "../../src/generator/update-request.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { CONFIG_MAP, NAMESPACE, SECRET } from "../../src/resources/kinds.ts";
import { change, configMap, policyOf } from "./objects.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  type LogRecord,
  list,
  makeNamespace,
  onEnd,
  openCluster,
  type RuleFields,
  startGenerator,
  waitFor,
  writeConfigMap,
} from "./running.ts";

const isRuleFailed = ({ msg }: LogRecord) => msg === "rule failed";
const isTargetFailed = ({ msg }: LogRecord) => msg === "failed to create generate target resource";

function matchNamed(namespace: string, name: string) {
  return { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [namespace], names: [name] } }] };
}

/** A rule that makes a ConfigMap named after the change in `namespace`. */
function ruleInto(source: string, namespace: string, more: object = {}): RuleFields {
  const name = "made-{{ request.object.metadata.resourceVersion }}";
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace, name, data: {}, ...more };
  return { match: matchNamed(source, "source"), generate };
}

async function lateNamespace(t: TestContext, client: KubeClient, name: string): Promise<void> {
  await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  onEnd(t, async () => void (await client.delete(NAMESPACE, { namespace: "", name })));
}

async function noFailures(client: KubeClient, namespace: string): Promise<void> {
  await waitFor(
    () => list(client, UPDATE_REQUEST, namespace),
    (found) => found.length === 0,
  );
}

async function failedStates(client: KubeClient, namespace: string): Promise<unknown[]> {
  const requests = await waitFor(
    () => list(client, UPDATE_REQUEST, namespace),
    (found) => found.length > 0 && found.every(({ status }) => status !== undefined),
  );
  return requests.map(({ status }) => (status as { state: string }).state);
}

test("a change whose context the cluster could not give is evaluated again until it can", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const data = { data: { owner: "{{ owners.data.team }}" } };
  const context = [{ name: "owners", configMap: { name: "owners", namespace: source } }];
  await createPolicy(t, client, clusterPolicy(source, [{ ...ruleInto(source, source, { data }), context }]));
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  const { metadata } = await writeConfigMap(client, { namespace: source, name: "source" }, {});
  const failed = await generator.logged(isRuleFailed);
  assert.match(String(failed["error"]), /ConfigMap .*\/owners does not exist/);
  assert.equal(failed["willRetry"], true);
  assert.deepEqual(await failedStates(client, source), ["Failed"]);
  await writeConfigMap(client, { namespace: source, name: "owners" }, { team: "payment" });
  await generator.logged(isCreated);
  const made = await client.get(CONFIG_MAP, { namespace: source, name: `made-${metadata.resourceVersion}` });
  assert.deepEqual(made?.["data"], { owner: "payment" });
  await noFailures(client, source);
});

test("what failed is made by the next generator, for the change as it was", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const late = `${source}-late`;
  const preconditions = {
    all: [{ key: "{{ request.oldObject.data.a || '' }}", operator: "Equals", value: "1" }],
  };
  await createPolicy(t, client, clusterPolicy(source, [{ ...ruleInto(source, late), preconditions }]));
  const key = { namespace: source, name: "source" };
  await writeConfigMap(client, key, { a: "1" });
  const first = await startGenerator(t, client, { namespace: source });
  await first.logged(isPolicyReady);
  const { metadata } = await writeConfigMap(client, key, { a: "2" });
  await first.logged(isTargetFailed);
  assert.deepEqual(await failedStates(client, source), ["Failed"]);
  await first.stop();
  await client.delete(CONFIG_MAP, key);
  await lateNamespace(t, client, late);
  const second = await startGenerator(t, client, { namespace: source });
  const created = await second.logged(isCreated);
  assert.equal(created["target"], `v1/ConfigMap/${late}/made-${metadata.resourceVersion}`);
  await noFailures(client, source);
});

test("a change that failed by a mistake in the rule is made once the policy is corrected", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const wrong = { data: { data: { who: "{{ request.object.data.owner }}" } } };
  await createPolicy(t, client, clusterPolicy(source, [ruleInto(source, source, wrong)]));
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "source" }, {});
  const failed = await generator.logged(isRuleFailed);
  assert.equal(failed["willRetry"], false);
  assert.deepEqual(await failedStates(client, source), ["Failed"]);
  const right = { data: { data: { who: "{{ request.object.data.owner || 'nobody' }}" } } };
  const { spec } = clusterPolicy(source, [ruleInto(source, source, right)]);
  await client.mergePatch(CLUSTER_POLICY, { namespace: "", name: source }, { spec });
  await generator.logged(isCreated);
  await noFailures(client, source);
});

test("a synchronized target that failed does not come once its trigger is gone", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const late = `${source}-late`;
  const rule = ruleInto(source, late, { synchronize: true, name: "made" });
  await createPolicy(t, client, clusterPolicy(source, [rule]));
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  const key = { namespace: source, name: "source" };
  await writeConfigMap(client, key, {});
  await generator.logged(isTargetFailed);
  await client.delete(CONFIG_MAP, key);
  await noFailures(client, source);
  await lateNamespace(t, client, late);
  await writeConfigMap(client, key, {}); // the same name, another object: its target is the sign that all before is through
  const created = await generator.logged(isCreated);
  const made = await client.get(CONFIG_MAP, { namespace: late, name: "made" });
  const trigger = await client.get(CONFIG_MAP, key);
  assert.equal(made?.metadata.labels?.["generate.kyverno.io/trigger-uid"], trigger?.metadata.uid);
  assert.equal(generator.records.filter(isCreated).length, 1, JSON.stringify(created));
});

test("failures of a policy that is gone are forgotten when the generator starts", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const policy = policyOf("name: r");
  const request = change("UPDATE", configMap("2", {}), configMap("1", {}));
  const place = { subject: { policy, rule: policy.rules[0] as never }, request, verb: "create", target: "t" } as const;
  const { metadata } = await client.create(UPDATE_REQUEST, buildUpdateRequest(source, place));
  const options = { subresource: "status" } as const;
  const key = { namespace: source, name: metadata.name ?? "" };
  await client.mergePatch(UPDATE_REQUEST, key, failedStatus("no", 5), options);
  await createPolicy(t, client, clusterPolicy(source, [ruleInto(source, source)]));
  const generator = await startGenerator(t, client, { namespace: source });
  const told = await generator.logged(({ msg }) => msg === "a failure is not tried again");
  assert.equal(told["because"], "its policy is gone");
  await noFailures(client, source);
});

test("an UpdateRequest keeps the change, but no content of a Secret and nothing very large", () => {
  const policy = policyOf("name: r");
  const subject = { policy, rule: policy.rules[0] as never };
  const keptOf = (request: ReturnType<typeof change>, verb: "create" | "delete" = "create") =>
    parseUpdateRequest({
      ...buildUpdateRequest("kyverno", { subject, request, verb, target: "v1/ConfigMap/out/target" }),
      status: { state: "Failed", retryCount: 5 },
    });
  const [before, after] = [configMap("1", { a: "1" }), configMap("2", { a: "2" })];
  const kept = keptOf(change("UPDATE", after, before));
  assert.deepEqual(kept?.objects, { object: after, oldObject: before });
  assert.deepEqual([kept?.policy, kept?.rule, kept?.tries], ["p", "r", 5]);
  assert.equal(kept?.target, "v1/ConfigMap/out/target");
  assert.equal(kept?.deleteDownstream, false);
  assert.equal(keptOf(change("DELETE", after, before), "delete")?.deleteDownstream, true);
  const secret = { ...change("UPDATE", { ...after, kind: "Secret" }, before), type: SECRET };
  assert.equal(keptOf(secret)?.objects, undefined);
  assert.ok(
    !JSON.stringify(buildUpdateRequest("kyverno", { subject, request: secret, verb: "create", target: "" })).includes(
      '"data"',
    ),
  );
  assert.equal(keptOf(change("UPDATE", configMap("2", { a: "x".repeat(300_000) }), before))?.objects, undefined);
  assert.equal(
    parseUpdateRequest(buildUpdateRequest("kyverno", { subject, request: secret, verb: "create", target: "" })),
    undefined,
  );
});
