import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, configMap, startServer } from "./support.ts";

const SECRETS = "/api/v1/namespaces/default/secrets";

test("a created object carries what only the server gives", async (t) => {
  const server = await startServer(t);
  const { code, body } = await server.post(`${CONFIG_MAPS}?fieldManager=tester`, configMap("a", { x: "y" }));
  assert.equal(code, 201);
  const { uid, resourceVersion, creationTimestamp, managedFields, namespace } = body.metadata;
  assert.match(uid, /^[0-9a-f-]{36}$/);
  assert.match(resourceVersion, /^\d+$/);
  assert.match(creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(namespace, "default");
  assert.deepEqual([managedFields[0].manager, managedFields[0].operation], ["tester", "Update"]);
  assert.deepEqual((await server.get(`${CONFIG_MAPS}/a`)).body, body);
});

test("what is there already, missing, or in no namespace is refused as a real server refuses it", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a"));
  const again = await server.post(CONFIG_MAPS, configMap("a"));
  assert.deepEqual(
    [again.code, again.body.reason, again.body.message],
    [409, "AlreadyExists", 'configmaps "a" already exists'],
  );
  const missing = await server.get(`${CONFIG_MAPS}/nope`);
  assert.deepEqual(missing.body.details, { name: "nope", kind: "configmaps" });
  assert.equal(missing.body.message, 'configmaps "nope" not found');
  const nowhere = await server.post("/api/v1/namespaces/nowhere/configmaps", configMap("a"));
  assert.deepEqual([nowhere.code, nowhere.body.message], [404, 'namespaces "nowhere" not found']);
});

test("names, labels and keys are checked, with the field's path", async (t) => {
  const server = await startServer(t);
  const cases: [object, string][] = [
    [configMap("Bad Name"), "metadata.name"],
    [configMap(""), "metadata.name"],
    [configMap("a", { "a b": "c" }), "data[a b]"],
    [configMap("a", {}, { labels: { "a b": "c" } }), "metadata.labels"],
    [configMap("a", {}, { labels: { a: "c d" } }), "metadata.labels"],
    [configMap("a", {}, { annotations: { "a b": "c" } }), "metadata.annotations"],
  ];
  for (const [object, field] of cases) {
    const { code, body } = await server.post(CONFIG_MAPS, object);
    assert.deepEqual([code, body.reason, body.details.causes[0].field], [422, "Invalid", field]);
  }
});

test("a value of the wrong type, broken JSON and a foreign media type never become an object", async (t) => {
  const server = await startServer(t);
  const wrong = await server.post(CONFIG_MAPS, { ...configMap("a"), data: { x: 1 } });
  assert.equal(wrong.code, 400);
  assert.match(
    wrong.body.message,
    /^ConfigMap in version "v1" cannot be handled as a ConfigMap: .*ConfigMap\.data\.x of type string$/,
  );
  for (const body of ["{nope", "[]", "null", "", "[".repeat(100_000)]) {
    assert.equal((await server.post(CONFIG_MAPS, body)).code, 400);
  }
  assert.equal((await server.post(CONFIG_MAPS, "a: b", { type: "text/plain" })).code, 415);
  assert.equal((await server.post(CONFIG_MAPS, configMap("a"), { accept: "text/html" })).code, 406);
  assert.equal((await server.get(CONFIG_MAPS)).body.items.length, 0);
});

test("a body over 3 MiB is 413, and the server goes on", async (t) => {
  const server = await startServer(t);
  const { code, body } = await server.post(CONFIG_MAPS, "x".repeat(3 * 1024 * 1024 + 1));
  assert.deepEqual([code, body.reason], [413, "RequestEntityTooLarge"]);
  assert.equal((await server.get("/readyz")).code, 200);
});

test("undeclared fields are dropped with a warning, refused when Strict, dropped silently when ignored", async (t) => {
  const server = await startServer(t);
  const warned = await server.post(CONFIG_MAPS, { ...configMap("a"), foo: 1 });
  assert.equal(warned.headers["warning"], '299 - "unknown field \\"foo\\""');
  assert.equal(warned.body.foo, undefined);
  const strict = await server.post(`${CONFIG_MAPS}?fieldValidation=Strict`, { ...configMap("b"), foo: 1 });
  assert.equal(strict.code, 400);
  assert.match(strict.body.message, /strict decoding error: unknown field "foo"$/);
  const ignored = await server.post(`${CONFIG_MAPS}?fieldValidation=Ignore`, { ...configMap("c"), foo: 1 });
  assert.deepEqual([ignored.code, ignored.headers["warning"]], [201, undefined]);
});

test("a name is made from generateName", async (t) => {
  const server = await startServer(t);
  const { body } = await server.post(CONFIG_MAPS, configMap("", {}, { generateName: "made-" }));
  assert.match(body.metadata.name, /^made-[a-z0-9]{5}$/);
});

test("a dry run answers as the write would and writes nothing", async (t) => {
  const server = await startServer(t);
  assert.equal((await server.post(`${CONFIG_MAPS}?dryRun=All`, configMap("a"))).code, 201);
  assert.equal((await server.get(`${CONFIG_MAPS}/a`)).code, 404);
  assert.equal((await server.post(`${CONFIG_MAPS}?dryRun=Some`, configMap("a"))).code, 422);
});

test("an update needs the current resourceVersion, uid and name", async (t) => {
  const server = await startServer(t);
  const { body: created } = await server.post(CONFIG_MAPS, configMap("a"));
  const path = `${CONFIG_MAPS}/a`;
  const stale = await server.put(path, configMap("a", {}, { resourceVersion: "1" }));
  assert.deepEqual([stale.code, stale.body.reason], [409, "Conflict"]);
  assert.match(
    stale.body.message,
    /^Operation cannot be fulfilled on configmaps "a": the object has been modified; please/,
  );
  assert.equal((await server.put(path, configMap("a", {}, { uid: "11111111-1111-1111-1111-111111111111" }))).code, 409);
  assert.equal((await server.put(path, configMap("b"))).code, 400);
  const updated = await server.put(
    path,
    configMap("a", { x: "y" }, { resourceVersion: created.metadata.resourceVersion }),
  );
  assert.equal(updated.code, 200);
  assert.equal(updated.body.metadata.uid, created.metadata.uid);
  assert.ok(Number(updated.body.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
});

test("an update that changes nothing keeps the resourceVersion", async (t) => {
  const server = await startServer(t);
  const { body } = await server.post(CONFIG_MAPS, configMap("a", { x: "y" }));
  const same = await server.put(`${CONFIG_MAPS}/a`, body);
  assert.equal(same.body.metadata.resourceVersion, body.metadata.resourceVersion);
  const patched = await server.patch(`${CONFIG_MAPS}/a`, { data: { x: "y" } });
  assert.equal(patched.body.metadata.resourceVersion, body.metadata.resourceVersion);
});

test("all four patches change an object", async (t) => {
  const server = await startServer(t);
  const path = `${CONFIG_MAPS}/a`;
  await server.post(CONFIG_MAPS, configMap("a", { x: "y" }));
  await server.patch(path, { data: { merge: "1", x: null } });
  await server.patch(path, { data: { strategic: "1" } }, { type: "application/strategic-merge-patch+json" });
  await server.patch(path, [{ op: "add", path: "/data/json", value: "1" }], { type: "application/json-patch+json" });
  const apply = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {applied: '1'}";
  const applied = await server.patch(`${path}?fieldManager=me`, apply, { type: "application/apply-patch+yaml" });
  assert.deepEqual(applied.body.data, { merge: "1", strategic: "1", json: "1", applied: "1" });
  const failed = await server.patch(path, [{ op: "test", path: "/data/json", value: "2" }], {
    type: "application/json-patch+json",
  });
  assert.equal(failed.code, 422);
  assert.equal((await server.patch(path, {}, { type: "application/unknown" })).code, 415);
  assert.equal((await server.patch(path, { metadata: { name: "b" } })).code, 400);
  assert.equal((await server.patch(path, { data: { x: 5 } })).body.details.causes[0].field, "patch");
});

test("a server-side apply creates, and another manager's field is a conflict unless forced", async (t) => {
  const server = await startServer(t);
  const type = "application/apply-patch+yaml";
  const path = `${CONFIG_MAPS}/a`;
  assert.equal((await server.patch(path, configMap("a", { x: "1" }), { type })).code, 422);
  assert.equal((await server.patch(`${path}?fieldManager=one`, configMap("a", { x: "1" }), { type })).code, 201);
  const conflict = await server.patch(`${path}?fieldManager=two`, configMap("a", { x: "2" }), { type });
  assert.deepEqual([conflict.code, conflict.body.details.causes[0].reason], [409, "FieldManagerConflict"]);
  const forced = await server.patch(`${path}?fieldManager=two&force=true`, configMap("a", { x: "2" }), { type });
  assert.equal(forced.body.data.x, "2");
});

test("a YAML body is taken", async (t) => {
  const server = await startServer(t);
  const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: y\n";
  assert.equal((await server.post(CONFIG_MAPS, yaml, { type: "application/yaml" })).code, 201);
  assert.equal((await server.get(`${CONFIG_MAPS}/a`, { accept: "application/yaml" })).text.includes("x: y"), true);
  assert.equal((await server.post(CONFIG_MAPS, "a: [", { type: "application/yaml" })).code, 400);
});

test("a field named __proto__ is data and changes nothing else", async (t) => {
  const server = await startServer(t);
  const text =
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"__proto__":"x"}},"data":{"__proto__":"y"}}';
  const { code } = await server.post(CONFIG_MAPS, text);
  assert.ok(code === 201 || code === 422);
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
  assert.equal((await server.get("/readyz")).code, 200);
});

test("a Secret's stringData becomes data, its type defaults and never changes", async (t) => {
  const server = await startServer(t);
  const { body } = await server.post(SECRETS, { metadata: { name: "s" }, stringData: { a: "b" } });
  assert.deepEqual([body.data, body.type, body.stringData], [{ a: "Yg==" }, "Opaque", undefined]);
  const changed = await server.patch(`${SECRETS}/s`, { type: "Other" });
  assert.deepEqual([changed.code, changed.body.details.causes[0].field], [422, "type"]);
  assert.equal((await server.post(SECRETS, { metadata: { name: "t" }, data: { a: "not base64!" } })).code, 400);
  const listed = await server.get(`${SECRETS}?fieldSelector=type%3DOpaque`);
  assert.equal(listed.body.items.length, 1);
});

test("an event is one object in both API groups", async (t) => {
  const server = await startServer(t);
  const modern = "/apis/events.k8s.io/v1/namespaces/default/events";
  const event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    regarding: { kind: "Pod", name: "p", namespace: "default" },
    reason: "Sent",
    note: "a note",
    type: "Normal",
    action: "Send",
    reportingController: "courier.io/courier",
    reportingInstance: "one",
  };
  assert.equal((await server.post(modern, event)).code, 201);
  const { body } = await server.get("/api/v1/namespaces/default/events/e");
  assert.deepEqual([body.apiVersion, body.message, body.involvedObject.name], ["v1", "a note", "p"]);
  assert.equal((await server.get(`${modern}/e`)).body.note, "a note");
  const found = await server.get("/api/v1/events?fieldSelector=involvedObject.name%3Dp");
  assert.equal(found.body.items.length, 1);
  assert.equal((await server.post(modern, { ...event, metadata: { name: "f" }, action: "" })).code, 422);
});

test("a kind that newer kubectls send in protobuf is read", async (t) => {
  const server = await startServer(t);
  const text = (field: number, value: string) => [(field << 3) | 2, value.length, ...Buffer.from(value)];
  const typeMeta = [...text(1, "v1"), ...text(2, "Namespace")];
  const metadata = text(1, "made");
  const raw = [(1 << 3) | 2, metadata.length, ...metadata];
  const bytes = Buffer.from([...Buffer.from("k8s\0"), 10, typeMeta.length, ...typeMeta, 18, raw.length, ...raw]);
  const { code, body } = await server.post("/api/v1/namespaces", bytes, {
    type: "application/vnd.kubernetes.protobuf",
  });
  assert.deepEqual([code, body.metadata.name, body.status.phase], [201, "made", "Active"]);
  const broken = await server.post("/api/v1/namespaces", bytes.subarray(0, 9), {
    type: "application/vnd.kubernetes.protobuf",
  });
  assert.equal(broken.code, 400);
});
