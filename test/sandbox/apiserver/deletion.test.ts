import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, configMap, DEFINITIONS, startServer, WIDGETS, widget, widgetDefinition } from "./support.ts";

test("a deletion answers with a Status, a second one with 404", async (t) => {
  const server = await startServer(t);
  const { body: created } = await server.post(CONFIG_MAPS, configMap("a"));
  const { code, body } = await server.delete(`${CONFIG_MAPS}/a`);
  assert.equal(code, 200);
  assert.deepEqual([body.status, body.details.uid], ["Success", created.metadata.uid]);
  assert.equal((await server.delete(`${CONFIG_MAPS}/a`)).code, 404);
});

test("preconditions on uid and resourceVersion keep what has changed", async (t) => {
  const server = await startServer(t);
  const { body } = await server.post(CONFIG_MAPS, configMap("a"));
  const { uid, resourceVersion } = body.metadata;
  assert.equal((await server.delete(`${CONFIG_MAPS}/a`, { preconditions: { uid: "other" } })).code, 409);
  assert.equal((await server.delete(`${CONFIG_MAPS}/a`, { preconditions: { resourceVersion: "1" } })).code, 409);
  assert.equal((await server.delete(`${CONFIG_MAPS}/a`, { preconditions: { uid, resourceVersion } })).code, 200);
});

test("a finalizer holds the object until it is taken away", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a", {}, { finalizers: ["example.com/hold"] }));
  const held = await server.delete(`${CONFIG_MAPS}/a`);
  assert.match(held.body.metadata.deletionTimestamp, /Z$/);
  const added = await server.patch(`${CONFIG_MAPS}/a`, {
    metadata: { finalizers: ["example.com/hold", "example.com/more"] },
  });
  assert.deepEqual([added.code, added.body.details.causes[0].field], [422, "metadata.finalizers"]);
  assert.equal((await server.get(`${CONFIG_MAPS}/a`)).code, 200);
  await server.patch(`${CONFIG_MAPS}/a`, { metadata: { finalizers: [] } });
  assert.equal((await server.get(`${CONFIG_MAPS}/a`)).code, 404);
});

test("a collection's deletion takes what the selector chooses", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a", {}, { labels: { x: "1" } }));
  await server.post(CONFIG_MAPS, configMap("b"));
  const { body } = await server.delete(`${CONFIG_MAPS}?labelSelector=x%3D1`);
  assert.equal(body.items.length, 1);
  const left = await server.get(CONFIG_MAPS);
  assert.deepEqual(
    left.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ["b"],
  );
});

test("a namespace goes with everything in it, and waits for finalizers", async (t) => {
  const server = await startServer(t);
  await server.post("/api/v1/namespaces", { metadata: { name: "team" } });
  const inside = "/api/v1/namespaces/team/configmaps";
  await server.post(inside, configMap("free"));
  await server.post(inside, configMap("held", {}, { finalizers: ["example.com/hold"] }));
  assert.equal((await server.delete("/api/v1/namespaces/team")).body.status.phase, "Terminating");
  assert.equal((await server.get(`${inside}/free`)).code, 404);
  const late = await server.post(inside, configMap("late"));
  assert.deepEqual([late.code, late.body.details.causes[0].reason], [403, "NamespaceTerminating"]);
  await server.patch(`${inside}/held`, { metadata: { finalizers: null } });
  assert.equal((await server.get("/api/v1/namespaces/team")).code, 404);
  assert.equal((await server.delete("/api/v1/namespaces/default")).code, 403);
});

test("a definition goes with its objects and is no longer served", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  await server.post(WIDGETS, widget("w", { size: 1 }));
  await server.delete(`${DEFINITIONS}/widgets.example.com`);
  assert.equal((await server.get(WIDGETS)).code, 404);
  assert.equal((await server.get("/apis/example.com")).code, 404);
  await server.post(DEFINITIONS, widgetDefinition());
  assert.deepEqual((await server.get(WIDGETS)).body.items, []);
});
