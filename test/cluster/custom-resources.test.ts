import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { call, create, get, MERGE_PATCH, ok, patch, refused } from "./client.ts";
import { makeWidgets, serverVersion } from "./fixtures.ts";

const text = { type: "string" };
const integer = { type: "integer" };

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string", minLength: 2, maxLength: 5, pattern: "^[a-z]+$" },
        kind: { type: "string", enum: ["a", "b"] },
        count: { type: "integer", minimum: 1, maximum: 10 },
        size: { type: "integer", default: 3 },
        when: { type: "string", format: "date-time" },
        port: { "x-kubernetes-int-or-string": true },
        maybe: { type: "string", nullable: true },
        list: { type: "array", items: { type: "string", minLength: 2 } },
        set: { type: "array", "x-kubernetes-list-type": "set", items: text },
        map: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", required: ["name"], properties: { name: text, v: integer } },
        },
        extra: { type: "object", additionalProperties: integer },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        one: { type: "object", properties: { a: text, b: text }, oneOf: [{ required: ["a"] }, { required: ["b"] }] },
      },
    },
    status: { type: "object", properties: { phase: text } },
  },
};

const widgetsOf = (t: TestContext) => makeWidgets(t, { schema, version: { subresources: { status: {} } } });

const refusals: [spec: unknown, ...causes: string[]][] = [
  ["x", 'spec FieldValueInvalid Invalid value: "string": spec in body must be of type object: "string"'],
  [[], 'spec FieldValueInvalid Invalid value: "array": spec in body must be of type object: "array"'],
  [{}, "spec.name FieldValueRequired Required value"],
  [{ name: null }, "spec.name FieldValueRequired Required value"],
  [
    { name: 1 },
    'spec.name FieldValueInvalid Invalid value: "integer": spec.name in body must be of type string: "integer"',
  ],
  [{ name: "a" }, 'spec.name FieldValueInvalid Invalid value: "a": spec.name in body should be at least 2 chars long'],
  [{ name: "AB" }, `spec.name FieldValueInvalid Invalid value: "AB": spec.name in body should match '^[a-z]+$'`],
  [
    { name: "abc", kind: 1 },
    'spec.kind FieldValueInvalid Invalid value: "integer": spec.kind in body must be of type string: "integer"',
    'spec.kind FieldValueNotSupported Unsupported value: 1: supported values: "a", "b"',
  ],
  [
    { name: "abc", count: 11 },
    "spec.count FieldValueInvalid Invalid value: 11: spec.count in body should be less than or equal to 10",
  ],
  [
    { name: "abc", count: "x" },
    'spec.count FieldValueInvalid Invalid value: "string": spec.count in body must be of type integer: "string"',
  ],
  [
    { name: "abc", when: "x" },
    'spec.when FieldValueInvalid Invalid value: "x": spec.when in body must be of type date-time: "x"',
  ],
  [
    { name: "abc", port: true },
    'spec.port FieldValueInvalid Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
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
    { name: "abc", map: [{ name: "a" }, { name: "a" }] },
    'spec.map[1] FieldValueDuplicate Duplicate value: map[string]interface {}{"name":"a"}',
  ],
  [{ name: "abc", map: [{ v: 1 }] }, "spec.map[0].name FieldValueRequired Required value"],
  [
    { name: "abc", extra: { x: "s" } },
    'spec.extra.x FieldValueInvalid Invalid value: "string": spec.extra.x in body must be of type integer: "string"',
  ],
  [
    { name: 1, count: 0 },
    'spec.name FieldValueInvalid Invalid value: "integer": spec.name in body must be of type string: "integer"',
    "spec.count FieldValueInvalid Invalid value: 0: spec.count in body should be greater than or equal to 1",
  ],
];

test("widgets that do not fit their schema", async (t) => {
  const widgets = await widgetsOf(t);
  for (const [spec, ...causes] of refusals) {
    await t.test(`the spec ${JSON.stringify(spec)} is refused with its fields`, () =>
      refused("POST", widgets.path, { body: widgets.make("one", { spec }) }, { code: 422, reason: "Invalid", causes }),
    );
  }
  await t.test("the message names kind, group and object", () =>
    refused(
      "POST",
      widgets.path,
      { body: widgets.make("one", { spec: {} }) },
      {
        code: 422,
        message: `Widget.${widgets.group} "one" is invalid: spec.name: Required value`,
      },
    ),
  );
  await t.test("a choice not made is refused", () =>
    refused(
      "POST",
      widgets.path,
      { body: widgets.make("one", { spec: { name: "abc", one: {} } }) },
      {
        code: 422,
        message: /"spec\.one" must validate one and only one schema \(oneOf\)\. Found none valid/,
      },
    ),
  );
});

test("undeclared fields are dropped, declared as free they stay", async (t) => {
  const widgets = await widgetsOf(t);
  const spec = { name: "abc", bogus: 1, map: [{ name: "a", gone: 1 }], free: { any: { thing: [1] } } };
  const made = await create(widgets.path, widgets.make("one", { spec, other: true }));
  assert.deepEqual(made.spec, { name: "abc", size: 3, map: [{ name: "a" }], free: { any: { thing: [1] } } });
  assert.equal(made.other, undefined);
});

test("defaults are filled in, nulls make room for them or are dropped", async (t) => {
  const widgets = await widgetsOf(t);
  const spec = { name: "abc", size: null, port: null, maybe: null };
  assert.deepEqual((await create(widgets.path, widgets.make("one", { spec }))).spec, {
    name: "abc",
    size: 3,
    maybe: null,
  });
});

test("fieldValidation says what would be dropped", async (t) => {
  const [, minor] = await serverVersion();
  if (minor < 27) return t.skip(`a 1.${minor} server does not know fieldValidation`);
  const widgets = await widgetsOf(t);
  const body = widgets.make("one", { spec: { name: "abc", bogus: 1 } });
  await refused(
    "POST",
    `${widgets.path}?fieldValidation=Strict`,
    { body },
    {
      code: 400,
      reason: "BadRequest",
      message: /strict decoding error: unknown field "spec\.bogus"/,
    },
  );
  const { headers } = await call("POST", `${widgets.path}?fieldValidation=Warn&dryRun=All`, { body });
  assert.match(String(headers["warning"]), /^299 - "unknown field \\"spec\.bogus\\""/);
});

test("status is written through its own path alone", async (t) => {
  const widgets = await widgetsOf(t);
  const made = await create(widgets.path, widgets.make("one", { spec: { name: "abc" }, status: { phase: "Mine" } }));
  assert.equal(made.status, undefined);
  const one = `${widgets.path}/one`;
  const body = { spec: { name: "other" }, status: { phase: "Done" } };
  const written = await patch(`${one}/status`, MERGE_PATCH, body);
  assert.deepEqual([written.spec.name, written.status], ["abc", { phase: "Done" }]);
  const patched = await patch(one, MERGE_PATCH, { spec: { count: 2 }, status: { phase: "Mine" } });
  assert.deepEqual([patched.spec.count, patched.status], [2, { phase: "Done" }]);
  assert.deepEqual((await get(`${one}/status`)).status, { phase: "Done" });
  await refused(
    "PATCH",
    `${one}/status`,
    { type: MERGE_PATCH, body: { status: { phase: 1 } } },
    {
      code: 422,
      causes: [
        'status.phase FieldValueInvalid Invalid value: "integer": status.phase in body must be of type string: "integer"',
      ],
    },
  );
});

test("generation counts the changes of the spec, not of metadata and status", async (t) => {
  const widgets = await widgetsOf(t);
  const one = `${widgets.path}/one`;
  const generations = [
    await create(widgets.path, widgets.make("one", { spec: { name: "abc" } })),
    await patch(`${one}/status`, MERGE_PATCH, { status: { phase: "Done" } }),
    await patch(one, MERGE_PATCH, { metadata: { labels: { a: "b" } } }),
    await patch(one, MERGE_PATCH, { spec: { count: 2 } }),
  ].map(({ metadata }) => metadata.generation);
  assert.deepEqual(generations, [1, 1, 1, 2]);
});

test("an update needs the resourceVersion it was made for", async (t) => {
  const widgets = await widgetsOf(t);
  const made = await create(widgets.path, widgets.make("one", { spec: { name: "abc" } }));
  await refused(
    "PUT",
    `${widgets.path}/one`,
    { body: widgets.make("one", { spec: { name: "abc" } }) },
    {
      code: 422,
      reason: "Invalid",
      causes: ["metadata.resourceVersion FieldValueInvalid Invalid value: 0x0: must be specified for an update"],
    },
  );
  const spec = { name: "xyz" };
  assert.equal((await ok("PUT", `${widgets.path}/one`, { body: { ...made, spec } })).spec.name, "xyz");
});

test("big integers keep to 53 bits, and numbers their kind", async (t) => {
  const widgets = await makeWidgets(t, {
    schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  });
  const made = await create(widgets.path, widgets.make("one", { spec: { a: 9007199254740991, b: 1.5, c: -0.25 } }));
  assert.deepEqual(made.spec, { a: 9007199254740991, b: 1.5, c: -0.25 });
});

test("keys of every kind come back as they went in", async (t) => {
  const widgets = await makeWidgets(t, {
    schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  });
  const body = `{"apiVersion":"${widgets.group}/v1","kind":"Widget","metadata":{"name":"one"},
    "spec":{"__proto__":{"a":1},"constructor":"c","a/b~c":"d","":"empty","é\\u2028":"x"}}`;
  const made = await ok("POST", widgets.path, { body });
  assert.deepEqual(Object.keys(made.spec).sort(), ["", "__proto__", "a/b~c", "constructor", "é\u2028"].sort());
});
