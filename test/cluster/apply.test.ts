import assert from "node:assert/strict";
import { test } from "node:test";
import { APPLY_PATCH, type Body, type CallOptions, call, get, MERGE_PATCH, ok, patch, refused } from "./client.ts";
import { configMap, makeNamespace, makeWidgets } from "./fixtures.ts";

const applying = (body: unknown): CallOptions => ({ type: APPLY_PATCH, body });

function apply(path: string, manager: string, body: unknown, force = false): Promise<Body> {
  return ok("PATCH", `${path}?fieldManager=${manager}${force ? "&force=true" : ""}`, applying(body));
}

/** `{"m1 Apply": fieldsV1}` */
function owners({ metadata }: Body): Record<string, unknown> {
  const entries: Body[] = metadata.managedFields ?? [];
  return Object.fromEntries(entries.map((entry) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1]));
}

const data = (...names: string[]) => ({ "f:data": Object.fromEntries(names.map((name) => [`f:${name}`, {}])) });

test("an apply makes the object and owns exactly what it says", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const body = configMap("one", { data: { a: "1" } }, { labels: { l: "1" }, finalizers: ["x.y/z"] });
  const answer = await call("PATCH", `${configMaps}/one?fieldManager=m1`, applying(body));
  assert.equal(answer.code, 201);
  const [entry] = answer.body.metadata.managedFields;
  assert.deepEqual(
    [entry.manager, entry.operation, entry.apiVersion, entry.fieldsType],
    ["m1", "Apply", "v1", "FieldsV1"],
  );
  assert.match(entry.time, /Z$/);
  assert.deepEqual(entry.fieldsV1, {
    "f:data": { "f:a": {} },
    "f:metadata": { "f:finalizers": { 'v:"x.y/z"': {} }, "f:labels": { "f:l": {} } },
  });
  await patch(`${configMaps}/one`, MERGE_PATCH, { metadata: { finalizers: null } });
});

test("the same apply again changes nothing", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const body = configMap("one", { data: { a: "1" } });
  const first = await apply(`${configMaps}/one`, "m1", body);
  assert.deepEqual(await apply(`${configMaps}/one`, "m1", body), first);
});

test("an apply may be YAML", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: '1'\n";
  assert.deepEqual((await apply(`${configMaps}/one`, "m1", body)).data, { a: "1" });
});

test("fields applied no longer go, unless somebody else owns them", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const one = `${configMaps}/one`;
  await apply(one, "m1", configMap("one", { data: { a: "1", b: "2", c: "3" } }, { labels: { l: "1" } }));
  await apply(one, "m2", configMap("one", { data: { b: "2" } }));
  const left = await apply(one, "m1", configMap("one", { data: { c: "3" } }));
  assert.deepEqual([left.data, left.metadata.labels], [{ b: "2", c: "3" }, undefined]);
  assert.deepEqual(owners(left), { "m1 Apply": data("c"), "m2 Apply": data("b") });
});

test("another value for an owned field is a conflict until it is forced", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const one = `${configMaps}/one`;
  await apply(one, "m1", configMap("one", { data: { a: "1", b: "2" } }));
  const rival = configMap("one", { data: { a: "9", b: "9" } });
  await refused("PATCH", `${one}?fieldManager=m2`, applying(rival), {
    code: 409,
    reason: "Conflict",
    message: 'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.a\n- .data.b',
    causes: ['.data.a FieldManagerConflict conflict with "m1"', '.data.b FieldManagerConflict conflict with "m1"'],
  });
  const forced = await apply(one, "m2", configMap("one", { data: { a: "9" } }), true);
  assert.deepEqual(forced.data, { a: "9", b: "2" });
  assert.deepEqual(owners(forced), { "m1 Apply": data("b"), "m2 Apply": data("a") });
});

test("an update owns what it changed and conflicts with the next apply", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const one = `${configMaps}/one`;
  await apply(one, "m1", configMap("one", { data: { a: "1", b: "2" } }));
  const edited = await patch(`${one}?fieldManager=editor`, MERGE_PATCH, {
    data: { b: "9" },
    metadata: { labels: { n: "1" } },
  });
  assert.deepEqual(owners(edited), {
    "m1 Apply": data("a"),
    "editor Update": { ...data("b"), "f:metadata": { "f:labels": { ".": {}, "f:n": {} } } },
  });
  await refused("PATCH", `${one}?fieldManager=m1`, applying(configMap("one", { data: { a: "1", b: "2" } })), {
    code: 409,
    reason: "Conflict",
    message: /^Apply failed with 1 conflict: conflict with "editor" using v1.*: \.data\.b$/,
  });
});

test("a write that names no manager is its program's", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const made = await ok("POST", configMaps, { body: configMap("one", { data: { a: "1" } }) });
  assert.deepEqual(owners(made), { "courier-conformance Update": { "f:data": { ".": {}, "f:a": {} } } });
});

test("managedFields of [{}] clear who owned what", async (t) => {
  const { configMaps } = await makeNamespace(t);
  await apply(`${configMaps}/one`, "m1", configMap("one", { data: { a: "1" } }));
  const cleared = await patch(`${configMaps}/one`, MERGE_PATCH, { metadata: { managedFields: [{}] } });
  assert.equal(cleared.metadata.managedFields, undefined);
});

test("an apply needs a manager, an apiVersion and no managedFields", async (t) => {
  const { configMaps } = await makeNamespace(t);
  const one = `${configMaps}/one`;
  const body = configMap("one");
  await refused("PATCH", one, applying(body), {
    code: 422,
    reason: "Invalid",
    message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  });
  const named = `${one}?fieldManager=m1`;
  await refused("PATCH", named, applying({ metadata: { name: "one" } }), { code: 400, reason: "BadRequest" });
  await refused("PATCH", named, applying(configMap("two")), { code: 400, reason: "BadRequest" });
  await refused("PATCH", named, applying(configMap("one", {}, { namespace: "another" })), {
    code: 400,
    reason: "BadRequest",
    message: /^the namespace of the (provided )?object/,
  });
  await apply(one, "m1", body);
  const entry = { manager: "x", operation: "Apply", apiVersion: "v1" };
  await refused("PATCH", named, applying(configMap("one", {}, { managedFields: [entry] })), {
    code: 400,
    reason: "BadRequest",
    message: /metadata\.managedFields must be nil/,
  });
});

const text = { type: "string" };
const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        name: text,
        list: { type: "array", items: text },
        set: { type: "array", "x-kubernetes-list-type": "set", items: text },
        map: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", required: ["name"], properties: { name: text, v: { type: "integer" } } },
        },
        extra: { type: "object", additionalProperties: { type: "integer" } },
        atom: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: text } },
        nested: { type: "object", properties: { a: text, d: { type: "string", default: "dd" } } },
      },
    },
  },
};

test("a custom resource's schema says how its lists and maps merge", async (t) => {
  const { path, make } = await makeWidgets(t, { schema });
  const one = `${path}/one`;
  const first = await apply(
    one,
    "m1",
    make("one", {
      spec: {
        name: "abc",
        list: ["aa"],
        set: ["x", "y"],
        map: [{ name: "a", v: 1 }, { name: "b" }],
        extra: { x: 1 },
        atom: { a: "1" },
        nested: { a: "1" },
      },
    }),
  );
  assert.deepEqual(owners(first), {
    "m1 Apply": {
      "f:spec": {
        "f:atom": {},
        "f:extra": { "f:x": {} },
        "f:list": {},
        "f:map": {
          'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:v": {} },
          'k:{"name":"b"}': { ".": {}, "f:name": {} },
        },
        "f:name": {},
        "f:nested": { "f:a": {} },
        "f:set": { 'v:"x"': {}, 'v:"y"': {} },
      },
    },
  });
  const rival = make("one", {
    spec: {
      list: ["bb"],
      set: ["z", "x"],
      map: [{ name: "a", v: 2 }, { name: "c" }],
      extra: { x: 2 },
      atom: { a: "2" },
    },
  });
  await refused("PATCH", `${one}?fieldManager=m2`, applying(rival), {
    code: 409,
    causes: [".spec.atom", ".spec.list", ".spec.extra.x", '.spec.map[name="a"].v'].map(
      (field) => `${field} FieldManagerConflict conflict with "m1"`,
    ),
  });
  const both = await apply(one, "m2", rival, true);
  assert.deepEqual(both.spec.set, ["x", "y", "z"]);
  assert.deepEqual(both.spec.map, [{ name: "a", v: 2 }, { name: "b" }, { name: "c" }]);
  const left = await apply(one, "m1", make("one", { spec: { set: ["y"], map: [{ name: "b" }] } }));
  assert.deepEqual(left.spec, {
    list: ["bb"],
    set: ["x", "y", "z"],
    map: [{ name: "a", v: 2 }, { name: "b" }, { name: "c" }],
    extra: { x: 2 },
    atom: { a: "2" },
    nested: { d: "dd" },
  });
});

test("what a schema does not allow cannot be applied", async (t) => {
  const { path, make } = await makeWidgets(t, { schema });
  const attempt = (spec: object) => call("PATCH", `${path}/one?fieldManager=m1`, applying(make("one", { spec })));
  const cases: [object, RegExp][] = [
    [{ bogus: 1 }, /\.spec\.bogus: field not declared in schema/],
    [{ name: 5 }, /\.spec\.name: expected string, got/],
    [{ map: [{ name: "b" }, { name: "b" }] }, /\.spec\.map: duplicate entries for key \[name="b"\]/],
    [
      { map: [{ v: 1 }] },
      /\.spec\.map: element 0: associative list with keys has an element that omits key field "name"/,
    ],
  ];
  for (const [spec, message] of cases) {
    const { code, body } = await attempt(spec);
    assert.equal(code, 500, JSON.stringify(body));
    assert.match(body.message, message);
  }
  assert.equal((await call("GET", `${path}/one`)).code, 404);
});

test("a status may be applied through its own path", async (t) => {
  const status = { type: "object", properties: { phase: text } };
  const { path, make } = await makeWidgets(t, {
    schema: { type: "object", properties: { spec: { type: "object" }, status } },
    version: { subresources: { status: {} } },
  });
  await apply(`${path}/one`, "m1", make("one", { spec: {} }));
  const written = await apply(`${path}/one/status`, "m2", make("one", { status: { phase: "Done" } }));
  assert.deepEqual(written.status, { phase: "Done" });
  assert.deepEqual(owners(written)["m2 Apply"], { "f:status": { "f:phase": {} } });
  assert.deepEqual((await get(`${path}/one`)).status, { phase: "Done" });
});
