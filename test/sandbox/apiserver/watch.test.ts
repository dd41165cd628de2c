import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, configMap, startServer, take } from "./support.ts";

test("a watch shows what is there, then what happens", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a"));
  const events = server.watch(`${CONFIG_MAPS}?watch=true`);
  assert.deepEqual(await take(events, 1), ["ADDED a"]);
  await server.post(CONFIG_MAPS, configMap("b"));
  await server.patch(`${CONFIG_MAPS}/b`, { data: { x: "y" } });
  await server.delete(`${CONFIG_MAPS}/b`);
  assert.deepEqual(await take(events, 3), ["ADDED b", "MODIFIED b", "DELETED b"]);
});

test("a watch resumes after the revision it names", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a"));
  const { body } = await server.get(CONFIG_MAPS);
  await server.post(CONFIG_MAPS, configMap("b"));
  await server.delete(`${CONFIG_MAPS}/a`);
  const events = server.watch(`${CONFIG_MAPS}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
  assert.deepEqual(await take(events, 2), ["ADDED b", "DELETED a"]);
});

test("a revision older than the history is 410 Expired, as an event", async (t) => {
  const server = await startServer(t, { historyEvents: 3 });
  for (const name of ["a", "b", "c", "d"]) await server.post(CONFIG_MAPS, configMap(name));
  const events = server.watch(`${CONFIG_MAPS}?watch=true&resourceVersion=1`);
  const { value } = await events.next();
  assert.deepEqual([value.type, value.object.code, value.object.reason], ["ERROR", 410, "Expired"]);
  assert.match(value.object.message, /^too old resource version: 1 \(\d+\)$/);
  assert.equal((await events.next()).done, true);
});

test("an object that enters or leaves the selection is added or deleted", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a"));
  const { body } = await server.get(CONFIG_MAPS);
  const query = `watch=true&resourceVersion=${body.metadata.resourceVersion}&labelSelector=on%3D1`;
  const events = server.watch(`${CONFIG_MAPS}?${query}`);
  for (const labels of [{ on: "1" }, { on: "1", x: "y" }, { on: null }]) {
    await server.patch(`${CONFIG_MAPS}/a`, { metadata: { labels } });
  }
  const added = await events.next();
  assert.equal(added.value?.type, "ADDED");
  assert.equal((await events.next()).value?.type, "MODIFIED");
  const left = await events.next();
  assert.equal(left.value?.type, "DELETED");
  assert.equal(left.value?.object.metadata.labels.on, "1");
  const now = await server.get(`${CONFIG_MAPS}/a`);
  assert.equal(left.value?.object.metadata.resourceVersion, now.body.metadata.resourceVersion);
});

test("bookmarks tell the revision, and the watch ends at its timeout", async (t) => {
  const server = await startServer(t, { bookmarkMs: 50 });
  const events = server.watch(`${CONFIG_MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1`);
  const { value } = await events.next();
  assert.equal(value.type, "BOOKMARK");
  assert.match(value.object.metadata.resourceVersion, /^\d+$/);
  const rest: string[] = [];
  for await (const { type } of events) rest.push(type);
  assert.ok(rest.every((type) => type === "BOOKMARK"));
});

test("initial events end with a marked bookmark when asked for", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a"));
  const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const events = server.watch(`${CONFIG_MAPS}?${query}`);
  assert.equal((await events.next()).value?.type, "ADDED");
  const { value } = await events.next();
  assert.equal(value?.object.metadata.annotations["k8s.io/initial-events-end"], "true");
});

test("a watch as a Table sends the columns once", async (t) => {
  const server = await startServer(t);
  for (const name of ["a", "b"]) await server.post(CONFIG_MAPS, configMap(name));
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const events = server.watch(`${CONFIG_MAPS}?watch=true`, { accept });
  const [first, second] = [(await events.next()).value, (await events.next()).value];
  assert.equal(first?.object.columnDefinitions[0].name, "Name");
  assert.equal(second?.object.columnDefinitions, null);
  assert.equal(second?.object.rows[0].cells[0], "b");
});

test("closing the server ends its watches", async (t) => {
  const server = await startServer(t);
  const events = server.watch(`${CONFIG_MAPS}?watch=true`);
  const ended = assert.rejects(async () => {
    for await (const _ of events);
    throw new Error("ended");
  });
  await server.post(CONFIG_MAPS, configMap("a"));
  await server.api.close();
  await ended;
});
