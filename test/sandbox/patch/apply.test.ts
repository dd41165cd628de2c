import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ApplyResult, serverSideApply, updateManagedFields } from "../../../src/sandbox/apiserver/patch/index.ts";
import { compileSchema } from "../../../src/sandbox/apiserver/schema/index.ts";

type Fields = Record<string, unknown>;

const time = "2026-01-01T00:00:00Z";
const text = { type: "string" };

/** The definition whose answers from a kube-apiserver 1.20 stand in these tests. */
const schema = compileSchema({
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
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        atom: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: text } },
        nested: { type: "object", properties: { a: text, d: text } },
      },
    },
    status: { type: "object", properties: { phase: text } },
  },
});

const probe = (spec: Fields): Fields => ({ apiVersion: "e.com/v1", kind: "Probe", metadata: { name: "p" }, spec });
const configMap = (data: Fields, metadata: Fields = {}): Fields => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", ...metadata },
  data,
});

function apply(live: Fields | undefined, applied: Fields, manager: string, force = false): ApplyResult {
  const withSchema = applied.kind === "Probe" ? { schema } : {};
  return serverSideApply({ live, applied, manager, force, time, ...withSchema });
}

function applied(...args: Parameters<typeof apply>): Fields {
  const result = apply(...args);
  assert.ok("object" in result, "message" in result ? result.message : "");
  return result.object;
}

/** Who owns what: `{"m1 Apply": fieldsV1}`. */
function owners(object: Fields): Fields {
  const { managedFields = [] } = object.metadata as { managedFields?: { [field: string]: unknown }[] };
  return Object.fromEntries(managedFields.map((entry) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1]));
}

function withoutManagers(object: Fields): Fields {
  const { managedFields: _, ...metadata } = object.metadata as Fields;
  return { ...object, metadata };
}

const first = configMap({ a: "1", b: "2" }, { labels: { l: "1" }, finalizers: ["x/y"], annotations: { k: "v" } });

test("the first apply makes the object and owns what it says", () => {
  const object = applied(undefined, first, "m1");
  assert.deepEqual(withoutManagers(object), first);
  assert.deepEqual((object.metadata as Fields).managedFields, [
    {
      manager: "m1",
      operation: "Apply",
      apiVersion: "v1",
      time,
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:data": { "f:a": {}, "f:b": {} },
        "f:metadata": {
          "f:annotations": { "f:k": {} },
          "f:finalizers": { 'v:"x/y"': {} },
          "f:labels": { "f:l": {} },
        },
      },
    },
  ]);
});

test("the same apply again changes nothing, its time neither", () => {
  const object = applied(undefined, first, "m1");
  const again = serverSideApply({
    live: object,
    applied: first,
    manager: "m1",
    force: false,
    time: "2027-01-01T00:00:00Z",
  });
  assert.deepEqual(again, { object });
});

test("two managers own a field together while they apply the same value", () => {
  const object = applied(applied(undefined, configMap({ a: "1", b: "2" }), "m1"), configMap({ a: "1" }), "m2");
  assert.deepEqual(owners(object), {
    "m1 Apply": { "f:data": { "f:a": {}, "f:b": {} } },
    "m2 Apply": { "f:data": { "f:a": {} } },
  });
  const dropped = applied(object, configMap({ b: "2" }), "m1");
  assert.deepEqual(dropped.data, { a: "1", b: "2" });
});

test("another value for an owned field is a conflict that names owner and field", () => {
  const live = applied(undefined, configMap({ a: "1", b: "2" }), "m1");
  assert.deepEqual(apply(live, configMap({ a: "2", b: "3" }), "m2"), {
    conflicts: [
      { manager: '"m1"', field: ".data.a" },
      { manager: '"m1"', field: ".data.b" },
    ],
    message: 'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.a\n- .data.b',
  });
});

test("force takes the field from its owner", () => {
  const live = applied(undefined, configMap({ a: "1", b: "2" }), "m1");
  const object = applied(live, configMap({ a: "2" }), "m2", true);
  assert.deepEqual(object.data, { a: "2", b: "2" });
  assert.deepEqual(owners(object), {
    "m1 Apply": { "f:data": { "f:b": {} } },
    "m2 Apply": { "f:data": { "f:a": {} } },
  });
});

test("fields applied no longer are removed where nobody else owns them", () => {
  const object = applied(applied(undefined, first, "m1"), configMap({ b: "2" }), "m1");
  assert.deepEqual(withoutManagers(object), configMap({ b: "2" }));
});

test("an update takes its fields from the appliers, and conflicts with their next apply", () => {
  const live = applied(undefined, configMap({ a: "1", b: "2" }), "m1");
  const after = { ...live, data: { a: "1", b: "9" }, metadata: { name: "c", labels: { n: "1" } } };
  const edited = updateManagedFields({ before: live, after, manager: "ed", apiVersion: "v1", time });
  assert.deepEqual(owners(edited), {
    "m1 Apply": { "f:data": { "f:a": {} } },
    "ed Update": { "f:data": { "f:b": {} }, "f:metadata": { "f:labels": { ".": {}, "f:n": {} } } },
  });
  assert.deepEqual(apply(edited, configMap({ a: "1", b: "2" }), "m1"), {
    conflicts: [{ manager: '"ed" using v1', field: ".data.b" }],
    message: 'Apply failed with 1 conflict: conflict with "ed" using v1: .data.b',
  });
});

test("an object made by a create is owned by its creator, containers included", () => {
  const created = updateManagedFields({
    before: undefined,
    after: configMap({ a: "1" }, { uid: "u", resourceVersion: "1" }),
    manager: "curl",
    apiVersion: "v1",
    time,
  });
  assert.deepEqual(owners(created), { "curl Update": { "f:data": { ".": {}, "f:a": {} } } });
});

test("an update that changes nothing leaves managedFields alone", () => {
  const before = updateManagedFields({
    before: undefined,
    after: configMap({ a: "1" }),
    manager: "curl",
    apiVersion: "v1",
    time,
  });
  const later = "2027-01-01T00:00:00Z";
  const after = updateManagedFields({ before, after: before, manager: "curl", apiVersion: "v1", time: later });
  assert.deepEqual(after, before);
});

test("managedFields of [{}] clear who owned what before", () => {
  const live = applied(undefined, configMap({ a: "1" }), "m1");
  const after = configMap({ a: "1" }, { managedFields: [{}] });
  const cleared = updateManagedFields({ before: live, after, manager: "ed", apiVersion: "v1", time });
  assert.deepEqual(cleared, configMap({ a: "1" }));
});

test("a write to a subresource is a manager of its own", () => {
  const before = applied(undefined, probe({ name: "a" }), "m1");
  const after: Fields = { ...before, status: { phase: "Done" } };
  const input = { before, after, manager: "m1", subresource: "status", apiVersion: "e.com/v1", time, schema };
  const entry = (updateManagedFields(input).metadata as { managedFields: Fields[] }).managedFields.at(1);
  assert.equal(entry?.subresource, "status");
  assert.deepEqual(entry?.fieldsV1, { "f:status": { ".": {}, "f:phase": {} } });
});

test("what an object held before its first apply belongs to nobody's apply and conflicts", () => {
  const result = apply(configMap({ a: "1" }), configMap({ a: "2" }), "m1");
  assert.deepEqual(result, {
    conflicts: [{ manager: '"before-first-apply" using v1', field: ".data.a" }],
    message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  });
});

const rich = probe({
  name: "abc",
  list: ["aa"],
  set: ["x", "y"],
  map: [{ name: "a", v: 1 }, { name: "b" }],
  extra: { x: 1 },
  free: { a: { b: 1 }, l: [1] },
  atom: { a: "1" },
  nested: { a: "1" },
});

const rival = probe({
  list: ["bb"],
  set: ["z", "x"],
  map: [{ name: "a", v: 2 }, { name: "c" }],
  extra: { x: 2 },
  free: { a: { b: 2 }, l: [2] },
  atom: { a: "2" },
});

test("a schema says which fields are owned as a whole and which entry by entry", () => {
  assert.deepEqual(owners(applied(undefined, rich, "m1")), {
    "m1 Apply": {
      "f:spec": {
        "f:atom": {},
        "f:extra": { "f:x": {} },
        "f:free": { "f:a": {}, "f:l": {} },
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
});

test("conflicts name entries of lists by their keys", () => {
  const result = apply(applied(undefined, rich, "m1"), rival, "m2");
  assert.ok("conflicts" in result);
  assert.deepEqual(
    result.conflicts.map(({ field }) => field).sort(),
    [".spec.atom", ".spec.extra.x", ".spec.free.a", ".spec.free.l", ".spec.list", '.spec.map[name="a"].v'].sort(),
  );
});

test("lists that are sets or maps merge, other lists are replaced", () => {
  const both = applied(applied(undefined, rich, "m1"), rival, "m2", true);
  assert.deepEqual(both.spec, {
    name: "abc",
    list: ["bb"],
    set: ["x", "y", "z"],
    map: [{ name: "a", v: 2 }, { name: "b" }, { name: "c" }],
    extra: { x: 2 },
    free: { a: { b: 2 }, l: [2] },
    atom: { a: "2" },
    nested: { a: "1" },
  });
  const dropped = applied(both, probe({ name: "abc", set: ["y"], map: [{ name: "b" }] }), "m1");
  assert.deepEqual(dropped.spec, {
    name: "abc",
    list: ["bb"],
    set: ["x", "y", "z"],
    map: [{ name: "a", v: 2 }, { name: "b" }, { name: "c" }],
    extra: { x: 2 },
    free: { a: { b: 2 }, l: [2] },
    atom: { a: "2" },
  });
  const gone = applied(dropped, probe({}), "m1");
  assert.deepEqual((gone.spec as Fields).map, [{ name: "a", v: 2 }, { name: "c" }]);
  assert.deepEqual((gone.spec as Fields).set, ["x", "z"]);
});

test("a field nobody applied, such as a default, stays when its neighbours are dropped", () => {
  const live = applied(undefined, probe({ nested: { a: "1" } }), "m1");
  const defaulted = { ...live, spec: { nested: { a: "1", d: "default" } } };
  assert.deepEqual(applied(defaulted, probe({}), "m1").spec, { nested: { d: "default" } });
});

test("owners of an object merge by uid", () => {
  const owned = (name: string) =>
    configMap({}, { ownerReferences: [{ apiVersion: "v1", kind: "X", name, uid: "u1" }] });
  const result = apply(applied(undefined, owned("n"), "o1"), owned("n2"), "o2");
  assert.deepEqual("conflicts" in result && result.conflicts, [
    { manager: '"o1"', field: '.metadata.ownerReferences[uid="u1"].name' },
  ]);
});

test("a port without a protocol is one of TCP", () => {
  const ports = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
    items: { type: "object", properties: { containerPort: { type: "integer" }, protocol: text, name: text } },
  };
  const pod = compileSchema({ type: "object", properties: { spec: { type: "object", properties: { ports } } } });
  const body = (port: Fields): Fields => ({ apiVersion: "v1", kind: "Pod", spec: { ports: [port] } });
  const input = { manager: "m", force: false, time, schema: pod };
  const made = serverSideApply({ ...input, live: undefined, applied: body({ containerPort: 80 }) });
  assert.ok("object" in made);
  const named = serverSideApply({ ...input, live: made.object, applied: body({ containerPort: 80, protocol: "TCP" }) });
  assert.ok("object" in named);
  assert.deepEqual(named.object.spec, { ports: [{ containerPort: 80, protocol: "TCP" }] });
});

const unfit: [spec: Fields, message: string][] = [
  [{ bogus: 1 }, ".spec.bogus: field not declared in schema"],
  [{ name: 5 }, ".spec.name: expected string, got 5"],
  [{ list: "x" }, '.spec.list: expected list, got "x"'],
  [{ map: [{ name: "b" }, { name: "b" }] }, '.spec.map: duplicate entries for key [name="b"]'],
  [{ set: ["q", "q"] }, '.spec.set: duplicate entries for key [="q"]'],
  [
    { map: [{ v: 1 }] },
    `.spec.map: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
  ],
];

for (const [spec, message] of unfit) {
  test(`applying the spec ${JSON.stringify(spec)} is refused`, () => {
    assert.throws(() => apply(undefined, probe(spec), "m1"), {
      code: 500,
      message: `failed to create typed patch object: ${message}`,
    });
  });
}

const name = fc.stringMatching(/^[a-z]{1,3}$/);
const fields = fc.dictionary(
  name,
  fc.oneof(fc.string(), fc.integer(), fc.dictionary(name, fc.boolean(), { noNullPrototype: true })),
  {
    noNullPrototype: true,
  },
);

test("whatever is applied twice is unchanged, and applied no longer is gone", () => {
  fc.assert(
    fc.property(fields, fields, (spec, other) => {
      const object = (body: Fields): Fields => ({
        apiVersion: "e.com/v1",
        kind: "Any",
        metadata: { name: "p" },
        spec: body,
      });
      const made = applied(undefined, object(spec), "m1");
      assert.deepEqual(applied(made, object(spec), "m1"), made);
      const changed = applied(made, object(other), "m1");
      assert.deepEqual(withoutManagers(changed), object(other));
      assert.deepEqual(withoutManagers(applied(changed, object({}), "m1")), object({}));
    }),
  );
});
