import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import type { GeneratorPorts } from "../../src/generator/ports.ts";
import { UPDATE_REQUEST } from "../../src/generator/update-request.ts";
import { CONFIG_MAP, EVENT, NAMESPACE, NOTIFICATION_MESSAGE, SECRET } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { guidePolicy } from "./objects.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  isReady,
  list,
  makeNamespace,
  onEnd,
  openCluster,
  portsOf,
  startGenerator,
  waitFor,
  writeConfigMap,
} from "./running.ts";

/** The guide's policy for namespaces of this test's own. */
async function guidePolicyIn(source: string, target: string): Promise<KubeObject> {
  const text = JSON.stringify(await guidePolicy())
    .replaceAll('"app-team-a"', `"${source}"`)
    .replaceAll('"cpaas-system"', `"${target}"`)
    .replaceAll("generate-notificationmessage-on-configmap-change", source);
  return JSON.parse(text) as KubeObject;
}

const RULE = {
  match: { any: [{ resources: { kinds: ["ConfigMap"], names: ["none"] } }] },
  generate: { apiVersion: "v1", kind: "ConfigMap", name: "t", data: {} },
};

test("the guide's policy makes one message for each change of data and none for metadata", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const key = { namespace: source, name: "app-notification-source" };
  await writeConfigMap(client, key, { application: "payment", owner: "platform-ops", severity: "warning" });
  await createPolicy(t, client, await guidePolicyIn(source, target));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  await client.mergePatch(CONFIG_MAP, key, { metadata: { labels: { seen: "yes" } } });
  const changed = await client.mergePatch(CONFIG_MAP, key, { data: { severity: "critical" } });
  const name = `cm-change-${source}-app-notification-source-${changed.metadata.resourceVersion}`;
  const record = await generator.logged(isCreated);
  assert.equal(record["target"], `aitextensions.alauda.io/v1beta1/NotificationMessage/${target}/${name}`);
  assert.equal(
    Object.keys(record).find((field) => !["level", "ts"].includes(field)),
    "target",
  );
  const messages = await list(client, NOTIFICATION_MESSAGE, target);
  assert.deepEqual(
    messages.map(({ metadata }) => metadata.name),
    [name],
  );
  const [message] = messages;
  assert.equal(message?.metadata.labels?.["generate.kyverno.io/trigger-uid"], changed.metadata.uid);
  const unmet = await generator.logged(({ msg }) => msg === "rule matched, preconditions not met");
  const sides = (unmet["trace"] as string[]).slice(-3);
  assert.match(
    sides.join("\n"),
    /✗ all\[0\] {2}NotEquals\n +key .*"severity":"warning".*\n +value .*"severity":"warning"/,
  );
});

test("a policy that runs has exactly one condition, Ready, and its rules are counted", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const policy = await guidePolicyIn(source, source);
  await createPolicy(t, client, policy);
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  const found = await client.get(CLUSTER_POLICY, { namespace: "", name: source });
  const status = found?.["status"] as { conditions: Record<string, unknown>[]; rulecount: { generate: number } };
  assert.equal(status.conditions.length, 1);
  const { type, status: state, reason } = status.conditions[0] ?? {};
  assert.deepEqual([type, state, reason], ["Ready", "True", "Succeeded"]);
  assert.equal(status.rulecount.generate, 1);
});

test("a policy that cannot run says why in its status and in an Event, and the others run", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const bad = clusterPolicy(`${source}-bad`, [
    {
      match: { any: [{ resources: { kinds: ["ConfigMap"] } }] },
      generate: { apiVersion: "v1", kind: "Secret", name: "{{ nothing( }}", namespace: source, celList: {} },
    },
  ]);
  await createPolicy(t, client, bad);
  await createPolicy(t, client, await guidePolicyIn(source, source));
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  await generator.logged(
    ({ msg, policy, ready }) => msg === "policy status written" && policy === `${source}-bad` && ready === false,
  );
  const found = await client.get(CLUSTER_POLICY, { namespace: "", name: `${source}-bad` });
  const { conditions = [] } = (found?.["status"] ?? {}) as { conditions?: Record<string, unknown>[] };
  const [condition] = conditions;
  assert.equal(condition?.["status"], "False");
  assert.match(String(condition?.["message"]), /spec\.rules\[0\]\.generate\.celList is not supported/);
  assert.match(String(condition?.["message"]), /spec\.rules\[0\]\.generate\.name holds an expression with an error/);
  const events = await list(client, EVENT, "default");
  const event = events.find(({ regarding }) => (regarding as { name?: string }).name === `${source}-bad`);
  assert.equal(event?.["type"], "Warning");
  assert.equal(event?.["reason"], "PolicyError");
});

test("a created, changed and deleted object generate as the operations say, the first list generates nothing", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  await writeConfigMap(client, { namespace: source, name: "before" }, { a: "1" });
  await createPolicy(
    t,
    client,
    clusterPolicy(source, [
      {
        match: {
          any: [
            {
              resources: {
                kinds: ["v1/ConfigMap"],
                namespaces: [source],
                names: ["before", "n*"],
                operations: ["CREATE", "UPDATE", "DELETE"],
              },
            },
          ],
        },
        generate: {
          apiVersion: "v1",
          kind: "ConfigMap",
          namespace: target,
          name: "{{ request.operation | to_lower(@) }}-{{ request.object.metadata.name }}",
          data: { data: { old: "{{ request.oldObject.data.a || 'none' }}", now: "{{ request.object.data.a }}" } },
        },
      },
    ]),
  );
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "new" }, { a: "1" });
  await writeConfigMap(client, { namespace: source, name: "new" }, { a: "2" });
  await client.delete(CONFIG_MAP, { namespace: source, name: "new" });
  await client.delete(CONFIG_MAP, { namespace: source, name: "before" });
  await generator.logged(({ msg, target: at }) => isCreated({ msg }) && String(at).endsWith("/delete-before"));
  const made = (await list(client, CONFIG_MAP, target)).filter(({ metadata }) => metadata.labels !== undefined);
  assert.deepEqual(made.map(({ metadata, data }) => [metadata.name, data]).sort(), [
    ["create-new", { old: "none", now: "1" }],
    ["delete-before", { old: "1", now: "1" }],
    ["delete-new", { old: "2", now: "2" }],
    ["update-new", { old: "1", now: "2" }],
  ]);
});

test("a rule whose target it matches itself does not run on its own targets", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  await createPolicy(
    t,
    client,
    clusterPolicy(source, [
      {
        match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], names: ["x*"] } }] },
        generate: {
          apiVersion: "v1",
          kind: "ConfigMap",
          namespace: source,
          name: "x{{ request.object.metadata.name }}",
          data: {},
        },
      },
    ]),
  );
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "x" }, {});
  await generator.logged(({ msg }) => msg === "rule skipped: the change was made by this generator");
  const names = (await list(client, CONFIG_MAP, source)).map(({ metadata }) => metadata.name);
  assert.deepEqual(
    names.filter((name) => name?.startsWith("x")),
    ["x", "xx"],
  );
});

test("a Policy of a namespace neither sees nor writes outside it", async (t) => {
  const client = await openCluster(t);
  const [own, other] = [await makeNamespace(t, client, "own"), await makeNamespace(t, client, "other")];
  const rule = (namespace: string, name: string) => ({
    match: { any: [{ resources: { kinds: ["ConfigMap"], names: ["source"] } }] },
    generate: { apiVersion: "v1", kind: "ConfigMap", namespace, name, data: {} },
  });
  const { spec } = clusterPolicy("x", [rule(`{{ '${other}' }}`, "out"), rule(own, "in-{{ request.namespace }}")]);
  const metadata = { namespace: own, name: "tenant" };
  await createPolicy(t, client, { apiVersion: "kyverno.io/v1", kind: "Policy", metadata, spec });
  const generator = await startGenerator(t, client, { namespace: own });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: other, name: "source" }, {});
  await writeConfigMap(client, { namespace: own, name: "source" }, {});
  const failed = await generator.logged(({ msg }) => msg === "rule failed");
  assert.match(String(failed["error"]), /a Policy generates only in its own namespace/);
  await generator.logged(isCreated);
  const names = async (namespace: string) =>
    (await list(client, CONFIG_MAP, namespace)).map(({ metadata: { name } }) => name);
  assert.ok((await names(own)).includes(`in-${own}`));
  assert.deepEqual(
    (await names(other)).filter((name) => name !== "kube-root-ca.crt"),
    ["source"],
  );
});

test("a target whose namespace is missing is tried again and visible as an UpdateRequest until it succeeds", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const late = `${source}-late`;
  await createPolicy(
    t,
    client,
    clusterPolicy(source, [
      {
        match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], names: ["source"] } }] },
        generate: { apiVersion: "v1", kind: "Secret", namespace: late, name: "made", data: {} },
      },
    ]),
  );
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "source" }, {});
  const failed = await generator.logged(({ msg }) => msg === "failed to create generate target resource");
  assert.equal(failed["error"], `namespace "${late}" does not exist: create it, or correct generate.namespace`);
  const [request] = await waitFor(
    () => list(client, UPDATE_REQUEST, source),
    (found) => found[0]?.["status"] !== undefined,
  );
  assert.equal((request?.["status"] as { state: string } | undefined)?.state, "Failed");
  await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: late } });
  onEnd(t, async () => void (await client.delete(NAMESPACE, { namespace: "", name: late })));
  await generator.logged(isCreated);
  assert.ok(await client.get(SECRET, { namespace: late, name: "made" }));
  await waitFor(
    () => list(client, UPDATE_REQUEST, source),
    (found) => found.length === 0,
  );
});

test("policies of a file run where no CRD of Kyverno is installed, and those of the cluster as soon as it is", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const directory = await mkdtemp(join(tmpdir(), "courier-policies-"));
  onEnd(t, () => rm(directory, { recursive: true }));
  await writeFile(join(directory, "policy.yaml"), JSON.stringify(await guidePolicyIn(source, source)));
  let isInstalled = false;
  const { watch } = portsOf(client);
  const absent = Object.assign(new Error("404 page not found"), { code: 404, reason: "NotFound" });
  const generator = await startGenerator(t, client, {
    namespace: source,
    files: [directory],
    ports: {
      async watch(type, options, handlers, signal) {
        if (type.group === "kyverno.io") handlers.onState?.({ phase: "retrying", error: absent, retryInMs: 1 });
        while (type.group === "kyverno.io" && !isInstalled && !signal.aborted) await nextTurn();
        if (!signal.aborted) await watch(type, options, handlers, signal);
      },
    },
  });
  const missing = await generator.logged(({ msg }) => msg === "cannot watch policies, trying again");
  assert.match(String(missing["error"]), /the CRD (cluster)?policies\.kyverno\.io is not installed/);
  await generator.logged(isReady);
  const key = { namespace: source, name: "app-notification-source" };
  await writeConfigMap(client, key, { a: "1" });
  await writeConfigMap(client, key, { a: "2" });
  await generator.logged(isCreated);
  isInstalled = true;
  await createPolicy(
    t,
    client,
    clusterPolicy(source, [{ ...RULE, generate: { ...RULE.generate, namespace: source } }]),
  );
  await generator.logged(isPolicyReady);
});

test("a generator without rights says which Role is missing", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const refusal = Object.assign(
    new Error(
      'secrets is forbidden: User "system:serviceaccount:kyverno:gen" cannot create resource "secrets" in API group ""',
    ),
    { code: 403, reason: "Forbidden" },
  );
  const { cluster } = portsOf(client);
  const refusing: GeneratorPorts["cluster"] = {
    ...cluster,
    discover: (signal) => client.discover(signal),
    get: (type, at, signal) => client.get(type, at, signal),
    raw: (path, signal) => client.raw(path, signal),
    mergePatch: (type, at, patch, options, signal) => client.mergePatch(type, at, patch, options, signal),
    delete: (type, at, preconditions, signal) => client.delete(type, at, preconditions, signal),
    create: (type, object, signal) =>
      type.kind === "Secret" ? Promise.reject(refusal) : client.create(type, object, signal),
  };
  const rule = { match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source] } }] } };
  const generate = { apiVersion: "v1", kind: "Secret", namespace: source, name: "t", data: {} };
  await createPolicy(t, client, clusterPolicy(source, [{ ...rule, generate }]));
  const generator = await startGenerator(t, client, { namespace: source, ports: { cluster: refusing } });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "a" }, {});
  const failed = await generator.logged(({ msg }) => msg === "failed to create generate target resource");
  assert.match(
    String(failed["error"]),
    new RegExp(
      `^ServiceAccount kyverno/gen may not create secrets in namespace ${source}: apply a Role in namespace ${source} with the verbs get and create on secrets of the API group "", and bind it`,
    ),
  );
});

test("a target name that is too long is told once, with its length", async (t) => {
  const client = await openCluster(t);
  const source = await makeNamespace(t, client, "source");
  const rule = { match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], names: ["a"] } }] } };
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace: source, name: `t-${"x".repeat(300)}`, data: {} };
  await createPolicy(t, client, clusterPolicy(source, [{ ...rule, generate }]));
  const generator = await startGenerator(t, client, { namespace: source });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: source, name: "a" }, {});
  const failed = await generator.logged(({ msg }) => msg === "failed to create generate target resource");
  assert.equal(failed["willRetry"], false);
  assert.match(
    String(failed["error"]),
    /generate\.name gives a name of 302 characters that Kubernetes does not take, shorten it/,
  );
});

test("a thousand updates in a burst give a thousand targets", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  await writeConfigMap(client, { namespace: source, name: "a" }, { count: "0" });
  const rule = {
    match: {
      any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], names: ["a"], operations: ["UPDATE"] } }],
    },
  };
  const name = "t-{{ request.object.metadata.resourceVersion }}";
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace: target, name, data: {} };
  await createPolicy(t, client, clusterPolicy(source, [{ ...rule, generate }]));
  const generator = await startGenerator(t, client, { namespace: target });
  await generator.logged(isPolicyReady);
  let last = "";
  for (let count = 1; count <= 1_000; count += 1) {
    const { metadata } = await writeConfigMap(client, { namespace: source, name: "a" }, { count: String(count) });
    last = metadata.resourceVersion ?? "";
  }
  await generator.logged(({ msg, target: made }) => isCreated({ msg }) && String(made).endsWith(`t-${last}`));
  assert.equal(generator.records.filter(isCreated).length, 1_000);
});
