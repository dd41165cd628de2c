import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, create, MERGE_PATCH, ok, patch, watch } from "./client.ts";
import { configMap, makeNamespace, makeWidgets } from "./fixtures.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

const columns = [
  { name: "Phase", type: "string", jsonPath: ".status.phase", description: "How far it is" },
  { name: "Count", type: "integer", jsonPath: ".spec.n", priority: 1 },
  { name: "When", type: "date", jsonPath: ".spec.when" },
  { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: "List", type: "string", jsonPath: ".spec.list" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const version = { subresources: { status: {} }, additionalPrinterColumns: columns };

test("a custom resource's table has its definition's columns", async (t) => {
  const widgets = await makeWidgets(t, { schema, version });
  await create(widgets.path, widgets.make("a", { spec: { n: 3, when: "2020-01-01T00:00:00Z", list: ["x", "y"] } }));
  await create(widgets.path, widgets.make("b"));
  const status = {
    phase: "Done",
    conditions: [
      { type: "Other", status: "False" },
      { type: "Ready", status: "True" },
    ],
  };
  await patch(`${widgets.path}/a/status`, MERGE_PATCH, { status });

  const table = await ok("GET", widgets.path, { accept: TABLE });
  assert.deepEqual([table.kind, table.apiVersion], ["Table", "meta.k8s.io/v1"]);
  assert.deepEqual(
    table.columnDefinitions.map(({ name, type, format, priority }: Body) => [name, type, format, priority]),
    [
      ["Name", "string", "name", 0],
      ["Phase", "string", "", 0],
      ["Count", "integer", "", 1],
      ["When", "date", "", 0],
      ["Ready", "string", "", 0],
      ["List", "string", "", 0],
      ["Age", "date", "", 0],
    ],
  );
  assert.equal(table.columnDefinitions[1].description, "How far it is");
  assert.equal(
    table.columnDefinitions[2].description,
    "Custom resource definition column (in JSONPath format): .spec.n",
  );
  const [a, b] = table.rows;
  assert.deepEqual([...a.cells.slice(0, 3), ...a.cells.slice(4, 6)], ["a", "Done", 3, "True", '["x","y"]']);
  assert.match(a.cells[3], /^\d+y(\d+d)?$/);
  assert.match(a.cells[6], /^\d+s$/);
  assert.deepEqual(b.cells.slice(0, 6), ["b", null, null, null, null, null]);
  assert.deepEqual([a.object.kind, a.object.metadata.name], ["PartialObjectMetadata", "a"]);
});

test("a table's rows may have no object, or the whole one", async (t) => {
  const widgets = await makeWidgets(t, { schema, version });
  await create(widgets.path, widgets.make("a", { spec: { n: 3 } }));
  const without = await ok("GET", `${widgets.path}/a?includeObject=None`, { accept: TABLE });
  assert.equal(without.rows[0].object ?? null, null);
  const whole = await ok("GET", `${widgets.path}/a?includeObject=Object`, { accept: TABLE });
  assert.deepEqual(whole.rows[0].object.spec, { n: 3 });
});

test("a kind without columns of its own shows name and age", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("a"));
  const { columnDefinitions } = await ok("GET", widgets.path, { accept: TABLE });
  assert.deepEqual(
    columnDefinitions.map(({ name }: Body) => name),
    ["Name", "Age"],
  );
});

test("built-in kinds have the columns that kubectl shows", async (t) => {
  const { path, configMaps, name } = await makeNamespace(t);
  await create(configMaps, configMap("a", { data: { x: "1", y: "2" } }));
  await create(`${path}/secrets`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s" },
    stringData: { k: "v" },
  });
  const rowOf = async (at: string) => {
    const { columnDefinitions, rows } = await ok("GET", at, { accept: TABLE });
    const names = columnDefinitions.filter(({ priority }: Body) => priority === 0).map((column: Body) => column.name);
    return { names, cells: rows[0].cells.slice(0, names.length - 1) };
  };
  assert.deepEqual(await rowOf(`${configMaps}/a`), { names: ["Name", "Data", "Age"], cells: ["a", 2] });
  assert.deepEqual(await rowOf(`${path}/secrets/s`), {
    names: ["Name", "Type", "Data", "Age"],
    cells: ["s", "Opaque", 1],
  });
  assert.deepEqual(await rowOf(`/api/v1/namespaces/${name}`), {
    names: ["Name", "Status", "Age"],
    cells: [name, "Active"],
  });
  await ok("DELETE", `${path}/secrets/s`);
});

test("a watched table has its columns once, then rows", async (t) => {
  const widgets = await makeWidgets(t, { schema, version });
  await create(widgets.path, widgets.make("a"));
  await create(widgets.path, widgets.make("b"));
  const { next, close } = await watch(`${widgets.path}?watch=1&resourceVersion=0`, TABLE);
  t.after(close);
  const [first, second] = [await next(), await next()];
  assert.deepEqual([first?.type, first?.object.kind], ["ADDED", "Table"]);
  assert.equal(first?.object.columnDefinitions.length, 7);
  const names = [first, second].map((line) => line?.object.rows[0].cells[0]);
  assert.deepEqual(names.sort(), ["a", "b"]); // kube-apiserver's watch cache has no order of its own
  assert.equal(second?.object.columnDefinitions ?? null, null);
});

test("objects may be had without anything but their metadata", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("a", { data: { x: "1" } }, { labels: { mine: "" } }));
  const one = await ok("GET", `${configMaps}/a`, { accept: METADATA });
  assert.deepEqual([one.kind, one.apiVersion, one.data], ["PartialObjectMetadata", "meta.k8s.io/v1", undefined]);
  assert.equal(one.metadata.name, "a");
  const list = await ok("GET", `${configMaps}?labelSelector=mine`, { accept: METADATA_LIST });
  assert.equal(list.kind, "PartialObjectMetadataList");
  assert.deepEqual([list.items[0].metadata.name, list.items[0].data], ["a", undefined]);
});
