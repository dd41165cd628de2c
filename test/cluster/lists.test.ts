import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, create, get, MERGE_PATCH, patch, refused, remove } from "./client.ts";
import { configMap, makeNamespace, makeWidgets } from "./fixtures.ts";

const namesOf = (list: Body): string[] => list.items.map(({ metadata }: Body) => metadata.name);

/** Without the ConfigMap that a cluster's controllers put into every namespace. */
const MINE = "labelSelector=mine";

async function filled(t: Parameters<typeof makeNamespace>[0], count: number): Promise<string> {
  const { configMaps } = await makeNamespace(t);
  for (let i = 0; i < count; i += 1) {
    await create(configMaps, configMap(`c${i}`, {}, { labels: { mine: "", i: String(i), odd: String(i % 2 === 1) } }));
  }
  return configMaps;
}

test("a list has kind, resourceVersion and its objects by name", async (t) => {
  const configMaps = await filled(t, 3);
  const list = await get(`${configMaps}?${MINE}`);
  assert.deepEqual([list.kind, list.apiVersion], ["ConfigMapList", "v1"]);
  assert.match(list.metadata.resourceVersion, /^\d+$/);
  assert.deepEqual(namesOf(list), ["c0", "c1", "c2"]);
});

test("an empty list has an empty array", async (t) => {
  const { path } = await makeWidgets(t);
  const list = await get(path);
  assert.deepEqual([list.kind, list.items], ["WidgetList", []]);
});

test("a list across namespaces holds them all", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("one"));
  const list = await get(`/apis/${widgets.group}/v1/widgets`);
  assert.deepEqual([namesOf(list), list.items[0].metadata.namespace], [["one"], widgets.namespace]);
});

test("pages show one state, however the objects change meanwhile", async (t) => {
  const widgets = await makeWidgets(t);
  for (const name of ["a", "b", "c", "d", "e"]) await create(widgets.path, widgets.make(name, { n: 1 }));
  const first = await get(`${widgets.path}?limit=2`);
  assert.deepEqual([namesOf(first), first.metadata.remainingItemCount], [["a", "b"], 3]);
  await remove(`${widgets.path}/c`);
  await create(widgets.path, widgets.make("cc"));
  const page = (token: string) => get(`${widgets.path}?limit=2&continue=${encodeURIComponent(token)}`);
  const second = await page(first.metadata.continue);
  const third = await page(second.metadata.continue);
  assert.deepEqual([namesOf(second), namesOf(third)], [["c", "d"], ["e"]]);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(third.metadata.continue || undefined, undefined);
});

test("a continue token that is none, or comes with a resourceVersion, is refused", async (t) => {
  const configMaps = await filled(t, 2);
  await refused(
    "GET",
    `${configMaps}?continue=xxx`,
    {},
    {
      code: 400,
      reason: "BadRequest",
      message: /^invalid continue token|continue key is not valid/,
    },
  );
  const token = (await get(`${configMaps}?limit=1`)).metadata.continue;
  await refused(
    "GET",
    `${configMaps}?limit=1&resourceVersion=5&continue=${token}`,
    {},
    {
      code: 400,
      reason: "BadRequest",
      message: "specifying resource version is not allowed when using continue",
    },
  );
});

const selectors: [selector: string, names: string[]][] = [
  ["i=1", ["c1"]],
  ["i==1", ["c1"]],
  ["i!=1", ["c0", "c2", "c3"]],
  ["i in (1,3)", ["c1", "c3"]],
  ["i notin (1,3),odd=false", ["c0", "c2"]],
  ["odd,!none", ["c0", "c1", "c2", "c3"]],
  ["!odd", []],
  ["i>1", ["c2", "c3"]],
  ["mine=", ["c0", "c1", "c2", "c3"]],
];

const badSelectors: [selector: string, message: RegExp][] = [
  ["a in b", /unable to parse requirement: found 'b',? expected: '\('/],
  ["=b", /found '=', expected: !, identifier, or 'end of string'/],
  ["a=b,", /found '', expected: identifier after ','/],
  [
    "a b",
    /unable to parse requirement: found 'b', expected: (in, notin, =, ==, !=, gt, lt|'=', '!=', '==', 'in', notin')/,
  ],
  ["a in (b", /unable to parse requirement: found '', expected: ',' or '\)'/],
  ["a=b=c", /found '=', expected: ',' or 'end of string'/],
  ["a=-", /unable to parse requirement: .*a valid label must be an empty string or consist of alphanumeric/],
  ["A_/x=1", /unable to parse requirement: .*prefix part a lowercase RFC 1123 subdomain must consist of/],
];

test("label selectors", async (t) => {
  const configMaps = await filled(t, 4);
  const list = (selector: string) => `${configMaps}?labelSelector=${encodeURIComponent(selector)}`;
  for (const [selector, names] of selectors) {
    await t.test(`${selector} selects ${names.length} of 4`, async () => {
      const found = namesOf(await get(list(`mine,${selector}`)));
      assert.deepEqual(found, names);
    });
  }
  for (const [selector, message] of badSelectors) {
    await t.test(`${selector} is refused`, () =>
      refused("GET", list(selector), {}, { code: 400, reason: "BadRequest", message }),
    );
  }
});

test("field selectors know name and namespace, and refuse the rest", async (t) => {
  const configMaps = await filled(t, 3);
  const list = (selector: string) => `${configMaps}?${MINE}&fieldSelector=${encodeURIComponent(selector)}`;
  assert.deepEqual(namesOf(await get(list("metadata.name=c1"))), ["c1"]);
  assert.deepEqual(namesOf(await get(list("metadata.name!=c1,metadata.namespace!=zz"))), ["c0", "c2"]);
  await refused(
    "GET",
    list("spec.foo=1"),
    {},
    {
      code: 400,
      reason: "BadRequest",
      message: /"spec\.foo" is not a known field selector: only "metadata\.name", "metadata\.namespace"/,
    },
  );
  await refused(
    "GET",
    list("metadata.name"),
    {},
    {
      code: 400,
      message: "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
    },
  );
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("one"));
  assert.deepEqual(namesOf(await get(`${widgets.path}?fieldSelector=metadata.name%3Done`)), ["one"]);
  await refused(
    "GET",
    `${widgets.path}?fieldSelector=spec.foo%3D1`,
    {},
    {
      code: 400,
      reason: "BadRequest",
      message: "field label not supported: spec.foo",
    },
  );
});

test("a list may ask for a state not older than one it knows", async (t) => {
  const configMaps = await filled(t, 1);
  const { metadata } = await patch(`${configMaps}/c0`, MERGE_PATCH, { data: { a: "1" } });
  const list = await get(`${configMaps}?${MINE}&resourceVersion=${metadata.resourceVersion}`);
  assert.deepEqual(list.items[0].data, { a: "1" });
  assert.deepEqual(namesOf(await get(`${configMaps}?${MINE}&resourceVersion=0`)).length <= 1, true);
  await refused(
    "GET",
    `${configMaps}?resourceVersionMatch=Exact`,
    {},
    {
      code: 422,
      reason: "Invalid",
      causes: [
        "resourceVersionMatch FieldValueForbidden Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
      ],
    },
  );
});
