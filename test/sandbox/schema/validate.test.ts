import assert from "node:assert/strict";
import { test } from "node:test";
import { compileSchema } from "../../../src/sandbox/apiserver/schema/index.ts";

const text = { type: "string" };
const integer = { type: "integer" };
const either = [{ required: ["a"] }, { required: ["b"] }];
const withAB = { type: "object", properties: { a: text, b: text } };

const schema = compileSchema({
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string", minLength: 2, maxLength: 5, pattern: "^[a-z]+$" },
        kind: { type: "string", enum: ["a", "b"] },
        count: { type: "integer", minimum: 1, maximum: 10 },
        open: { type: "integer", minimum: 1, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true },
        ratio: { type: "number", multipleOf: 0.5 },
        big: { type: "integer", format: "int64" },
        when: { type: "string", format: "date-time" },
        ip: { type: "string", format: "ipv4" },
        bytes: { type: "string", format: "byte" },
        uri: { type: "string", format: "uri" },
        odd: { type: "string", format: "of-our-own" },
        port: { "x-kubernetes-int-or-string": true },
        flag: { type: "boolean" },
        nullable: { type: "string", nullable: true },
        list: { type: "array", minItems: 1, maxItems: 2, items: { type: "string", minLength: 2 } },
        set: { type: "array", "x-kubernetes-list-type": "set", items: text },
        map: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", required: ["name"], properties: { name: text, v: integer } },
        },
        extra: { type: "object", additionalProperties: integer },
        bounded: { type: "object", minProperties: 1, maxProperties: 2, additionalProperties: text },
        one: { ...withAB, oneOf: either },
        any: { ...withAB, anyOf: either },
        all: { ...withAB, allOf: either },
        never: { ...withAB, not: { required: ["a"] } },
        embedded: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          "x-kubernetes-preserve-unknown-fields": true,
        },
      },
    },
  },
});

/** Taken from a kube-apiserver 1.20's answers; list indexes and the fields of oneOf and its kin as later servers name them. */
const cases: [spec: unknown, ...errors: string[]][] = [
  [{ name: "abc" }],
  ["x", 'spec FieldValueInvalid Invalid value: "string": spec in body must be of type object: "string"'],
  [[], 'spec FieldValueInvalid Invalid value: "array": spec in body must be of type object: "array"'],
  [{}, "spec.name FieldValueRequired Required value"],
  [
    { name: 1 },
    'spec.name FieldValueInvalid Invalid value: "integer": spec.name in body must be of type string: "integer"',
  ],
  [{ name: "a" }, 'spec.name FieldValueInvalid Invalid value: "a": spec.name in body should be at least 2 chars long'],
  [
    { name: "abcdef" },
    'spec.name FieldValueInvalid Invalid value: "abcdef": spec.name in body should be at most 5 chars long',
  ],
  [{ name: "AB" }, `spec.name FieldValueInvalid Invalid value: "AB": spec.name in body should match '^[a-z]+$'`],
  [{ name: "abc", kind: "c" }, 'spec.kind FieldValueNotSupported Unsupported value: "c": supported values: "a", "b"'],
  [
    { name: "abc", kind: 1 },
    'spec.kind FieldValueInvalid Invalid value: "integer": spec.kind in body must be of type string: "integer"',
    'spec.kind FieldValueNotSupported Unsupported value: 1: supported values: "a", "b"',
  ],
  [
    { name: "abc", count: 0 },
    "spec.count FieldValueInvalid Invalid value: 0: spec.count in body should be greater than or equal to 1",
  ],
  [
    { name: "abc", count: 11 },
    "spec.count FieldValueInvalid Invalid value: 11: spec.count in body should be less than or equal to 10",
  ],
  [
    { name: "abc", count: 1.5 },
    'spec.count FieldValueInvalid Invalid value: "number": spec.count in body must be of type integer: "number"',
  ],
  [
    { name: "abc", open: 1 },
    "spec.open FieldValueInvalid Invalid value: 1: spec.open in body should be greater than 1",
  ],
  [
    { name: "abc", open: 10 },
    "spec.open FieldValueInvalid Invalid value: 10: spec.open in body should be less than 10",
  ],
  [
    { name: "abc", ratio: 0.3 },
    "spec.ratio FieldValueInvalid Invalid value: 0.3: spec.ratio in body should be a multiple of 0.5",
  ],
  [{ name: "abc", ratio: 2 }],
  [{ name: "abc", big: 2 ** 63 }],
  [
    { name: "abc", big: 1e30 },
    'spec.big FieldValueInvalid Invalid value: "number": spec.big in body must be of type integer: "number"',
  ],
  [
    { name: "abc", when: "x" },
    'spec.when FieldValueInvalid Invalid value: "x": spec.when in body must be of type date-time: "x"',
  ],
  [{ name: "abc", when: "2020-01-01T00:00:00Z" }],
  [
    { name: "abc", ip: "::1" },
    'spec.ip FieldValueInvalid Invalid value: "::1": spec.ip in body must be of type ipv4: "::1"',
  ],
  [
    { name: "abc", bytes: "***" },
    'spec.bytes FieldValueInvalid Invalid value: "***": spec.bytes in body must be of type byte: "***"',
  ],
  [
    { name: "abc", uri: "::" },
    'spec.uri FieldValueInvalid Invalid value: "::": spec.uri in body must be of type uri: "::"',
  ],
  [{ name: "abc", odd: "anything" }],
  [{ name: "abc", port: "http" }],
  [{ name: "abc", port: 80 }],
  [
    { name: "abc", port: true },
    'spec.port FieldValueInvalid Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
  ],
  [
    { name: "abc", flag: "x" },
    'spec.flag FieldValueInvalid Invalid value: "string": spec.flag in body must be of type boolean: "string"',
  ],
  [{ name: "abc", nullable: null }],
  [
    { name: "abc", list: [] },
    "spec.list FieldValueInvalid Invalid value: 0: spec.list in body should have at least 1 items",
  ],
  [
    { name: "abc", list: ["aa", "bb", "cc"] },
    "spec.list FieldValueInvalid Invalid value: 3: spec.list in body should have at most 2 items",
  ],
  [
    { name: "abc", list: ["aa", "b"] },
    'spec.list[1] FieldValueInvalid Invalid value: "b": spec.list[1] in body should be at least 2 chars long',
  ],
  [
    { name: "abc", list: [null] },
    'spec.list[0] FieldValueInvalid Invalid value: "null": spec.list[0] in body must be of type string: "null"',
  ],
  [{ name: "abc", set: ["a", "a"] }, 'spec.set[1] FieldValueDuplicate Duplicate value: "a"'],
  [
    { name: "abc", map: [{ name: "a" }, { name: "a", v: 1 }] },
    'spec.map[1] FieldValueDuplicate Duplicate value: map[string]interface {}{"name":"a"}',
  ],
  [{ name: "abc", map: [{ v: 1 }] }, "spec.map[0].name FieldValueRequired Required value"],
  [
    { name: "abc", extra: { x: "s" } },
    'spec.extra.x FieldValueInvalid Invalid value: "string": spec.extra.x in body must be of type integer: "string"',
  ],
  [
    { name: "abc", bounded: {} },
    "spec.bounded FieldValueInvalid Invalid value: 1: spec.bounded in body should have at least 1 properties",
  ],
  [
    { name: "abc", bounded: { a: "", b: "", c: "" } },
    "spec.bounded FieldValueInvalid Invalid value: 2: spec.bounded in body should have at most 2 properties",
  ],
  [
    { name: "abc", one: {} },
    'spec.one FieldValueInvalid Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
    "spec.one.a FieldValueRequired Required value",
  ],
  [
    { name: "abc", one: { a: "", b: "" } },
    'spec.one FieldValueInvalid Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    { name: "abc", any: {} },
    'spec.any FieldValueInvalid Invalid value: "": "spec.any" must validate at least one schema (anyOf)',
    "spec.any.a FieldValueRequired Required value",
  ],
  [
    { name: "abc", all: {} },
    "spec.all.a FieldValueRequired Required value",
    "spec.all.b FieldValueRequired Required value",
    'spec.all FieldValueInvalid Invalid value: "": "spec.all" must validate all the schemas (allOf). None validated',
  ],
  [
    { name: "abc", never: { a: "" } },
    'spec.never FieldValueInvalid Invalid value: "": "spec.never" must not validate the schema (not)',
  ],
  [
    { name: "abc", embedded: {} },
    "spec.embedded.apiVersion FieldValueRequired Required value: must not be empty",
    "spec.embedded.kind FieldValueRequired Required value: must not be empty",
  ],
];

for (const [spec, ...errors] of cases) {
  test(`the spec ${JSON.stringify(spec)} has ${errors.length} errors`, () => {
    const found = schema.validate({ spec }).map(({ field, reason, message }) => `${field} ${reason} ${message}`);
    assert.deepEqual(found, errors);
  });
}

test("an error below a given path names the whole field", () => {
  assert.equal(compileSchema({ type: "object", required: ["a"] }).validate({}, "status")[0]?.field, "status.a");
});

test("an expression that would keep V8 busy for ever is matched at once", () => {
  const [error] = compileSchema({ type: "string", pattern: "^(a+)+$" }).validate(`${"a".repeat(70_000)}b`, "spec.x");
  assert.match(error?.message ?? "", /spec\.x in body should match '\^\(a\+\)\+\$'$/);
});

test("a value too long for its pattern is refused without matching it", () => {
  const large = compileSchema({ type: "string", pattern: "^(a|b){500}$" });
  const [error] = large.validate("ab".repeat(500_000), "spec.x");
  assert.equal(error?.message, 'Invalid value: "": spec.x in body is too long for its pattern: 1000000 chars');
});

test("a field named like one of Object's own does not count as present", () => {
  const strict = compileSchema({ type: "object", required: ["toString"] });
  assert.deepEqual(strict.validate({}), [
    { reason: "FieldValueRequired", field: "toString", message: "Required value" },
  ]);
});
