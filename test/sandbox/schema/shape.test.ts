import assert from "node:assert/strict";
import { test } from "node:test";
import { compileSchema } from "../../../src/sandbox/apiserver/schema/index.ts";

const text = { type: "string" };

const schema = compileSchema({
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        name: { type: "string", default: "ann" },
        list: { type: "array", items: { type: "object", properties: { a: text, d: { type: "integer", default: 1 } } } },
        free: {
          type: "object",
          "x-kubernetes-preserve-unknown-fields": true,
          properties: { strict: { type: "object" } },
        },
        labels: { type: "object", additionalProperties: text },
        nested: { type: "object", default: {}, properties: { deep: { type: "boolean", default: true } } },
        nullable: { type: "string", nullable: true, default: "x" },
        embedded: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } },
      },
    },
  },
});

test("pruning drops undeclared fields at every level and says which", () => {
  const value = {
    apiVersion: "v1",
    kind: "K",
    metadata: { name: "n", anything: 1 },
    other: 1,
    spec: { foo: 1, list: [{ a: "", b: "" }], free: { any: { thing: 1 }, strict: { gone: 1 } }, labels: { l: "" } },
  };
  assert.deepEqual(schema.prune(value), {
    apiVersion: "v1",
    kind: "K",
    metadata: { name: "n", anything: 1 },
    spec: { list: [{ a: "" }], free: { any: { thing: 1 }, strict: {} }, labels: { l: "" } },
  });
  assert.deepEqual(schema.unknownFields(value), [
    'unknown field "other"',
    'unknown field "spec.foo"',
    'unknown field "spec.free.strict.gone"',
    'unknown field "spec.list[0].b"',
  ]);
});

test("pruning keeps apiVersion, kind and metadata of an embedded resource", () => {
  const embedded = { apiVersion: "v1", kind: "Pod", metadata: { name: "n" }, spec: {}, status: {} };
  assert.deepEqual(schema.prune({ spec: { embedded } }).spec.embedded, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "n" },
    spec: {},
  });
});

test("pruning and defaulting leave the given value as it was", () => {
  const value = { spec: { foo: 1, name: null } };
  schema.prune(value);
  schema.applyDefaults(value);
  assert.deepEqual(value, { spec: { foo: 1, name: null } });
});

test("defaults fill absent fields, nested ones too, but make no parent that has no default", () => {
  assert.deepEqual(schema.applyDefaults({}), {});
  assert.deepEqual(schema.applyDefaults({ spec: { list: [{}] } }), {
    spec: { list: [{ d: 1 }], name: "ann", nested: { deep: true }, nullable: "x" },
  });
});

test("a null gives way to the default, disappears, or stays where it is allowed", () => {
  const spec = { name: null, labels: null, nullable: null, nested: { deep: false } };
  assert.deepEqual(schema.applyDefaults({ spec }), {
    spec: { name: "ann", nullable: null, nested: { deep: false } },
  });
});

test("a preserved field named __proto__ stays data and changes no prototype", () => {
  const value = JSON.parse('{"spec":{"free":{"__proto__":{"polluted":true}}}}');
  const kept = schema.applyDefaults(schema.prune(value));
  assert.equal(JSON.stringify(kept.spec.free), '{"__proto__":{"polluted":true}}');
  assert.equal(Object.getPrototypeOf(kept.spec.free), Object.prototype);
});
