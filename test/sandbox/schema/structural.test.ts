import assert from "node:assert/strict";
import { test } from "node:test";
import { checkStructural } from "../../../src/sandbox/apiserver/schema/index.ts";

const ROOT = "spec.validation.openAPIV3Schema";
const text = { type: "string" };
const list = (more: object) => ({ type: "array", items: text, ...more });
const mapOf = (items: object) => ({
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["n"],
  items: { type: "object", ...items },
});

/** A property's schema and what a kube-apiserver 1.20 says of it, with fields below that property. */
const cases: [schema: unknown, ...errors: string[]][] = [
  [text],
  [{ type: "object", additionalProperties: true }],
  [{ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }],
  [{ type: "object", default: { a: 1 }, properties: { a: { type: "integer" } } }],
  [{ type: "object", "x-kubernetes-validations": [{ rule: "true" }] }],
  [{ description: "x" }, ".type Required value: must not be empty for specified object fields"],
  [{ type: "array" }, ".items Required value: must be specified"],
  [list({ items: {} }), ".items.type Required value: must not be empty for specified array items"],
  [
    { type: "object", properties: { a: text }, additionalProperties: text },
    ".additionalProperties Forbidden: additionalProperties and properties are mutual exclusive",
  ],
  [
    { type: "object", additionalProperties: {} },
    ".additionalProperties.type Required value: must not be empty for specified object fields",
  ],
  [
    { type: "strang" },
    '.type Unsupported value: "strang": supported values: "array", "boolean", "integer", "number", "object", "string"',
  ],
  [{ $ref: "#/x" }, ".$ref Forbidden: $ref is not supported"],
  [
    list({ uniqueItems: true }),
    ".uniqueItems Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
  ],
  [{ type: "string", default: 1 }, '.default Invalid value: "integer":  in body must be of type string: "integer"'],
  [
    { type: "object", default: { a: 1 } },
    '.default Invalid value: map[string]interface {}{"a":1}: must not have unknown fields',
  ],
  [
    list({ "x-kubernetes-list-type": "bag" }),
    '.x-kubernetes-list-type Unsupported value: "bag": supported values: "atomic", "set", "map"',
  ],
  [
    list({ "x-kubernetes-list-type": "map" }),
    ".x-kubernetes-list-map-keys Required value: must not be empty if x-kubernetes-list-type is map",
  ],
  [mapOf({}), '.x-kubernetes-list-map-keys Invalid value: []string{"n"}: entries must all be names of item properties'],
  [
    mapOf({ properties: { n: text } }),
    ".items.properties[n].default Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
  ],
  [
    list({ "x-kubernetes-list-map-keys": ["n"] }),
    ".x-kubernetes-list-type Required value: must be map if x-kubernetes-list-map-keys is non-empty",
  ],
  [
    list({ "x-kubernetes-list-type": "set", items: { type: "object" } }),
    '.items.x-kubernetes-map-type Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set',
  ],
  [
    { type: "object", "x-kubernetes-list-type": "atomic" },
    '.type Invalid value: "object": must be array if x-kubernetes-list-type is specified',
  ],
  [
    { type: "object", "x-kubernetes-map-type": "x" },
    '.x-kubernetes-map-type Unsupported value: "x": supported values: "atomic", "granular"',
  ],
  [
    { type: "object", anyOf: [{ type: "object", default: 1 }] },
    ".anyOf[0].default Forbidden: must be undefined to be structural",
    ".anyOf[0].type Forbidden: must be empty to be structural",
  ],
  [
    { type: "object", "x-kubernetes-preserve-unknown-fields": false },
    ".x-kubernetes-preserve-unknown-fields Invalid value: false: must be true or undefined",
  ],
  [
    { type: "string", "x-kubernetes-embedded-resource": true },
    ".properties Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
    '.type Invalid value: "string": must be object if x-kubernetes-embedded-resource is true',
  ],
];

for (const [schema, ...errors] of cases) {
  test(`a field with the schema ${JSON.stringify(schema)} has ${errors.length} errors`, () => {
    const found = checkStructural({ type: "object", properties: { spec: schema } });
    const texts = found.map(({ field, message }) => `${field.replace(`${ROOT}.properties[spec]`, "")} ${message}`);
    assert.deepEqual(texts, errors);
  });
}

test("the root must be an object and leaves metadata to the API server", () => {
  const metadata = { type: "object", properties: { labels: { type: "object" } } };
  const roots: [unknown, string][] = [
    [undefined, `${ROOT} Required value: schemas are required`],
    [{}, `${ROOT}.type Required value: must not be empty at the root`],
    [text, `${ROOT}.type Invalid value: "string": must be object at the root`],
    [
      { type: "object", properties: { metadata } },
      `${ROOT}.properties[metadata] Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    ],
    [
      { type: "object", properties: { apiVersion: { type: "integer" } } },
      `${ROOT}.properties[apiVersion].type Invalid value: "integer": must be string`,
    ],
  ];
  for (const [schema, error] of roots) {
    assert.deepEqual(
      checkStructural(schema).map(({ field, message }) => `${field} ${message}`),
      [error],
    );
  }
});

test("a pattern that is no regular expression is refused with RE2's reason", () => {
  const refusals = [
    ["(", "missing closing ): `(`"],
    ["(?!x)", "invalid or unsupported Perl syntax: `(?!`"],
  ] as const;
  for (const [pattern, why] of refusals) {
    const [error] = checkStructural({ type: "object", properties: { a: { type: "string", pattern } } });
    assert.equal(error?.field, `${ROOT}.properties[a].pattern`);
    const text = `must be a valid regular expression, but isn't: error parsing regexp: ${why}`;
    assert.equal(error?.message, `Invalid value: ${JSON.stringify(pattern)}: ${text}`);
  }
});

test("RE2's own syntax is understood", () => {
  for (const pattern of ["(?i)^abc$", "\\Aabc\\z", "^[\\w\\-]+$", "[[:alpha:]]", "(?P<name>a)"]) {
    assert.deepEqual(checkStructural({ type: "object", properties: { a: { type: "string", pattern } } }), []);
  }
});
