import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, call, create, get, ok, watch } from "./client.ts";
import { configMap, makeNamespace, makeWidgets } from "./fixtures.ts";

const times = <T>(count: number, run: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => run(i)));

test("of writers that all create one name, one succeeds", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const answers = await times(8, () => call("POST", configMaps, { body: configMap("one") }));
  assert.deepEqual(answers.map(({ code }) => code).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
});

/** Adds one to a counter as careful clients do: read, change, write with the resourceVersion, and again on a conflict. */
async function increment(path: string): Promise<void> {
  for (;;) {
    const found = await get(path);
    const body = { ...found, data: { n: String(Number(found.data.n) + 1) } };
    const { code } = await call("PUT", path, { body });
    if (code === 200) return;
    assert.equal(code, 409);
  }
}

test("no update is lost when writers retry on conflicts", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("counter", { data: { n: "0" } }));
  await times(8, () => increment(`${configMaps}/counter`));
  assert.equal((await get(`${configMaps}/counter`)).data.n, "8");
});

test("patches that touch different fields need no retries", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one"));
  await times(8, (i) =>
    ok("PATCH", `${configMaps}/one`, { type: "application/merge-patch+json", body: { data: { [`k${i}`]: "v" } } }),
  );
  assert.equal(Object.keys((await get(`${configMaps}/one`)).data).length, 8);
});

test("a watch shows every one of many concurrent writes once, in the order of their versions", async (t) => {
  const widgets = await makeWidgets(t);
  const { metadata } = await get(widgets.path);
  let version: string = metadata.resourceVersion;
  const open = () => watch(`${widgets.path}?watch=1&resourceVersion=${version}`);
  let watching = await open();
  t.after(() => watching.close());
  const made = await times(25, (i) => create(widgets.path, widgets.make(`w${i}`)));
  const seen: Body[] = [];
  while (seen.length < made.length) {
    const event = await watching.next();
    if (event === undefined) {
      watching = await open(); // a server may end the watches of a new definition; clients go on from the last version
      continue;
    }
    seen.push(event.object.metadata);
    version = event.object.metadata.resourceVersion;
  }
  const versions = seen.map(({ resourceVersion }) => Number(resourceVersion));
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  );
  assert.deepEqual(seen.map(({ name }) => name).sort(), made.map((widget) => widget.metadata.name).sort());
});

test("pages of any size hold each object once, with a selector too", async (t) => {
  const widgets = await makeWidgets(t);
  await times(25, (i) => create(widgets.path, widgets.make(`w${i}`, {}, { labels: { odd: String(i % 2 === 1) } })));
  const names: string[] = [];
  let token = "";
  do {
    const page = await get(`${widgets.path}?limit=4&labelSelector=odd%3Dtrue&continue=${encodeURIComponent(token)}`);
    assert.ok(page.items.length <= 4);
    names.push(...page.items.map((widget: Body) => widget.metadata.name));
    token = page.metadata.continue ?? "";
  } while (token !== "");
  const expected = Array.from({ length: 12 }, (_, i) => `w${2 * i + 1}`);
  assert.deepEqual(names, expected.sort());
});
