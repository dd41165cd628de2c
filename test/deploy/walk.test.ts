/** The shipped rights held against what the services really ask of an API server: nothing refused, nothing granted in vain. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { startDelivery } from "../../src/app/delivery-service.ts";
import { startGenerator } from "../../src/app/generator-service.ts";
import type { Service } from "../../src/app/service.ts";
import { defaultConfig } from "../../src/config/config.ts";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import { createLogger, type Logger } from "../../src/observe/logger.ts";
import {
  CONFIG_MAP,
  LEASE,
  LEGACY_NOTIFICATION_MESSAGE,
  NOTIFICATION_MESSAGE,
  NOTIFICATION_TEMPLATE,
  type ResourceType,
} from "../../src/resources/kinds.ts";
import { startSmtpServer, type TestSmtpServer } from "../support/smtp-server.ts";
import { type ApiRecorder, parseCall, recordApiCalls } from "./api-calls.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { allows, describeGrant, type Grant, grantsOf } from "./grants.ts";
import { kustomize, type Manifest } from "./manifests.ts";

const kubeconfig = process.env["COURIER_TEST_KUBECONFIG"];
const NAMESPACE = "cpaas-system";
/** A run of its own: what an earlier one left is not in its way. */
const WALK = `walk-${Date.now().toString(36)}`;
const TEAM = WALK;
const ROLE_BINDING: ResourceType = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  namespaced: true,
};
const GLOBAL_CONTEXT_ENTRY: ResourceType = {
  group: "kyverno.io",
  version: "v2",
  kind: "GlobalContextEntry",
  plural: "globalcontextentries",
  namespaced: false,
};
const PATIENCE_MS = 60_000;

for (const [method, url, call] of [
  ["GET", "/api/v1/namespaces/a/secrets/s", ["get", "", "secrets", "a", "s"]],
  ["GET", "/api/v1/namespaces/a", ["get", "", "namespaces", "", "a"]],
  ["GET", "/api/v1/configmaps?limit=500", ["list", "", "configmaps", "", ""]],
  [
    "GET",
    "/api/v1/namespaces/a/secrets?fieldSelector=metadata.name%3Ds&watch=true",
    ["watch", "", "secrets", "a", "s"],
  ],
  ["PATCH", "/apis/g.io/v1/namespaces/a/things/t/status?fieldManager=x", ["patch", "g.io", "things/status", "a", "t"]],
  ["POST", "/apis/events.k8s.io/v1/namespaces/a/events", ["create", "events.k8s.io", "events", "a", ""]],
  ["PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/l", ["update", "coordination.k8s.io", "leases", "a", "l"]],
  ["DELETE", "/apis/g.io/v1/namespaces/a/things/t", ["delete", "g.io", "things", "a", "t"]],
] as const) {
  test(`${method} ${url} is: ${call.slice(0, 3).join(" ")}`, () => {
    const { verb, group, resource, namespace, name } = parseCall(method, url) ?? assert.fail();
    assert.deepEqual([verb, group, resource, namespace, name], call);
  });
}

test("discovery is no call on a resource", () => {
  for (const url of ["/apis", "/api/v1", "/apis/apps/v1", "/version"])
    assert.equal(parseCall("GET", url), undefined, url);
});

/** The guide's message for `destinations`, in either group. */
function message(name: string, template: string, destinations: string[], group = NOTIFICATION_MESSAGE.group): Manifest {
  const receivers = destinations.map((destination) => ({ destination }));
  return {
    apiVersion: `${group}/v1beta1`,
    kind: "NotificationMessage",
    metadata: { name, namespace: NAMESPACE },
    spec: { body: {}, notifications: [{ name: "ops", ephemeral: { methods: ["Email"], template }, receivers }] },
  } as Manifest;
}

function template(name: string, content = "Hello"): Manifest {
  return {
    apiVersion: "ait.alauda.io/v1beta1",
    kind: "NotificationTemplate",
    metadata: { name, namespace: NAMESPACE },
    spec: { templates: [{ type: "Email", subject: "Hello", content }] },
  } as Manifest;
}

function configMap(name: string, data: object = {}): Manifest {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: TEAM }, data } as Manifest;
}

/** A rule that makes a message of `group` for each change of the ConfigMap `source`. */
function rule(source: string, group: string, more: object = {}): object {
  const name = `${source}-{{ request.object.metadata.resourceVersion }}`;
  const { spec } = message("any", WALK, ["ann@example.com"]);
  return {
    name: "rule",
    match: {
      any: [{ resources: { kinds: ["ConfigMap"], namespaces: [TEAM], names: [source], operations: ["UPDATE"] } }],
    },
    generate: {
      apiVersion: `${group}/v1beta1`,
      kind: "NotificationMessage",
      name,
      namespace: NAMESPACE,
      data: { spec },
    },
    ...more,
  };
}

function policy(name: string, rules: object[], kind = "ClusterPolicy", namespace?: string): Manifest {
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  return { apiVersion: "kyverno.io/v1", kind, metadata, spec: { rules } } as Manifest;
}

function adminToken(): string {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig as string);
  return config.getCurrentUser()?.token ?? "";
}

/** The Leases of one kind are one right: which of the numbered seats a replica takes is chance. */
function describeRight(grant: Grant): string {
  return describeGrant(grant).replace(/-\d+"/, '-N"');
}

describe("the rights that courier-api and the generator use, on a real API server", {
  skip: kubeconfig === undefined && "COURIER_TEST_KUBECONFIG names no cluster",
  timeout: 240_000,
}, () => {
  const shipped = ["deploy", "deploy/api-access", "deploy/generator"].flatMap(kustomize);
  const services: Service[] = [];
  const lines: string[] = [];
  let cluster: Cluster;
  let smtp: TestSmtpServer;
  let logger: Logger;
  const kubeconfigs = new Map<string, string>();
  const recorders = new Map<string, ApiRecorder>();

  const recorder = (account: string) => recorders.get(account) ?? assert.fail(`${account} was not started`);

  async function started(account: string): Promise<{ kubeconfig: string; httpListen: { host: string; port: number } }> {
    const path = await cluster.kubeconfigOf(account);
    const recorder = await recordApiCalls(kubeconfig as string);
    recorders.set(account, recorder);
    await recorder.redirect(path);
    kubeconfigs.set(account, path);
    for await (const { items } of cluster.admin.listPages(LEASE, { namespace: NAMESPACE })) {
      for (const { metadata } of items) {
        if (metadata.name?.startsWith(account))
          await cluster.admin.delete(LEASE, { namespace: NAMESPACE, name: metadata.name });
      }
    }
    return { kubeconfig: path, httpListen: { host: "127.0.0.1", port: 0 } };
  }

  /** Waits until `account` has made a call that `isIt`, so many `times`, and was answered well. */
  async function called(
    account: string,
    what: string,
    isIt: (call: ApiRecorder["calls"][number]) => boolean,
    times = 1,
  ): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    const count = () => recorder(account).calls.filter((call) => call.code < 300 && isIt(call)).length;
    while (count() < times) {
      assert.ok(Date.now() < until, `${account} did not ${what}:\n${lines.slice(-20).join("")}`);
      await pause(50);
    }
  }

  const deletes = (name: string, group = NOTIFICATION_MESSAGE.group) =>
    called(
      "courier-api",
      `delete message ${name}`,
      (call) => call.verb === "delete" && call.name === name && call.group === group,
    );
  const change = (name: string) =>
    cluster.admin.mergePatch(CONFIG_MAP, { namespace: TEAM, name }, { data: { at: String(Date.now()) } });

  before(async () => {
    smtp = await startSmtpServer({
      recipient: (address) => (address.startsWith("bob") ? "550 5.1.1 No such user" : undefined),
    });
    cluster = await openCluster(kubeconfig as string);
    await cluster.install([...shipped, ...kustomize("deploy/legacy")]);
    await cluster.install([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: TEAM, labels: { team: WALK } } } as Manifest,
      {
        apiVersion: "v1",
        kind: "Secret",
        type: "NotificationServer",
        metadata: { name: "platform-email-server", namespace: NAMESPACE },
        stringData: { host: smtp.host, port: String(smtp.port), from: "user@example.com" },
      } as Manifest,
      template(WALK),
    ]);
    logger = createLogger({
      format: "text",
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    services.push(
      await startDelivery(defaultConfig("serve", { ...(await started("courier-api")), apiAuth: true }), logger),
    );
    services.push(await startGenerator(defaultConfig("generate", await started("courier-generator")), logger));
    await Promise.all(services.map((service) => service.readiness.ready()));
  });
  after(async () => {
    const all = async (ends: (Promise<unknown> | undefined)[]) => void (await Promise.allSettled(ends));
    await all(services.map((service) => service.stop()));
    for (const name of [WALK, `${WALK}-context`, `${WALK}-broken`])
      await all([cluster?.admin.delete(CLUSTER_POLICY, { namespace: "", name })]);
    await all([cluster?.admin.delete(GLOBAL_CONTEXT_ENTRY, { namespace: "", name: WALK })]);
    // The other suites look at what is installed without the HTTP API's part.
    await all([cluster?.admin.delete(ROLE_BINDING, { namespace: NAMESPACE, name: "courier-api-retry" })]);
    await all([cluster?.admin.delete(NOTIFICATION_TEMPLATE, { namespace: NAMESPACE, name: `${WALK}-later` })]);
    await all([smtp?.close(), ...[...recorders.values()].map((recorder) => recorder.close())]);
    await cluster?.close();
  });

  test("a second replica takes its share of the shards and gives it back", async () => {
    const second = { kubeconfig: kubeconfigs.get("courier-api") ?? "", httpListen: { host: "127.0.0.1", port: 0 } };
    const updatesTable = ({ verb, name }: { verb: string; name: string }) =>
      verb === "update" && name === "courier-api-shards";
    const replica = await startDelivery(defaultConfig("serve", { ...second, identity: "second" }), logger);
    await called("courier-api", "change the table of shards", updatesTable);
    await replica.stop();
  });

  test("messages of both groups are delivered, wait, fail and are sent again", async () => {
    const legacy = LEGACY_NOTIFICATION_MESSAGE.group;
    const names = { [NOTIFICATION_MESSAGE.group]: `${WALK}-later-1`, [legacy]: `${WALK}-later-2` };
    for (const [group, name] of Object.entries(names)) {
      await cluster.install([message(name, `${WALK}-later`, ["ann@example.com"], group)]);
      await called("courier-api", "say that a message waits", (call) => call.verb === "patch" && call.name === name);
    }
    await cluster.install([template(`${WALK}-later`)]);
    for (const [group, name] of Object.entries(names)) await deletes(name, group);

    const written = (name: string) => (call: ApiRecorder["calls"][number]) =>
      call.verb === "patch" && call.name === name;
    for (const { group } of [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE]) {
      const name = `${WALK}-refused-${group.split(".")[0]}`;
      await cluster.install([message(name, WALK, ["ann@example.com", "bob@example.com", "nobody"], group)]);
      await called("courier-api", "say that a message failed", written(name));
      const { host, port } = services[0]?.address ?? assert.fail();
      const answer = await fetch(`http://${host}:${port}/api/v1/messages/${NAMESPACE}/${name}/retry?group=${group}`, {
        method: "POST",
        headers: { authorization: `Bearer ${adminToken()}` },
      });
      assert.equal(answer.status, 202, await answer.text());
      await called(
        "courier-api",
        "say so again",
        (call) => written(name)(call) && call.resource.endsWith("/status"),
        2,
      );
    }

    // The same trouble within six minutes is the same Event, counted up.
    const contents = ["{{ if }}", "{{ index .none 3 }}", "{{ if }}"];
    for (const [index, content] of contents.entries()) {
      await cluster.install([template(`${WALK}-later`, content)]);
      if (index === 0) await cluster.install([message(`${WALK}-broken`, `${WALK}-later`, ["ann@example.com"])]);
      await called("courier-api", "say that a template is broken", written(`${WALK}-broken`), index + 1);
    }
    await called("courier-api", "count an Event up", ({ verb, resource }) => verb === "patch" && resource === "events");
    await cluster.install([template(`${WALK}-later`)]);
    await deletes(`${WALK}-broken`);
  });

  test("policies of every kind run, fail, and mend", async () => {
    const selected = { kinds: ["ConfigMap"], names: [`${WALK}-a`], namespaceSelector: { matchLabels: { team: WALK } } };
    const context = [
      { name: "words", configMap: { name: `${WALK}-words`, namespace: TEAM } },
      { name: "maps", globalReference: { name: WALK, jmesPath: "length(@)" } },
    ];
    const conditions = [
      { key: "{{ words.data.go }}", operator: "Equals", value: "yes" },
      { key: "{{ maps }}", operator: "GreaterThan", value: 2 },
    ];
    const preconditions = { all: conditions };
    await cluster.install([
      configMap(`${WALK}-a`, { padding: "p".repeat(300_000) }), // more than fits beside the checkpoint's index
      configMap(`${WALK}-b`),
      policy(WALK, [
        rule(`${WALK}-a`, NOTIFICATION_MESSAGE.group, {
          match: { any: [{ resources: { ...selected, operations: ["UPDATE"] } }] },
        }),
        { ...rule(`${WALK}-a`, LEGACY_NOTIFICATION_MESSAGE.group), name: "legacy" },
      ]),
      {
        apiVersion: "kyverno.io/v2",
        kind: "GlobalContextEntry",
        metadata: { name: WALK },
        spec: { kubernetesResource: { version: "v1", resource: "configmaps", namespace: TEAM } },
      } as Manifest,
      policy(`${WALK}-context`, [rule(`${WALK}-b`, NOTIFICATION_MESSAGE.group, { context, preconditions })]),
      policy(`${WALK}-broken`, [
        { ...rule(`${WALK}-a`, NOTIFICATION_MESSAGE.group), generate: { kind: "NotificationMessage" } },
      ]),
      policy(WALK, [rule(`${WALK}-a`, NOTIFICATION_MESSAGE.group)], "Policy", TEAM),
    ]);
    for (const name of [WALK, `${WALK}-context`, `${WALK}-broken`])
      await called(
        "courier-generator",
        `judge ${name}`,
        (call) => call.resource === "clusterpolicies/status" && call.name === name,
      );
    await called("courier-generator", "judge a Policy", (call) => call.resource === "policies/status");
    await change(`${WALK}-a`);
    await change(`${WALK}-b`);
    for (const { group } of [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE])
      await called(
        "courier-generator",
        `create a message of ${group}`,
        (call) => call.verb === "create" && call.group === group,
      );
    await called("courier-generator", "tell of a failure", (call) => call.resource === "updaterequests/status");
    await change(`${WALK}-b`);
    await called(
      "courier-generator",
      "count an Event up",
      (call) => call.verb === "patch" && call.resource === "events",
    );

    await cluster.install([configMap(`${WALK}-words`, { go: "yes" })]);
    let refusals = 0;
    recorder("courier-generator").overloaded = ({ verb, resource }) =>
      verb === "create" && resource === "notificationmessages" && refusals++ === 0;
    await change(`${WALK}-b`);
    await called(
      "courier-generator",
      "forget a failure that is over",
      ({ verb, resource }) => verb === "delete" && resource === "updaterequests",
    );
  });

  test("a generator that starts again reads its checkpoint, and what was made just before", async () => {
    await services[1]?.stop();
    const again = {
      kubeconfig: kubeconfigs.get("courier-generator") ?? "",
      httpListen: { host: "127.0.0.1", port: 0 },
    };
    services[1] = await startGenerator(defaultConfig("generate", again), logger);
    for (const { group } of [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE])
      await called(
        "courier-generator",
        `read what was made of ${group}`,
        (call) => call.verb === "watch" && call.resource === "notificationmessages" && call.group === group,
      );
  });

  for (const account of ["courier-api", "courier-generator"]) {
    test(`${account} was refused nothing`, () => {
      const refused = recorder(account).calls.filter(({ code }) => code === 403);
      assert.deepEqual(refused, []);
    });

    test(`every call of ${account} is one that its shipped Roles allow, and every right in them was used`, async () => {
      await services[account === "courier-api" ? 0 : 1]?.stop();
      const grants = grantsOf(shipped, account);
      const { calls } = recorder(account);
      const beyond = calls.filter((call) => !grants.some((grant) => allows(grant, call)));
      assert.deepEqual(beyond, []);
      const used = new Set(grants.filter((grant) => calls.some((call) => allows(grant, call))).map(describeRight));
      const unused = grants.filter((grant) => !used.has(describeRight(grant)));
      assert.deepEqual(unused.map(describeGrant), []);
    });
  }
});
