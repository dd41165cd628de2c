import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, create, get, MERGE_PATCH, patch, remove, type WatchLine, watch } from "./client.ts";
import { configMap, makeNamespace, makeWidgets, until } from "./fixtures.ts";
import { SANDBOX_HISTORY_EVENTS, target } from "./target.ts";

const shown = (line: WatchLine | undefined) => `${line?.type} ${line?.object.metadata?.name}`;

async function take(next: () => Promise<WatchLine | undefined>, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) lines.push(shown(await next()));
  return lines;
}

const here = async (path: string): Promise<string> => (await get(path)).metadata.resourceVersion;

test("a watch from a list's resourceVersion shows every later change, in order", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const { next, close } = await watch(`${configMaps}?watch=1&resourceVersion=${await here(configMaps)}`);
  t.after(close);
  await create(configMaps, configMap("one", { data: { a: "1" } }));
  await patch(`${configMaps}/one`, MERGE_PATCH, { data: { a: "2" } });
  await remove(`${configMaps}/one`);
  const [added, modified, deleted] = [await next(), await next(), await next()];
  assert.deepEqual([added, modified, deleted].map(shown), ["ADDED one", "MODIFIED one", "DELETED one"]);
  assert.deepEqual([added?.object.data.a, modified?.object.data.a, deleted?.object.data.a], ["1", "2", "2"]);
  assert.equal(added?.object.kind, "ConfigMap");
  const versions = [added, modified, deleted].map((line) => Number(line?.object.metadata.resourceVersion));
  assert.deepEqual(
    versions.toSorted((a, b) => a - b),
    versions,
  );
});

test("a watch resumes after any change that it has seen", async (t) => {
  const widgets = await makeWidgets(t);
  const versions: string[] = [];
  for (const name of ["a", "b", "c"]) {
    versions.push((await create(widgets.path, widgets.make(name))).metadata.resourceVersion);
  }
  const { next, close } = await watch(`${widgets.path}?watch=true&resourceVersion=${versions[0]}`);
  t.after(close);
  assert.deepEqual(await take(next, 2), ["ADDED b", "ADDED c"]);
});

test("a watch from 0, or from nowhere, begins with what is there", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("a"));
  await patch(`${widgets.path}/a`, MERGE_PATCH, { metadata: { labels: { l: "1" } } });
  for (const from of ["&resourceVersion=0", ""]) {
    const { next, close } = await watch(`${widgets.path}?watch=1${from}`);
    t.after(close);
    assert.equal(shown(await next()), "ADDED a");
    close();
  }
});

test("a watch with a label selector shows objects coming to match and ceasing to", async (t) => {
  const widgets = await makeWidgets(t);
  const from = await here(widgets.path);
  const { next, close } = await watch(`${widgets.path}?watch=1&labelSelector=on%3Dyes&resourceVersion=${from}`);
  t.after(close);
  const label = (on: string | null) => patch(`${widgets.path}/a`, MERGE_PATCH, { metadata: { labels: { on } } });
  await create(widgets.path, widgets.make("a"));
  await create(widgets.path, widgets.make("b", {}, { labels: { on: "yes" } }));
  await label("yes");
  await patch(`${widgets.path}/a`, MERGE_PATCH, { metadata: { annotations: { x: "1" } } });
  await label(null);
  await remove(`${widgets.path}/a`);
  await remove(`${widgets.path}/b`);
  assert.deepEqual(await take(next, 5), ["ADDED b", "ADDED a", "MODIFIED a", "DELETED a", "DELETED b"]);
});

test("a watch with a field selector follows one object", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const query = `watch=1&fieldSelector=metadata.name%3Dtwo&resourceVersion=${await here(configMaps)}`;
  const { next, close } = await watch(`${configMaps}?${query}`);
  t.after(close);
  await create(configMaps, configMap("one"));
  await create(configMaps, configMap("two"));
  assert.equal(shown(await next()), "ADDED two");
});

test("a watch shows the objects of its namespace alone", async (t) => {
  const widgets = await makeWidgets(t);
  const other = await makeNamespace(t);
  const from = await here(widgets.path);
  const { next, close } = await watch(`${widgets.path}?watch=1&resourceVersion=${from}`);
  t.after(close);
  const elsewhere = `/apis/${widgets.group}/v1/namespaces/${other.name}/widgets`;
  await create(elsewhere, widgets.make("far"));
  await create(widgets.path, widgets.make("near"));
  assert.equal(shown(await next()), "ADDED near");
  await remove(`${elsewhere}/far`);
});

test("the server ends a watch after its timeoutSeconds", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const begun = Date.now();
  const { next } = await watch(`${configMaps}?watch=1&timeoutSeconds=1&resourceVersion=${await here(configMaps)}`);
  assert.equal(await next(), undefined);
  assert.ok(Date.now() - begun < 10_000);
});

test("a watch that allows bookmarks gets them, with kind and resourceVersion only", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("a"));
  const query = "watch=1&allowWatchBookmarks=true&resourceVersion=0&timeoutSeconds=1";
  const { next } = await watch(`${widgets.path}?${query}`);
  const lines: WatchLine[] = [];
  for (let line = await next(); line !== undefined; line = await next()) lines.push(line);
  assert.equal(shown(lines[0]), "ADDED a");
  if (target.isSandbox) assert.ok(lines.length > 1, "no bookmark came"); // a real server sends one a minute
  for (const { type, object } of lines.slice(1)) {
    assert.deepEqual([type, object.kind, object.apiVersion], ["BOOKMARK", "Widget", `${widgets.group}/v1`]);
    assert.match(object.metadata.resourceVersion, /^\d+$/);
    assert.equal(object.metadata.name, undefined);
  }
});

test("a watch from a state long gone ends with 410 Expired", async (t) => {
  const widgets = await makeWidgets(t);
  const { metadata } = await create(widgets.path, widgets.make("a"));
  // A sandbox forgets after so many writes; what a real server remembers begins with the definition
  const from = target.isSandbox ? metadata.resourceVersion : "1";
  for (let i = 0; target.isSandbox && i <= SANDBOX_HISTORY_EVENTS; i += 1) {
    await patch(`${widgets.path}/a`, MERGE_PATCH, { metadata: { labels: { i: String(i) } } });
  }
  const { next, close } = await watch(`${widgets.path}?watch=1&resourceVersion=${from}&timeoutSeconds=5`);
  t.after(close);
  const line = await next();
  assert.deepEqual([line?.type, line?.object.kind, line?.object.code], ["ERROR", "Status", 410]);
  assert.equal(line?.object.reason, "Expired");
  assert.match(line?.object.message, /^too old resource version: \d+ \(\d+\)$/);
});

test("marking for deletion and finishing it are two changes", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("a", {}, { finalizers: ["example.com/f"] }));
  const { next, close } = await watch(`${widgets.path}?watch=1&resourceVersion=${await here(widgets.path)}`);
  t.after(close);
  await remove(`${widgets.path}/a`);
  await patch(`${widgets.path}/a`, MERGE_PATCH, { metadata: { finalizers: null } });
  const [marked, gone] = [await next(), await next()];
  assert.deepEqual([marked, gone].map(shown), ["MODIFIED a", "DELETED a"]);
  assert.match(marked?.object.metadata.deletionTimestamp, /Z$/);
});

test("definitions can be watched until they are established", async (t) => {
  const widgets = await makeWidgets(t);
  const name = widgets.definition.split("/").at(-1);
  const at = widgets.definition.slice(0, widgets.definition.lastIndexOf("/"));
  const { next, close } = await watch(`${at}?watch=1&fieldSelector=metadata.name%3D${name}`);
  t.after(close);
  await until("the definition is shown as established", async () => {
    const conditions: Body[] = (await next())?.object.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === "Established" && status === "True");
  });
});
