/** Who may use courier-api's HTTP API, as a real API server decides it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import request from "supertest";
import { startDelivery } from "../../src/app/delivery-service.ts";
import type { Service } from "../../src/app/service.ts";
import { defaultConfig } from "../../src/config/config.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { LEGACY_NOTIFICATION_MESSAGE, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { messageOf, subscriptionOf } from "../support/platform.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { type Binding, find, kustomize, type Manifest } from "./manifests.ts";

const kubeconfig = process.env["COURIER_TEST_KUBECONFIG"];
const NAMESPACE = "cpaas-system";
const PATH = `/api/v1/messages/${NAMESPACE}/api-access`;
const KEY = { namespace: NAMESPACE, name: "api-access" };
const SERVER = "api-server";
const RBAC = { apiGroup: "rbac.authorization.k8s.io" };

/** A ServiceAccount that may do `verbs` to the messages of one group in one namespace. */
function account(name: string, verbs: string[], group = NOTIFICATION_MESSAGE.group, namespace = NAMESPACE): Manifest[] {
  const role = { apiVersion: `${RBAC.apiGroup}/v1`, metadata: { name, namespace } };
  const rules = [{ apiGroups: [group], resources: ["notificationmessages"], verbs }];
  const subjects = [{ kind: "ServiceAccount", name, namespace: NAMESPACE }];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: NAMESPACE } },
    { ...role, kind: "Role", rules },
    { ...role, kind: "RoleBinding", roleRef: { ...RBAC, kind: "Role", name }, subjects },
  ] as unknown as Manifest[];
}

/** What is shipped for courier-api, given to another ServiceAccount: other suites on this cluster count courier-api's rights. */
function serverRights(): Manifest[] {
  const bindings = [...kustomize("deploy"), ...kustomize("deploy/api-access")].filter(({ kind }) =>
    /Binding$/.test(kind),
  );
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: SERVER, namespace: NAMESPACE } } as Manifest,
    find(kustomize("deploy/api-access"), "ClusterRole", "courier-api-retry"),
    ...(bindings as Binding[]).map((binding) => ({
      ...binding,
      metadata: { ...binding.metadata, name: `${SERVER}-${binding.metadata.name}` },
      subjects: binding.subjects.map((subject) => ({ ...subject, name: SERVER })),
    })),
  ];
}

describe("the API with --api-auth, on a real API server", {
  skip: kubeconfig === undefined && "COURIER_TEST_KUBECONFIG names no cluster",
}, () => {
  let cluster: Cluster;
  let service: Service;

  before(async () => {
    cluster = await openCluster(kubeconfig as string);
    await cluster.install([...kustomize("deploy"), ...kustomize("deploy/legacy")]);
    await cluster.install([
      ...serverRights(),
      ...account("api-nobody", ["list"]),
      ...account("api-reader", ["get"]),
      ...account("api-retrier", ["get", "patch"]),
      ...account("api-elsewhere", ["get", "patch"], NOTIFICATION_MESSAGE.group, "default"),
      ...account("api-older", ["get", "patch"], LEGACY_NOTIFICATION_MESSAGE.group),
    ]);
    // Nobody delivers here: the service runs for its HTTP server, in a namespace without messages.
    service = await startDelivery(
      defaultConfig("serve", {
        kubeconfig: await cluster.kubeconfigOf(SERVER),
        namespace: ["default"],
        httpListen: { host: "127.0.0.1", port: 0 },
        apiAuth: true,
      }),
      createLogger({ format: "text", level: "error", destination: { write: () => {} } }),
    );
    for (const type of [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE]) {
      const message = messageOf(KEY.name, { notifications: [subscriptionOf("ann@example.com")] });
      await cluster.admin.create(type, { ...message, apiVersion: `${type.group}/${type.version}` });
      const row = { method: "Email", addresses: ["ann@example.com"], type: "Ready", status: "False" };
      const condition = { ...row, reason: "MailRejected", uid: "ops/Email", contentHash: "0123456789abcdef" };
      const status = { phase: "Failed", conditions: [condition] };
      await cluster.admin.mergePatch(type, KEY, { status }, { subresource: "status" });
    }
  });
  after(async () => {
    await service.stop();
    for (const type of [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE]) await cluster.admin.delete(type, KEY);
    await cluster.close();
  });

  async function answerAs(name: string, verb: "get" | "retry", query = "") {
    const server = request(`http://127.0.0.1:${service.address.port}`);
    const asked = verb === "get" ? server.get(PATH + query) : server.post(`${PATH}/retry${query}`);
    return asked.set("Authorization", `Bearer ${await cluster.tokenOf(name)}`);
  }

  test("who may read messages reads this one, and has it sent again no more than kubectl would let them", async () => {
    const read = await answerAs("api-reader", "get");
    assert.deepEqual([read.status, read.body.status.phase], [200, "Failed"]);
    const { status, body } = await answerAs("api-reader", "retry");
    assert.equal(status, 403);
    assert.match(body.message, /^system:serviceaccount:cpaas-system:api-reader may not patch notificationmessages\./);
    assert.equal((await cluster.admin.get(NOTIFICATION_MESSAGE, KEY))?.metadata.annotations, undefined);
  });

  test("who may patch messages has it sent again", async () => {
    const { status, body } = await answerAs("api-retrier", "retry");
    assert.equal(status, 202, JSON.stringify(body));
    assert.deepEqual(body.recipients[0].addresses, ["ann@example.com"]);
    const { annotations } = (await cluster.admin.get(NOTIFICATION_MESSAGE, KEY))?.metadata ?? {};
    assert.equal(annotations?.["courier.io/retry"], body.retry);
  });

  test("a right in another namespace, or for the other group, opens nothing here", async () => {
    for (const name of ["api-elsewhere", "api-older", "api-nobody"]) {
      for (const verb of ["get", "retry"] as const) assert.equal((await answerAs(name, verb)).status, 403, name);
    }
    const group = `?group=${LEGACY_NOTIFICATION_MESSAGE.group}`;
    assert.equal((await answerAs("api-retrier", "retry", group)).status, 403);
    assert.equal((await answerAs("api-older", "retry", group)).status, 202);
  });

  test("what is not there is no secret to who may read, and is one to who may not", async () => {
    const server = request(`http://127.0.0.1:${service.address.port}`);
    for (const [name, code] of [
      ["api-reader", 404],
      ["api-nobody", 403],
    ] as const) {
      const token = await cluster.tokenOf(name);
      await server.get(`/api/v1/messages/${NAMESPACE}/absent`).set("Authorization", `Bearer ${token}`).expect(code);
    }
  });

  test("no token, a made-up one and one of another cluster are refused", async () => {
    const server = request(`http://127.0.0.1:${service.address.port}`);
    await server.get(PATH).expect(401);
    await server.get(PATH).set("Authorization", "Bearer made-up").expect(401);
    await server.get(PATH).set("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.").expect(401);
    await server.get("/healthz").expect(200);
  });
});
