import assert from "node:assert/strict";
import { test } from "node:test";
import { create, get, JSON_PATCH, MERGE_PATCH, patch, refused, STRATEGIC_PATCH } from "./client.ts";
import { configMap, makeNamespace, makeWidgets } from "./fixtures.ts";

async function oneOf(t: Parameters<typeof makeNamespace>[0], metadata: object = {}): Promise<string> {
  const { configMaps } = await makeNamespace(t);
  await create(configMaps, configMap("one", { data: { a: "1", b: "2" } }, metadata));
  return `${configMaps}/one`;
}

test("a JSON patch applies its operations in order", async (t) => {
  const one = await oneOf(t);
  const patched = await patch(one, JSON_PATCH, [
    { op: "test", path: "/data/a", value: "1" },
    { op: "replace", path: "/data/a", value: "9" },
    { op: "remove", path: "/data/b" },
    { op: "add", path: "/metadata/labels", value: { "x/y": "z" } },
    { op: "replace", path: "/metadata/labels/x~1y", value: "w" },
  ]);
  assert.deepEqual([patched.data, patched.metadata.labels], [{ a: "9" }, { "x/y": "w" }]);
});

test("a JSON patch that cannot be applied is refused and changes nothing", async (t) => {
  const one = await oneOf(t);
  const before = await get(one);
  const unappliable = [
    [{ op: "test", path: "/data/a", value: "2" }],
    [{ op: "remove", path: "/data/x" }],
    [{ op: "add", path: "/foo/bar", value: "1" }],
    [
      { op: "replace", path: "/data/a", value: "9" },
      { op: "move", from: "/data/zz", path: "/data/q" },
    ],
    [{ op: "frob", path: "/data" }],
  ];
  for (const body of unappliable) {
    await refused(
      "PATCH",
      one,
      { type: JSON_PATCH, body },
      {
        code: 422,
        reason: "Invalid",
        message: "the server rejected our request due to an error in our request",
      },
    );
  }
  await refused(
    "PATCH",
    one,
    { type: JSON_PATCH, body: { a: 1 } },
    {
      code: 400,
      reason: "BadRequest",
      message: /cannot unmarshal object into Go value of type jsonpatch\.Patch/,
    },
  );
  assert.deepEqual(await get(one), before);
});

test("a merge patch sets, removes and replaces", async (t) => {
  const one = await oneOf(t, { finalizers: ["example.com/a"] });
  const patched = await patch(one, MERGE_PATCH, {
    data: { a: null, c: "3" },
    metadata: { labels: { l: "1" }, finalizers: [] },
  });
  assert.deepEqual([patched.data, patched.metadata.labels], [{ b: "2", c: "3" }, { l: "1" }]);
  assert.equal(patched.metadata.finalizers, undefined);
});

test("a strategic merge patch knows the directives", async (t) => {
  const one = await oneOf(t, { finalizers: ["example.com/a"] });
  const finalizersOf = async (metadata: object) =>
    (await patch(one, STRATEGIC_PATCH, { metadata })).metadata.finalizers;
  assert.deepEqual((await patch(one, STRATEGIC_PATCH, { data: { a: null, c: "3" } })).data, { b: "2", c: "3" });
  assert.deepEqual((await patch(one, STRATEGIC_PATCH, { data: { $patch: "replace", z: "1" } })).data, { z: "1" });
  assert.deepEqual((await finalizersOf({ finalizers: ["example.com/b"] })).sort(), ["example.com/a", "example.com/b"]);
  assert.deepEqual(await finalizersOf({ "$deleteFromPrimitiveList/finalizers": ["example.com/a"] }), ["example.com/b"]);
  await patch(one, MERGE_PATCH, { metadata: { finalizers: null } });
});

test("owners merge by uid in a strategic merge patch", async (t) => {
  const one = await oneOf(t);
  const owner = (uid: string, name: string) => ({ apiVersion: "v1", kind: "ConfigMap", name, uid });
  const owners = (list: object[]) => patch(one, STRATEGIC_PATCH, { metadata: { ownerReferences: list } });
  await owners([owner("u1", "a")]);
  assert.deepEqual((await owners([owner("u2", "b")])).metadata.ownerReferences.length, 2);
  const left = await owners([{ uid: "u1", $patch: "delete" }]);
  assert.deepEqual(left.metadata.ownerReferences, [owner("u2", "b")]);
});

test("custom resources take no strategic merge patch", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("one"));
  await refused(
    "PATCH",
    `${widgets.path}/one`,
    { type: STRATEGIC_PATCH, body: {} },
    {
      code: 415,
      reason: "UnsupportedMediaType",
      message:
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    },
  );
});

test("a patch cannot rename an object or give it another uid", async (t) => {
  const one = await oneOf(t);
  await refused(
    "PATCH",
    one,
    { type: MERGE_PATCH, body: { metadata: { name: "two" } } },
    {
      code: 400,
      reason: "BadRequest",
      message: "the name of the object (two) does not match the name on the URL (one)",
    },
  );
  await refused(
    "PATCH",
    one,
    { type: MERGE_PATCH, body: { metadata: { uid: "x" } } },
    {
      code: 422,
      reason: "Invalid",
      causes: ['metadata.uid FieldValueInvalid Invalid value: "x": field is immutable'],
    },
  );
});

test("a patch that makes the object invalid is refused", async (t) => {
  const one = await oneOf(t);
  await refused(
    "PATCH",
    one,
    { type: MERGE_PATCH, body: { metadata: { labels: { "a b": "c" } } } },
    {
      code: 422,
      reason: "Invalid",
      message: /metadata\.labels: Invalid value: "a b"/,
    },
  );
  await refused("PATCH", one, { type: MERGE_PATCH, body: { data: { a: 5 } } }, { code: 422, reason: "Invalid" });
});

test("a patch of nothing, of no object or in an unknown format is refused", async (t) => {
  const one = await oneOf(t);
  await refused(
    "PATCH",
    `${one}-not`,
    { type: MERGE_PATCH, body: {} },
    {
      code: 404,
      reason: "NotFound",
      message: 'configmaps "one-not" not found',
    },
  );
  await refused("PATCH", one, { type: "text/plain", body: "{}" }, { code: 415, reason: "UnsupportedMediaType" });
  await refused("PATCH", one, { type: JSON_PATCH, body: "{bad" }, { code: 400, reason: "BadRequest" });
  await refused("PATCH", one, { type: STRATEGIC_PATCH, body: [1] }, { code: 400, reason: "BadRequest" });
  await refused(
    "PATCH",
    `${one}?force=true`,
    { type: MERGE_PATCH, body: {} },
    {
      code: 422,
      causes: ["force FieldValueForbidden Forbidden: may not be specified for non-apply patch"],
    },
  );
});
