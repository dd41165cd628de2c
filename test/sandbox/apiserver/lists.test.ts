import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, configMap, DEFINITIONS, startServer, WIDGETS, widget, widgetDefinition } from "./support.ts";

type Named = { metadata: { name: string } };
const names = (body: { items: Named[] }): string[] => body.items.map(({ metadata }) => metadata.name);

test("pages continue in the state that the first one saw", async (t) => {
  const server = await startServer(t);
  for (const name of ["a", "b", "c", "d", "e"]) await server.post(CONFIG_MAPS, configMap(name));
  const first = await server.get(`${CONFIG_MAPS}?limit=2`);
  assert.deepEqual([names(first.body), first.body.metadata.remainingItemCount], [["a", "b"], 3]);
  await server.delete(`${CONFIG_MAPS}/c`);
  await server.post(CONFIG_MAPS, configMap("bb"));
  const second = await server.get(`${CONFIG_MAPS}?limit=2&continue=${first.body.metadata.continue}`);
  assert.deepEqual(names(second.body), ["c", "d"]);
  assert.equal(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
  const last = await server.get(`${CONFIG_MAPS}?limit=2&continue=${second.body.metadata.continue}`);
  assert.deepEqual([names(last.body), last.body.metadata.continue], [["e"], undefined]);
});

test("a continue token whose state is gone is 410 with a token for the rest, nonsense is 400", async (t) => {
  const server = await startServer(t);
  for (const name of ["a", "b", "c"]) await server.post(CONFIG_MAPS, configMap(name));
  const token = Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: 1, start: "default/a" })).toString("base64url");
  const gone = await server.get(`${CONFIG_MAPS}?limit=1&continue=${token}`);
  assert.deepEqual([gone.code, gone.body.reason], [410, "Expired"]);
  const rest = await server.get(`${CONFIG_MAPS}?limit=5&continue=${gone.body.metadata.continue}`);
  assert.deepEqual(names(rest.body), ["b", "c"]);
  assert.equal((await server.get(`${CONFIG_MAPS}?continue=nonsense`)).code, 400);
});

test("label and field selectors choose, unknown ones are refused", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a", {}, { labels: { app: "x", tier: "1" } }));
  await server.post(CONFIG_MAPS, configMap("b", {}, { labels: { app: "y" } }));
  await server.post(CONFIG_MAPS, configMap("c"));
  const choose = async (query: string) => names((await server.get(`${CONFIG_MAPS}?${query}`)).body);
  assert.deepEqual(await choose("labelSelector=app%3Dx"), ["a"]);
  assert.deepEqual(await choose("labelSelector=app%20in%20(x,y),!tier"), ["b"]);
  assert.deepEqual(await choose("labelSelector=app"), ["a", "b"]);
  assert.deepEqual(await choose("labelSelector=app!%3Dx"), ["b", "c"]);
  assert.deepEqual(await choose("fieldSelector=metadata.name%3Db"), ["b"]);
  assert.deepEqual(await choose("fieldSelector=metadata.name!%3Db,metadata.namespace%3Ddefault"), ["a", "c"]);
  assert.equal((await server.get(`${CONFIG_MAPS}?labelSelector=a%3D%3D%3Db`)).code, 400);
  assert.equal((await server.get(`${CONFIG_MAPS}?fieldSelector=data.x%3D1`)).code, 400);
});

test("a list of a state that is not reached yet is 504", async (t) => {
  const server = await startServer(t);
  const { code, body } = await server.get(`${CONFIG_MAPS}?resourceVersion=999999`);
  assert.deepEqual([code, body.details.causes[0].reason], [504, "ResourceVersionTooLarge"]);
  assert.equal((await server.get(`${CONFIG_MAPS}?resourceVersion=abc`)).code, 400);
});

test("items of built-in kinds leave out kind and version, those of custom kinds have them", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a"));
  await server.post(DEFINITIONS, widgetDefinition());
  await server.post(WIDGETS, widget("w", { size: 1 }));
  assert.equal((await server.get(CONFIG_MAPS)).body.items[0].kind, undefined);
  assert.equal((await server.get(WIDGETS)).body.items[0].kind, "Widget");
});

test("a Table has the kind's columns, a row's object its metadata", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  await server.post(WIDGETS, widget("w", { size: 1 }));
  await server.patch(`${WIDGETS}/w/status`, { status: { phase: "Done" } });
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const { body } = await server.get(WIDGETS, { accept });
  assert.equal(body.kind, "Table");
  assert.deepEqual(
    body.columnDefinitions.map(({ name }: { name: string }) => name),
    ["Name", "Phase", "Age"],
  );
  assert.deepEqual(body.rows[0].cells.slice(0, 2), ["w", "Done"]);
  assert.match(body.rows[0].cells[2], /^\d+s$/);
  assert.equal(body.rows[0].object.kind, "PartialObjectMetadata");
  const whole = await server.get(`${WIDGETS}?includeObject=Object`, { accept });
  assert.equal(whole.body.rows[0].object.spec.size, 1);
  const none = await server.get(`${WIDGETS}?includeObject=None`, { accept });
  assert.equal(none.body.rows[0].object, null);
});

test("metadata alone can be asked for", async (t) => {
  const server = await startServer(t);
  await server.post(CONFIG_MAPS, configMap("a", { x: "y" }));
  const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  const { body } = await server.get(CONFIG_MAPS, { accept });
  assert.equal(body.kind, "PartialObjectMetadataList");
  assert.deepEqual([body.items[0].metadata.name, body.items[0].data], ["a", undefined]);
});
