import assert from "node:assert/strict";
import { test } from "node:test";
import { call, create, get, MERGE_PATCH, ok, patch, refused, remove } from "./client.ts";
import { configMap, makeNamespace, uniqueName, until } from "./fixtures.ts";

test("an Event is the same in both of its groups", async (t) => {
  const { name: namespace, path } = await makeNamespace(t);
  const newer = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const object = { kind: "ConfigMap", name: "x", namespace };
  await create(`${path}/events`, {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "old" },
    involvedObject: object,
    reason: "Sent",
    message: "A mail went out",
    type: "Normal",
  });
  const seen = await get(`${newer}/old`);
  assert.deepEqual([seen.apiVersion, seen.kind], ["events.k8s.io/v1", "Event"]);
  assert.deepEqual([seen.regarding, seen.note, seen.reason], [object, "A mail went out", "Sent"]);

  await create(newer, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "new" },
    regarding: object,
    reason: "Failed",
    note: "No server",
    type: "Warning",
    action: "Send",
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "courier.io/courier",
    reportingInstance: "courier-0",
  });
  const event = await get(`${path}/events/new`);
  assert.deepEqual([event.involvedObject, event.message, event.type], [object, "No server", "Warning"]);
  assert.deepEqual([event.reportingComponent, event.eventTime], ["courier.io/courier", "2026-01-01T00:00:00.000000Z"]);
  const found = await get(`${path}/events?fieldSelector=type%3DWarning,involvedObject.name%3Dx`);
  assert.deepEqual(
    found.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ["new"],
  );
  await remove(`${path}/events`);
});

test("a new Event without what it must say is refused", async (t) => {
  const { name: namespace } = await makeNamespace(t);
  const body = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "bad" },
    regarding: { kind: "ConfigMap", name: "x", namespace },
  };
  await refused(
    "POST",
    `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
    { body },
    {
      code: 422,
      reason: "Invalid",
      message: /eventTime: Required value/,
    },
  );
});

test("a ServiceAccount's token can be had and used", async (t) => {
  const { name, path } = await makeNamespace(t);
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } };
  await create(`${path}/serviceaccounts`, account);
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
  const { kind, status, spec } = await ok("POST", `${path}/serviceaccounts/robot/token`, { body });
  assert.deepEqual([kind, spec.expirationSeconds], ["TokenRequest", 600]);
  const left = Date.parse(status.expirationTimestamp) - Date.now();
  assert.ok(left > 500_000 && left < 700_000, `${left} ms`);
  const { code } = await call("GET", `/api/v1/namespaces/${name}`, { token: status.token });
  assert.notEqual(code, 401);
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token: status.token } };
  const known = await create("/apis/authentication.k8s.io/v1/tokenreviews", review);
  assert.equal(known.status.authenticated, true);
  assert.equal(known.status.user.username, `system:serviceaccount:${name}:robot`);
  await remove(`${path}/serviceaccounts/robot`);
});

test("a token for nobody, or for too short a time, is refused", async (t) => {
  const { path } = await makeNamespace(t);
  const request = (seconds: number) => ({
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: seconds } },
  });
  await refused("POST", `${path}/serviceaccounts/nobody/token`, request(600), {
    code: 404,
    reason: "NotFound",
    message: 'serviceaccounts "nobody" not found',
  });
  await create(`${path}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } });
  await refused("POST", `${path}/serviceaccounts/robot/token`, request(60), {
    code: 422,
    reason: "Invalid",
    causes: [
      "spec.expirationSeconds FieldValueInvalid Invalid value: 60: may not specify a duration less than 10 minutes",
    ],
  });
  await remove(`${path}/serviceaccounts/robot`);
});

test("an administrator is allowed what it asks about", async () => {
  const attributes = { verb: "delete", resource: "configmaps", namespace: "default" };
  const body = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: attributes },
  };
  const { status } = await create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body);
  assert.equal(status.allowed, true);
});

test("a namespace is active, then terminating, and takes nothing new", async () => {
  const name = uniqueName("conformance");
  const path = `/api/v1/namespaces/${name}`;
  const made = await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  assert.deepEqual([made.spec.finalizers, made.status.phase], [["kubernetes"], "Active"]);
  await create(`${path}/configmaps`, configMap("kept", {}, { finalizers: ["example.com/f"] }));
  const deleted = await remove(path);
  assert.match(deleted.metadata.deletionTimestamp, /Z$/);
  assert.equal(deleted.status.phase, "Terminating");
  await refused(
    "POST",
    `${path}/configmaps`,
    { body: configMap("late") },
    {
      code: 403,
      reason: "Forbidden",
      message: `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
      causes: [`metadata.namespace NamespaceTerminating namespace ${name} is being terminated`],
    },
  );
  await patch(`${path}/configmaps/kept`, MERGE_PATCH, { metadata: { finalizers: null } });
  await call("DELETE", `${path}/configmaps/kept`);
  // What the namespace controller does where there is one, which may have been quicker
  await call("PUT", `${path}/finalize`, { body: { ...(await call("GET", path)).body, spec: { finalizers: [] } } });
  await until("the finalized namespace is gone", async () => (await call("GET", path)).code === 404);
});

test("RBAC objects are stored with their rules", async (t) => {
  const { name } = await makeNamespace(t);
  const at = `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}`;
  const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }];
  const metadata = { name: "reader" };
  const group = "rbac.authorization.k8s.io";
  const role = await create(`${at}/roles`, { apiVersion: `${group}/v1`, kind: "Role", metadata, rules });
  assert.deepEqual(role.rules, rules);
  const roleRef = { apiGroup: group, kind: "Role", name: "reader" };
  const subjects = [{ kind: "ServiceAccount", name: "robot", namespace: name }];
  const binding = { apiVersion: `${group}/v1`, kind: "RoleBinding", metadata, roleRef, subjects };
  assert.deepEqual((await create(`${at}/rolebindings`, binding)).subjects, subjects);
  const body = { roleRef: { ...roleRef, name: "another" } };
  await refused(
    "PATCH",
    `${at}/rolebindings/reader`,
    { type: MERGE_PATCH, body },
    {
      code: 422,
      reason: "Invalid",
      message: /roleRef: Invalid value: .*cannot change roleRef/,
    },
  );
  await remove(`${at}/rolebindings/reader`);
  await remove(`${at}/roles/reader`);
});
