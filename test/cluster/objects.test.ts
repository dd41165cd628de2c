import assert from "node:assert/strict";
import { test } from "node:test";
import { call, create, get, MERGE_PATCH, ok, patch, refused, remove } from "./client.ts";
import { configMap, makeNamespace } from "./fixtures.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test("a created object gets uid, resourceVersion, creation time and the namespace of its path", async (t) => {
  const { name: namespace, configMaps } = await makeNamespace(t);
  const answer = await call("POST", configMaps, { body: configMap("one", { data: { a: "1" } }) });
  assert.equal(answer.code, 201);
  const { kind, apiVersion, metadata, data } = answer.body;
  assert.deepEqual([kind, apiVersion, data], ["ConfigMap", "v1", { a: "1" }]);
  assert.match(metadata.uid, UUID);
  assert.match(metadata.resourceVersion, /^\d+$/);
  assert.match(metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(metadata.namespace, namespace);
  assert.deepEqual(await get(`${configMaps}/one`), answer.body);
});

test("the server, not the client, says uid and creation time", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const body = configMap("one", {}, { uid: "mine", creationTimestamp: "2001-01-01T00:00:00Z" });
  const { metadata } = await create(configMaps, body);
  assert.match(metadata.uid, UUID);
  assert.notEqual(metadata.creationTimestamp, "2001-01-01T00:00:00Z");
});

test("generateName makes names of its own", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "made-" } };
  const names = [await create(configMaps, body), await create(configMaps, body)].map(({ metadata }) => metadata.name);
  for (const name of names) assert.match(name, /^made-[a-z0-9]{5}$/);
  assert.notEqual(names[0], names[1]);
});

test("a body may be YAML", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: '1'\n";
  assert.deepEqual((await ok("POST", configMaps, { body, type: "application/yaml" })).data, { a: "1" });
});

test("an update replaces the object and raises its resourceVersion", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const made = await create(configMaps, configMap("one", { data: { a: "1" } }, { labels: { l: "1" } }));
  const updated = await ok("PUT", `${configMaps}/one`, { body: configMap("one", { data: { b: "2" } }) });
  assert.deepEqual(updated.data, { b: "2" });
  assert.equal(updated.metadata.labels, undefined);
  assert.equal(updated.metadata.uid, made.metadata.uid);
  assert.equal(updated.metadata.creationTimestamp, made.metadata.creationTimestamp);
  assert.ok(Number(updated.metadata.resourceVersion) > Number(made.metadata.resourceVersion));
});

test("an update that changes nothing keeps the resourceVersion", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const made = await create(configMaps, configMap("one", { data: { a: "1" } }));
  const updated = await ok("PUT", `${configMaps}/one`, { body: made });
  const patched = await patch(`${configMaps}/one`, MERGE_PATCH, { data: { a: "1" } });
  assert.equal(updated.metadata.resourceVersion, made.metadata.resourceVersion);
  assert.equal(patched.metadata.resourceVersion, made.metadata.resourceVersion);
});

test("a write with an outdated resourceVersion is a conflict", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const made = await create(configMaps, configMap("one"));
  await patch(`${configMaps}/one`, MERGE_PATCH, { data: { a: "1" } });
  const conflict = {
    code: 409,
    reason: "Conflict",
    message:
      'Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again',
  };
  await refused("PUT", `${configMaps}/one`, { body: made }, conflict);
  const body = { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { a: "2" } };
  await refused("PATCH", `${configMaps}/one`, { body, type: MERGE_PATCH }, conflict);
});

test("an update for another uid is a conflict", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one"));
  const uid = "00000000-0000-0000-0000-000000000000";
  await refused(
    "PUT",
    `${configMaps}/one`,
    { body: configMap("one", {}, { uid }) },
    {
      code: 409,
      reason: "Conflict",
      message: /^Operation cannot be fulfilled on configmaps "one": .*Precondition failed: UID in precondition/,
    },
  );
});

test("a delete answers with the object's identity, and the object is gone", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const { metadata } = await create(configMaps, configMap("one"));
  const answer = await remove(`${configMaps}/one`);
  assert.deepEqual([answer.kind, answer.status], ["Status", "Success"]);
  assert.deepEqual(answer.details, { name: "one", kind: "configmaps", uid: metadata.uid });
  await refused(
    "GET",
    `${configMaps}/one`,
    {},
    {
      code: 404,
      reason: "NotFound",
      message: 'configmaps "one" not found',
    },
  );
});

test("a delete's preconditions must hold", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const { metadata } = await create(configMaps, configMap("one"));
  const options = (preconditions: object) => ({ body: { kind: "DeleteOptions", apiVersion: "v1", preconditions } });
  await refused("DELETE", `${configMaps}/one`, options({ uid: "another" }), {
    code: 409,
    reason: "Conflict",
    message: /the UID in the precondition \(another\) does not match the UID in record/,
  });
  await refused("DELETE", `${configMaps}/one`, options({ resourceVersion: "1" }), {
    code: 409,
    reason: "Conflict",
    message: /the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record/,
  });
  await ok("DELETE", `${configMaps}/one`, options({ uid: metadata.uid, resourceVersion: metadata.resourceVersion }));
});

test("an object with finalizers is marked, and goes when the last of them goes", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one", {}, { finalizers: ["example.com/a"] }));
  const marked = await remove(`${configMaps}/one`);
  assert.equal(marked.kind, "ConfigMap");
  assert.match(marked.metadata.deletionTimestamp, /Z$/);
  const again = await remove(`${configMaps}/one`);
  assert.equal(again.metadata.deletionTimestamp, marked.metadata.deletionTimestamp);
  const body = { metadata: { finalizers: ["example.com/a", "example.com/b"] } };
  await refused(
    "PATCH",
    `${configMaps}/one`,
    { body, type: MERGE_PATCH },
    {
      code: 422,
      reason: "Invalid",
      causes: [
        'metadata.finalizers FieldValueForbidden Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
      ],
    },
  );
  await patch(`${configMaps}/one`, MERGE_PATCH, { metadata: { finalizers: null } });
  assert.equal((await call("GET", `${configMaps}/one`)).code, 404);
});

test("a delete that waits for its dependents adds a finalizer", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one"));
  const marked = await remove(`${configMaps}/one?propagationPolicy=Foreground`);
  if (marked.kind === "Status") return; // a cluster whose garbage collector was quicker
  assert.deepEqual(marked.metadata.finalizers, ["foregroundDeletion"]);
  await call("PATCH", `${configMaps}/one`, { type: MERGE_PATCH, body: { metadata: { finalizers: null } } });
});

test("a delete with a policy that is none is refused and deletes nothing", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one"));
  const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Bogus" };
  await refused(
    "DELETE",
    `${configMaps}/one`,
    { body },
    {
      code: 422,
      reason: "Invalid",
      message: /propagationPolicy: (Unsupported|Invalid) value: "Bogus"/,
    },
  );
  assert.equal((await call("GET", `${configMaps}/one`)).code, 200);
});

test("deletecollection deletes what its selector matches and answers with it", async (t) => {
  const { configMaps } = await makeNamespace(t);
  for (const name of ["a", "b", "c"]) await create(configMaps, configMap(name, {}, { labels: { name } }));
  const answer = await remove(`${configMaps}?labelSelector=${encodeURIComponent("name in (a,b)")}`);
  const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map(({ metadata }) => metadata.name);
  assert.equal(answer.kind, "ConfigMapList");
  assert.deepEqual(names(answer), ["a", "b"]);
  assert.deepEqual(
    names(await get(configMaps)).filter((name) => name !== "kube-root-ca.crt"),
    ["c"],
  );
});

test("a dry run answers as the write would and changes nothing", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const made = await ok("POST", `${configMaps}?dryRun=All`, { body: configMap("one") });
  assert.match(made.metadata.uid, UUID);
  assert.equal((await call("GET", `${configMaps}/one`)).code, 404);
  const real = await create(configMaps, configMap("one"));
  const body = { data: { a: "1" } };
  assert.deepEqual((await ok("PATCH", `${configMaps}/one?dryRun=All`, { body, type: MERGE_PATCH })).data, { a: "1" });
  assert.equal((await remove(`${configMaps}/one?dryRun=All`)).status, "Success");
  assert.deepEqual(await get(`${configMaps}/one`), real);
  await refused(
    "POST",
    `${configMaps}?dryRun=Maybe`,
    { body: configMap("two") },
    {
      code: 422,
      reason: "Invalid",
      message:
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Maybe"}: supported values: "All"',
    },
  );
});

test("an immutable ConfigMap can only be deleted", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one", { immutable: true, data: { a: "1" } }));
  const body = { data: { a: "2" } };
  await refused(
    "PATCH",
    `${configMaps}/one`,
    { body, type: MERGE_PATCH },
    {
      code: 422,
      reason: "Invalid",
      causes: ["data FieldValueForbidden Forbidden: field is immutable when `immutable` is set"],
    },
  );
  await remove(`${configMaps}/one`);
});

test("a Secret keeps stringData as base64 data", async (t) => {
  const { path } = await makeNamespace(t);
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { a: "hey" } };
  const made = await create(`${path}/secrets`, secret);
  assert.deepEqual([made.data, made.stringData, made.type], [{ a: "aGV5" }, undefined, "Opaque"]);
  await remove(`${path}/secrets/s`);
});

test("a Lease keeps its microseconds", async (t) => {
  const { name } = await makeNamespace(t);
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`;
  const spec = { holderIdentity: "me", leaseDurationSeconds: 15, renewTime: "2026-01-02T03:04:05.678901Z" };
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec };
  assert.deepEqual((await create(leases, lease)).spec, spec);
  await remove(`${leases}/l`);
});
