import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFINITIONS, startServer, WIDGETS, widget, widgetDefinition } from "./support.ts";

test("a custom kind is served as soon as its definition is created", async (t) => {
  const server = await startServer(t);
  const { code, body } = await server.post(DEFINITIONS, widgetDefinition());
  assert.equal(code, 201);
  const types = body.status.conditions.map(({ type, status }: { type: string; status: string }) => `${type}=${status}`);
  assert.deepEqual(types, ["NamesAccepted=True", "Established=True"]);
  assert.equal((await server.post(WIDGETS, widget("w", { size: 1 }))).code, 201);
  const list = await server.get("/apis/example.com/v1");
  assert.deepEqual(
    list.body.resources.map(({ name }: { name: string }) => name),
    ["widgets", "widgets/status"],
  );
  assert.deepEqual(list.body.resources[0].shortNames, ["wd"]);
});

test("custom objects are pruned, defaulted and validated with the path of the field", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  const kept = await server.post(WIDGETS, widget("w", { size: 1, junk: 1, extra: { any: { thing: 1 } } }));
  assert.deepEqual(kept.body.spec, { size: 1, color: "red", extra: { any: { thing: 1 } } });
  const wrong = await server.post(WIDGETS, widget("x", { size: "big" }));
  assert.equal(
    wrong.body.message,
    'Widget.example.com "x" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
  );
  assert.deepEqual(wrong.body.details.causes[0].field, "spec.size");
  assert.equal((await server.post(WIDGETS, widget("x", {}))).body.details.causes[0].reason, "FieldValueRequired");
  assert.equal((await server.post(WIDGETS, widget("x", []))).code, 422);
});

test("status is written through /status alone, and generation counts changes of the rest", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  const { body: created } = await server.post(WIDGETS, { ...widget("w", { size: 1 }), status: { phase: "Forged" } });
  assert.deepEqual([created.status, created.metadata.generation], [undefined, 1]);
  const ignored = await server.patch(`${WIDGETS}/w`, { status: { phase: "Forged" } });
  assert.equal(ignored.body.metadata.resourceVersion, created.metadata.resourceVersion);
  const done = await server.patch(`${WIDGETS}/w/status`, { status: { phase: "Done" }, spec: { size: 9 } });
  assert.deepEqual([done.body.status.phase, done.body.spec.size, done.body.metadata.generation], ["Done", 1, 1]);
  const entries = done.body.metadata.managedFields as { subresource?: string }[];
  assert.ok(entries.some(({ subresource }) => subresource === "status"));
  const grown = await server.patch(`${WIDGETS}/w`, { spec: { size: 2 } });
  assert.deepEqual([grown.body.metadata.generation, grown.body.status.phase], [2, "Done"]);
});

test("a PUT without resourceVersion and a strategic patch are refused for custom kinds", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  await server.post(WIDGETS, widget("w", { size: 1 }));
  const put = await server.put(`${WIDGETS}/w`, widget("w", { size: 2 }));
  assert.deepEqual([put.code, put.body.details.causes[0].field], [422, "metadata.resourceVersion"]);
  const patch = await server.patch(`${WIDGETS}/w`, {}, { type: "application/strategic-merge-patch+json" });
  assert.equal(patch.code, 415);
});

test("a definition that cannot be served is refused, naming the field", async (t) => {
  const server = await startServer(t);
  const version = { name: "v1", served: true, storage: true };
  const open = { openAPIV3Schema: { type: "object", properties: { a: {} } } };
  const cases: [object, string][] = [
    [{ scope: "Everywhere" }, "spec.scope"],
    [{ versions: [version] }, "spec.versions[0].schema.openAPIV3Schema"],
    [{ versions: [{ ...version, schema: open }] }, "spec.validation.openAPIV3Schema.properties[a].type"],
    [{ versions: [{ ...version, storage: false, schema: { openAPIV3Schema: { type: "object" } } }] }, "spec.versions"],
    [{ group: "other.com" }, "metadata.name"],
  ];
  for (const [spec, field] of cases) {
    const { code, body } = await server.post(DEFINITIONS, widgetDefinition(spec));
    assert.deepEqual([code, body.details.causes[0].field], [422, field]);
  }
  assert.equal((await server.post(DEFINITIONS, { metadata: { name: "x" }, spec: {} })).code, 422);
});

test("every served version of a kind shows the same objects", async (t) => {
  const server = await startServer(t);
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const versions = [
    { name: "v1beta1", served: true, storage: false, schema },
    { name: "v1", served: true, storage: true, schema },
    { name: "v1alpha1", served: false, storage: false, schema },
  ];
  await server.post(DEFINITIONS, widgetDefinition({ versions }));
  await server.post(WIDGETS, widget("w", { size: 1 }));
  const { body } = await server.get(`${WIDGETS.replace("/v1/", "/v1beta1/")}/w`);
  assert.deepEqual([body.apiVersion, body.spec], ["example.com/v1beta1", { size: 1 }]);
  assert.equal((await server.get(WIDGETS.replace("/v1/", "/v1alpha1/"))).code, 404);
  assert.equal((await server.get("/apis/example.com")).body.preferredVersion.version, "v1");
});

test("a changed definition is in force at once", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  const patch = [
    {
      op: "add",
      path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/extra2",
      value: { type: "string" },
    },
  ];
  await server.patch(`${DEFINITIONS}/widgets.example.com`, patch, { type: "application/json-patch+json" });
  const { body } = await server.post(WIDGETS, widget("w", { size: 1, extra2: "kept" }));
  assert.equal(body.spec.extra2, "kept");
});
