import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, call, create, get, MERGE_PATCH, patch, refused, remove } from "./client.ts";
import { DEFINITIONS, type DefinitionOptions, definition, established, makeWidgets, until } from "./fixtures.ts";

const ROOT = "spec.validation.openAPIV3Schema";
const text = { type: "string" };

test("a definition is accepted, established and completed with what it left out", async (t) => {
  const { group, manifest } = definition({ names: { shortNames: ["wd"] } });
  await create(DEFINITIONS, manifest);
  const path = `${DEFINITIONS}/${manifest.metadata.name}`;
  t.after(() => call("DELETE", path));
  const { spec, status, metadata } = await established(path);
  assert.equal(metadata.generation, 1);
  assert.deepEqual(spec.names, {
    plural: "widgets",
    singular: "widget",
    shortNames: ["wd"],
    kind: "Widget",
    listKind: "WidgetList",
  });
  assert.deepEqual(spec.conversion, { strategy: "None" });
  assert.deepEqual(status.storedVersions, ["v1"]);
  assert.deepEqual(status.acceptedNames, spec.names);
  assert.deepEqual(
    status.conditions.map(({ type, status, reason }: Body) => [type, status, reason]),
    [
      ["NamesAccepted", "True", "NoConflicts"],
      ["Established", "True", "InitialNamesAccepted"],
    ],
  );
  assert.equal(spec.group, group);
});

const fieldCases: [title: string, schema: object, ...causes: string[]][] = [
  [
    "without a type",
    { description: "x" },
    ".type FieldValueRequired Required value: must not be empty for specified object fields",
  ],
  ["of a list without items", { type: "array" }, ".items FieldValueRequired Required value: must be specified"],
  [
    "of a type that is none",
    { type: "strang" },
    '.type FieldValueNotSupported Unsupported value: "strang": supported values: "array", "boolean", "integer", "number", "object", "string"',
  ],
  [
    "with properties and additionalProperties",
    { type: "object", properties: { a: text }, additionalProperties: text },
    ".additionalProperties FieldValueForbidden Forbidden: additionalProperties and properties are mutual exclusive",
  ],
  ["with a $ref", { $ref: "#/x" }, ".$ref FieldValueForbidden Forbidden: $ref is not supported"],
  [
    "with uniqueItems",
    { type: "array", items: text, uniqueItems: true },
    ".uniqueItems FieldValueForbidden Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
  ],
  [
    "whose default has unknown fields",
    { type: "object", default: { a: 1 } },
    '.default FieldValueInvalid Invalid value: map[string]interface {}{"a":1}: must not have unknown fields',
  ],
  [
    "of a map list without keys",
    { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" },
    ".x-kubernetes-list-map-keys FieldValueRequired Required value: must not be empty if x-kubernetes-list-type is map",
  ],
  [
    "with a type inside anyOf",
    { type: "object", anyOf: [{ type: "object" }] },
    ".anyOf[0].type FieldValueForbidden Forbidden: must be empty to be structural",
  ],
];

test("definitions whose schema is not structural", async (t) => {
  for (const [title, schema, ...causes] of fieldCases) {
    await t.test(`a field ${title} is refused`, async () => {
      const { manifest } = definition({ schema: { type: "object", properties: { spec: schema } } });
      await refused(
        "POST",
        DEFINITIONS,
        { body: manifest },
        {
          code: 422,
          reason: "Invalid",
          causes: causes.map((cause) => `${ROOT}.properties[spec]${cause}`),
        },
      );
    });
  }
  await t.test("a pattern that is no regular expression is refused", async () => {
    const schema = { type: "object", properties: { spec: { type: "string", pattern: "(" } } };
    const { manifest } = definition({ schema });
    await refused(
      "POST",
      DEFINITIONS,
      { body: manifest },
      {
        code: 422,
        message:
          /properties\[spec\]\.pattern: Invalid value: "\(": must be a valid regular expression, but isn't: error parsing regexp: missing closing \): `\(`/,
      },
    );
  });
});

const manifestCases: [title: string, options: DefinitionOptions, change: (manifest: Body) => void, cause: string][] = [
  [
    "without a schema",
    { version: { schema: undefined } },
    () => {},
    "spec.versions[0].schema.openAPIV3Schema FieldValueRequired Required value: schemas are required",
  ],
  [
    "whose root is no object",
    { schema: text },
    () => {},
    `${ROOT}.type FieldValueInvalid Invalid value: "string": must be object at the root`,
  ],
  [
    "with a name of its own",
    {},
    (manifest) => {
      manifest.metadata.name = "x.y";
    },
    'metadata.name FieldValueInvalid Invalid value: "x.y": must be spec.names.plural+"."+spec.group',
  ],
  [
    "with another scope",
    {},
    (manifest) => {
      manifest.spec.scope = "Global";
    },
    'spec.scope FieldValueNotSupported Unsupported value: "Global": supported values: "Cluster", "Namespaced"',
  ],
];

test("definitions that say something impossible", async (t) => {
  for (const [title, options, change, cause] of manifestCases) {
    await t.test(`a definition ${title} is refused`, async () => {
      const { manifest } = definition(options);
      change(manifest);
      await refused("POST", DEFINITIONS, { body: manifest }, { code: 422, reason: "Invalid", causes: [cause] });
    });
  }
  await t.test("a definition without a storage version is refused", async () => {
    const { manifest } = definition({ version: { storage: false } });
    await refused(
      "POST",
      DEFINITIONS,
      { body: manifest },
      {
        code: 422,
        message: /must have exactly one version marked as storage version/,
      },
    );
  });
});

test("a changed schema holds for the writes that follow", async (t) => {
  const widgets = await makeWidgets(t, {
    schema: { type: "object", properties: { spec: { type: "object", properties: { n: { type: "integer" } } } } },
  });
  await create(widgets.path, widgets.make("one", { spec: { n: 1 } }));
  const found = await get(widgets.definition);
  found.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties = { n: { type: "integer", maximum: 1 } };
  const changed = await patch(widgets.definition, MERGE_PATCH, { spec: { versions: found.spec.versions } });
  assert.equal(changed.metadata.generation, 2);
  await until("the new schema holds", async () => {
    const body = widgets.make("two", { spec: { n: 2 } });
    return (await call("POST", `${widgets.path}?dryRun=All`, { body })).code === 422;
  });
  assert.deepEqual((await get(`${widgets.path}/one`)).spec, { n: 1 });
});

test("objects are served in every version that serves them", async (t) => {
  const open = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const widgets = await makeWidgets(t, {
    version: { schema: open },
    moreVersions: [
      { name: "v1beta1", served: true, storage: false, schema: open },
      { name: "v1alpha1", served: false, storage: false, schema: open },
    ],
  });
  await create(widgets.path, widgets.make("one", { spec: { a: 1 } }));
  const beta = await get(`${widgets.path.replace("/v1/", "/v1beta1/")}/one`);
  assert.deepEqual([beta.apiVersion, beta.spec], [`${widgets.group}/v1beta1`, { a: 1 }]);
  assert.equal((await call("GET", `${widgets.path.replace("/v1/", "/v1alpha1/")}/one`)).code, 404);
});

test("a deprecated version is served with a warning", async (t) => {
  const old = { served: true, storage: false, deprecated: true, schema: { openAPIV3Schema: { type: "object" } } };
  const widgets = await makeWidgets(t, {
    moreVersions: [{ ...old, name: "v1beta1", deprecationWarning: "widgets of old are going" }],
  });
  const { headers } = await call("GET", widgets.path.replace("/v1/", "/v1beta1/"));
  assert.equal(headers["warning"], '299 - "widgets of old are going"');
  assert.equal((await call("GET", widgets.path)).headers["warning"], undefined);
});

test("two definitions cannot share a kind within a group", async (t) => {
  const widgets = await makeWidgets(t);
  const name = `gadgets.${widgets.group}`;
  const body = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name },
    spec: { ...(await get(widgets.definition)).spec, names: { plural: "gadgets", kind: "Widget" } },
  };
  await create(DEFINITIONS, body);
  t.after(() => call("DELETE", `${DEFINITIONS}/${name}`));
  await until("the names are refused", async () => {
    const conditions: Body[] = (await get(`${DEFINITIONS}/${name}`)).status?.conditions ?? [];
    return conditions.some(
      (one) => one.type === "NamesAccepted" && one.status === "False" && /KindConflict$/.test(one.reason),
    );
  });
  assert.equal((await call("GET", `/apis/${widgets.group}/v1/gadgets`)).code, 404);
});

test("cluster-scoped kinds have no namespace", async (t) => {
  const { group, manifest } = definition({ scope: "Cluster" });
  await create(DEFINITIONS, manifest);
  t.after(() => call("DELETE", `${DEFINITIONS}/${manifest.metadata.name}`));
  await established(`${DEFINITIONS}/${manifest.metadata.name}`);
  const path = `/apis/${group}/v1/widgets`;
  const body = { apiVersion: `${group}/v1`, kind: "Widget", metadata: { name: "one" } };
  await until("widgets are served", async () => (await call("POST", path, { body })).code !== 404);
  assert.equal((await get(`${path}/one`)).metadata.namespace, undefined);
  assert.equal((await call("GET", `/apis/${group}/v1/namespaces/default/widgets/one`)).code, 404);
});

test("a deleted definition takes its objects and its path with it", async (t) => {
  const widgets = await makeWidgets(t);
  await create(widgets.path, widgets.make("one"));
  await remove(widgets.definition);
  await until("widgets are gone", async () => (await call("GET", widgets.path)).code === 404);
  await until("the group is gone", async () => (await call("GET", `/apis/${widgets.group}`)).code === 404);
});
