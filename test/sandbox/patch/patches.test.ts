import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyJsonPatch, applyMergePatch, applyStrategicPatch } from "../../../src/sandbox/apiserver/patch/index.ts";

const doc = { data: { a: "1" }, list: [1, 2] };

test("a JSON patch applies its operations in order and leaves the document as it was", () => {
  const ops = [
    { op: "test", path: "/data/a", value: "1" },
    { op: "add", path: "/data/b~1c", value: "2" },
    { op: "add", path: "/list/-", value: 3 },
    { op: "move", from: "/data/a", path: "/data/z" },
    { op: "copy", from: "/list", path: "/again" },
  ];
  assert.deepEqual(applyJsonPatch(doc, ops), { data: { "b/c": "2", z: "1" }, list: [1, 2, 3], again: [1, 2, 3] });
  assert.deepEqual(doc, { data: { a: "1" }, list: [1, 2] });
});

const unappliable = [
  [{ op: "test", path: "/data/a", value: "2" }],
  [{ op: "remove", path: "/data/x" }],
  [{ op: "replace", path: "/data/x", value: "1" }],
  [{ op: "add", path: "/foo/bar", value: "1" }],
  [{ op: "add", path: "/list/5", value: 1 }],
  [{ op: "move", from: "/data/zz", path: "/data/q" }],
  [{ op: "frob", path: "/data" }],
  [{ op: "_get", path: "/data" }],
  [{ op: "add" }],
  [{ op: "add", path: "/__proto__/polluted", value: 1 }],
  [{ op: "add", path: "/constructor/polluted", value: 1 }],
  [{ op: "add", path: "/data/toString/polluted", value: 1 }],
];

for (const ops of unappliable) {
  test(`the JSON patch ${JSON.stringify(ops)} is refused with 422`, () => {
    const message = "the server rejected our request due to an error in our request";
    assert.throws(() => applyJsonPatch(doc, ops), { code: 422, reason: "Invalid", message });
    assert.equal("polluted" in Object || "polluted" in {}, false);
  });
}

test("a JSON patch that is no list of operations is refused with 400", () => {
  assert.throws(() => applyJsonPatch(doc, { a: 1 }), {
    code: 400,
    message: "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
  });
  assert.throws(() => applyJsonPatch(doc, [1]), {
    code: 400,
    message: "json: cannot unmarshal number into Go value of type jsonpatch.Operation",
  });
});

test("a JSON patch that is too long or copies too much is refused with 413", () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: "add", path: "/data/b", value: "2" }));
  assert.throws(() => applyJsonPatch(doc, many), { code: 413 });
  const doubling = Array.from({ length: 40 }, (_, i) => ({ op: "copy", from: "/data", path: `/data/c${i}` }));
  assert.throws(() => applyJsonPatch(doc, doubling), { code: 413 });
});

/** RFC 7396, appendix A, as far as both sides are objects. */
const merges: [target: object, patch: object, result: object][] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

for (const [target, patch, result] of merges) {
  test(`${JSON.stringify(patch)} merged into ${JSON.stringify(target)} is ${JSON.stringify(result)}`, () => {
    assert.deepEqual(applyMergePatch(target, patch), result);
  });
}

test("a merge patch that is no object is refused with 400", () => {
  for (const patch of [[1], "x", null, 1]) assert.throws(() => applyMergePatch(doc, patch), { code: 400 });
});

const json = fc.jsonValue({ maxDepth: 3 });
const object = fc.dictionary(fc.string({ maxLength: 3 }), json, { maxKeys: 4 });

test("merging an object without nulls twice is the same as once", () => {
  fc.assert(
    fc.property(object, object, (target, patch) => {
      const once = applyMergePatch(target, patch);
      assert.deepEqual(applyMergePatch(once, patch), once);
    }),
  );
});

test("a merge patch never reaches a prototype", () => {
  const patch = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
  const merged = applyMergePatch({}, patch);
  assert.equal(Object.getPrototypeOf(merged), Object.prototype);
  assert.equal("polluted" in {}, false);
  assert.equal(Object.hasOwn(merged, "__proto__"), true);
});

const pod = {
  metadata: { finalizers: ["a/a", "b/b"], ownerReferences: [{ uid: "1", name: "x" }] },
  spec: {
    containers: [
      { name: "one", image: "i1", env: [{ name: "A", value: "1" }] },
      { name: "two", image: "i2" },
    ],
    tolerations: [{ key: "k" }],
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
  },
};

const container = (name: string, image: string) => ({ name, image });

const strategic: [title: string, patch: object, check: (result: typeof pod) => unknown, expected: unknown][] = [
  ["a null removes a field", { spec: { strategy: null } }, (p) => "strategy" in p.spec, false],
  [
    "list entries merge by their key",
    { spec: { containers: [{ name: "two", image: "new" }, container("three", "i3")] } },
    (p) => p.spec.containers.map(({ name, image }) => `${name}:${image}`),
    ["one:i1", "two:new", "three:i3"],
  ],
  [
    "nested lists merge by their own key",
    { spec: { containers: [{ name: "one", env: [{ name: "B", value: "2" }] }] } },
    (p) => p.spec.containers[0]?.env?.map(({ name }) => name),
    ["A", "B"],
  ],
  [
    "$patch: delete removes an entry",
    { spec: { containers: [{ name: "one", $patch: "delete" }] } },
    (p) => p.spec.containers.map(({ name }) => name),
    ["two"],
  ],
  [
    "$patch: replace replaces a list",
    { spec: { containers: [{ $patch: "replace" }, container("new", "i")] } },
    (p) => p.spec.containers,
    [container("new", "i")],
  ],
  [
    "$patch: replace replaces a map",
    { spec: { strategy: { $patch: "replace", type: "Recreate" } } },
    (p) => p.spec.strategy,
    { type: "Recreate" },
  ],
  [
    "$retainKeys drops the other keys",
    { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } },
    (p) => p.spec.strategy,
    { type: "Recreate" },
  ],
  [
    "a list without a key is replaced",
    { spec: { tolerations: [{ key: "z" }] } },
    (p) => p.spec.tolerations,
    [{ key: "z" }],
  ],
  ["finalizers are united", { metadata: { finalizers: ["c/c"] } }, (p) => p.metadata.finalizers, ["a/a", "b/b", "c/c"]],
  [
    "$deleteFromPrimitiveList removes from finalizers",
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["a/a"] } },
    (p) => p.metadata.finalizers,
    ["b/b"],
  ],
  [
    "$setElementOrder orders what is merged",
    {
      spec: {
        "$setElementOrder/containers": [{ name: "three" }, { name: "one" }],
        containers: [container("three", "i")],
      },
    },
    (p) => p.spec.containers.map(({ name }) => name),
    ["three", "one", "two"],
  ],
  [
    "$setElementOrder alone reorders",
    { spec: { "$setElementOrder/containers": [{ name: "two" }, { name: "one" }] } },
    (p) => p.spec.containers.map(({ name }) => name),
    ["two", "one"],
  ],
  [
    "owners merge by uid",
    {
      metadata: {
        ownerReferences: [
          { uid: "1", name: "y" },
          { uid: "2", name: "z" },
        ],
      },
    },
    (p) => p.metadata.ownerReferences,
    [
      { uid: "1", name: "y" },
      { uid: "2", name: "z" },
    ],
  ],
];

for (const [title, patch, check, expected] of strategic) {
  test(`in a strategic merge patch ${title}`, () => {
    assert.deepEqual(check(applyStrategicPatch(pod, patch, "Pod")), expected);
  });
}

test("a ConfigMap's data can be replaced and emptied", () => {
  const configMap = { data: { a: "1" } };
  assert.deepEqual(applyStrategicPatch(configMap, { data: { $patch: "replace", z: "1" } }, "ConfigMap"), {
    data: { z: "1" },
  });
  assert.deepEqual(applyStrategicPatch(configMap, { data: { $patch: "delete" } }, "ConfigMap"), { data: {} });
});

test("directives that make no sense are refused with 500, as a real server answers", () => {
  assert.throws(() => applyStrategicPatch(doc, { data: { $patch: "bogus" } }, "ConfigMap"), {
    code: 500,
    message: "unknown patch type: bogus in map: map[$patch:bogus]",
  });
  assert.throws(() => applyStrategicPatch(pod, { spec: { containers: [{ image: "x" }] } }, "Pod"), {
    code: 500,
    message: "map: map[image:x] does not contain declared merge key: name",
  });
});

test("a strategic merge patch never reaches a prototype", () => {
  const merged = applyStrategicPatch({}, JSON.parse('{"__proto__":{"polluted":true}}'), "ConfigMap");
  assert.equal(Object.getPrototypeOf(merged), Object.prototype);
  assert.equal("polluted" in {}, false);
});
