import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { KubeClient, ListOptions } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import {
  CONFIG_MAP,
  LEASE,
  NOTIFICATION_MESSAGE,
  NOTIFICATION_TEMPLATE,
  type ResourceType,
  SECRET,
} from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { answerTo, type Cluster, openCluster } from "./cluster.ts";
import { kustomize } from "./manifests.ts";

const kubeconfig = process.env["COURIER_TEST_KUBECONFIG"];
const NAMESPACE = "cpaas-system";
const POLICY: ResourceType = {
  group: "kyverno.io",
  version: "v1",
  kind: "ClusterPolicy",
  plural: "clusterpolicies",
  namespaced: false,
};
const DEPLOYMENT: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};
const CLUSTER_ROLE: ResourceType = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
};

function inNamespace(name: string, namespace = NAMESPACE) {
  return { namespace, name };
}

function message(name: string, namespace = NAMESPACE): KubeObject {
  return {
    apiVersion: "aitextensions.alauda.io/v1beta1",
    kind: "NotificationMessage",
    metadata: { name, namespace },
    spec: { notifications: [{ name: "nobody" }] },
  };
}

function configMap(name: string): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NAMESPACE } };
}

function secret(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Secret", type: "NotificationServer", metadata: { name, namespace: NAMESPACE } };
}

async function list(client: KubeClient, type: ResourceType, options: ListOptions): Promise<void> {
  for await (const _page of client.listPages(type, options));
}

describe("the shipped rights, on a real API server", {
  skip: kubeconfig === undefined && "COURIER_TEST_KUBECONFIG names no cluster",
}, () => {
  let cluster: Cluster;
  let api: KubeClient;
  let generator: KubeClient;

  before(async () => {
    cluster = await openCluster(kubeconfig as string);
    await cluster.install([...kustomize("deploy"), ...kustomize("deploy/generator")]);
    for (const name of ["platform-email-server", "somebody-elses"]) {
      await answerTo(cluster.admin.create(SECRET, secret(name)));
    }
    api = await connect({ kubeconfig: await cluster.kubeconfigOf("courier-api") });
    generator = await connect({ kubeconfig: await cluster.kubeconfigOf("courier-generator") });
  });
  after(async () => {
    await cluster.admin.delete(NOTIFICATION_MESSAGE, inNamespace("rights"));
    await cluster.admin.delete(SECRET, inNamespace("somebody-elses"));
    await Promise.all([api, generator, cluster].map((each) => each.close()));
  });

  test("courier-api reads the one Secret by a list of its name", async () => {
    const fieldSelector = "metadata.name=platform-email-server";
    assert.equal(await answerTo(list(api, SECRET, { namespace: NAMESPACE, fieldSelector })), 200);
  });

  test("courier-api neither reads another Secret nor changes its own", async () => {
    const own = inNamespace("platform-email-server");
    assert.equal(await answerTo(api.get(SECRET, inNamespace("somebody-elses"))), 403);
    assert.equal(await answerTo(list(api, SECRET, { namespace: NAMESPACE })), 403);
    assert.equal(await answerTo(list(api, SECRET, {})), 403);
    assert.equal(await answerTo(api.mergePatch(SECRET, own, { data: {} })), 403);
    assert.equal(await answerTo(api.delete(SECRET, own)), 403);
  });

  test("the generator creates messages in cpaas-system, and nowhere else", async () => {
    assert.equal(await answerTo(generator.create(NOTIFICATION_MESSAGE, message("rights"))), 200);
    assert.equal(await answerTo(generator.create(NOTIFICATION_MESSAGE, message("rights", "default"))), 403);
  });

  test("the generator does not read, change or delete messages", async () => {
    const key = inNamespace("rights");
    const status = { subresource: "status" } as const;
    assert.equal(await answerTo(list(generator, NOTIFICATION_MESSAGE, { namespace: NAMESPACE })), 403);
    assert.equal(await answerTo(generator.mergePatch(NOTIFICATION_MESSAGE, key, {})), 403);
    assert.equal(await answerTo(generator.mergePatch(NOTIFICATION_MESSAGE, key, {}, status)), 403);
    assert.equal(await answerTo(generator.delete(NOTIFICATION_MESSAGE, key)), 403);
  });

  test("the generator reads ConfigMaps and policies, and writes neither", async () => {
    assert.equal(await answerTo(list(generator, CONFIG_MAP, {})), 200);
    assert.equal(await answerTo(list(generator, POLICY, {})), 200);
    assert.equal(await answerTo(generator.create(CONFIG_MAP, configMap("rights"))), 403);
    assert.equal(await answerTo(generator.mergePatch(POLICY, { namespace: "", name: "any" }, {})), 403);
  });

  test("the generator sees whether a Kyverno is there, and no other Deployment or Lease of its namespace", async () => {
    for (const type of [DEPLOYMENT, LEASE]) {
      const place = (name: string) => inNamespace(name, "kyverno");
      assert.equal(await generator.get(type, place("kyverno-background-controller")), undefined);
      assert.equal(await answerTo(generator.get(type, place("kyverno-admission-controller"))), 403);
    }
  });

  test("the generator reads and writes the Secrets of its checkpoint, and no other", async () => {
    for (const name of ["courier-generator-checkpoint", "courier-generator-checkpoint-15"])
      assert.equal(await answerTo(generator.mergePatch(SECRET, inNamespace(name), { data: { objects: null } })), 200);
    assert.equal(await answerTo(generator.get(SECRET, inNamespace("platform-email-server"))), 403);
    assert.equal(await answerTo(generator.create(SECRET, secret("rights"))), 403);
  });

  test("courier-api writes a message's status and deletes it, and does nothing else to it", async () => {
    const key = inNamespace("rights");
    const status = { subresource: "status" } as const;
    const done = { status: { phase: "Done" } };
    assert.equal(await answerTo(api.mergePatch(NOTIFICATION_MESSAGE, key, done, status)), 200);
    assert.equal(await answerTo(api.mergePatch(NOTIFICATION_MESSAGE, key, { metadata: { labels: { a: "b" } } })), 403);
    assert.equal(await answerTo(api.create(NOTIFICATION_MESSAGE, message("another"))), 403);
    assert.equal(await answerTo(api.delete(NOTIFICATION_MESSAGE, key)), 200);
  });

  test("courier-api reads messages and templates of its namespace, and no others", async () => {
    for (const type of [NOTIFICATION_MESSAGE, NOTIFICATION_TEMPLATE]) {
      assert.equal(await answerTo(list(api, type, { namespace: NAMESPACE })), 200, type.plural);
      assert.equal(await answerTo(list(api, type, { namespace: "default" })), 403, type.plural);
      assert.equal(await answerTo(list(api, type, {})), 403, type.plural);
    }
    assert.equal(await answerTo(api.mergePatch(NOTIFICATION_TEMPLATE, inNamespace("any"), {})), 403);
  });

  test("neither touches ConfigMaps, the other's Lease, or RBAC", async () => {
    for (const [account, other] of [
      [api, "courier-generator"],
      [generator, "courier-api"],
    ] as const) {
      assert.equal(await answerTo(account.get(LEASE, inNamespace(other))), 403);
      assert.equal(await answerTo(account.mergePatch(LEASE, inNamespace(other), {})), 403);
      assert.equal(await answerTo(account.delete(LEASE, inNamespace(other))), 403);
      assert.equal(await answerTo(account.create(CONFIG_MAP, configMap("rights"))), 403);
      assert.equal(await answerTo(list(account, CLUSTER_ROLE, {})), 403);
    }
  });
});
