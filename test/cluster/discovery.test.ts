import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, call, get, refused } from "./client.ts";
import { makeWidgets, serverVersion, until } from "./fixtures.ts";

const named = (list: { name: string }[], name: string): Body => list.find((entry) => entry.name === name);

test("the server says its version and that it is healthy", async () => {
  const version = await get("/version");
  assert.match(version.gitVersion, /^v\d+\.\d+/);
  assert.match(version.major, /^\d+$/);
  for (const path of ["/healthz", "/readyz", "/livez"]) {
    assert.deepEqual([path, (await call("GET", path)).body], [path, "ok"]);
  }
});

test("the core group lists its resources with kinds, verbs and short names", async () => {
  assert.deepEqual((await get("/api")).versions, ["v1"]);
  const { kind, groupVersion, resources } = await get("/api/v1");
  assert.deepEqual([kind, groupVersion], ["APIResourceList", "v1"]);
  const configMaps = named(resources, "configmaps");
  assert.deepEqual(
    [configMaps.kind, configMaps.namespaced, configMaps.shortNames, [...configMaps.verbs].sort()],
    ["ConfigMap", true, ["cm"], ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]],
  );
  assert.equal(named(resources, "namespaces").namespaced, false);
  assert.equal(named(resources, "secrets").kind, "Secret");
  assert.equal(named(resources, "serviceaccounts/token").kind, "TokenRequest");
});

test("the groups that courier and kubectl need are there", async () => {
  const { kind, groups } = await get("/apis");
  assert.equal(kind, "APIGroupList");
  const wanted = ["apiextensions.k8s.io", "coordination.k8s.io", "events.k8s.io", "rbac.authorization.k8s.io"];
  for (const name of wanted) {
    assert.equal(named(groups, name)?.preferredVersion.groupVersion, `${name}/v1`, name);
  }
  const { resources } = await get("/apis/coordination.k8s.io/v1");
  assert.equal(named(resources, "leases").kind, "Lease");
});

test("a new kind is found by discovery with its short names, categories and subresources", async (t) => {
  const { group } = await makeWidgets(t, {
    names: { shortNames: ["wd"], categories: ["gadgets"] },
    version: { subresources: { status: {} } },
    moreVersions: [{ name: "v1beta1", served: true, storage: false, schema: { openAPIV3Schema: { type: "object" } } }],
  });
  const found = await get(`/apis/${group}`);
  assert.equal(found.kind, "APIGroup");
  assert.deepEqual(
    found.versions.map(({ version }: Body) => version),
    ["v1", "v1beta1"],
  );
  assert.deepEqual(found.preferredVersion, { groupVersion: `${group}/v1`, version: "v1" });
  assert.ok(named((await get("/apis")).groups, group));
  const { resources } = await get(`/apis/${group}/v1`);
  const widgets = named(resources, "widgets");
  assert.deepEqual(
    [widgets.kind, widgets.singularName, widgets.namespaced, widgets.shortNames, widgets.categories],
    ["Widget", "widget", true, ["wd"], ["gadgets"]],
  );
  assert.deepEqual([...named(resources, "widgets/status").verbs].sort(), ["get", "patch", "update"]);
});

test("OpenAPI v2 describes the built-in kinds", async () => {
  const { swagger, definitions } = await get("/openapi/v2");
  assert.equal(swagger, "2.0");
  const configMap = definitions["io.k8s.api.core.v1.ConfigMap"];
  assert.equal(configMap.properties.data.additionalProperties.type, "string");
  assert.deepEqual(configMap["x-kubernetes-group-version-kind"], [{ group: "", kind: "ConfigMap", version: "v1" }]);
});

test("OpenAPI v3 describes each group on its own path", async (t) => {
  const [, minor] = await serverVersion();
  if (minor < 27) return t.skip(`a 1.${minor} server has no OpenAPI v3`);
  const { group } = await makeWidgets(t, {
    schema: { type: "object", properties: { spec: { type: "object", description: "What it is" } } },
  });
  await until(
    "the new group is described",
    async () => (await get("/openapi/v3")).paths[`apis/${group}/v1`] !== undefined,
  );
  const { paths } = await get("/openapi/v3");
  const { components } = await get(paths[`apis/${group}/v1`].serverRelativeURL);
  const schemas: Body[] = Object.values(components.schemas);
  const widget = schemas.find((schema) => schema["x-kubernetes-group-version-kind"]?.[0]?.kind === "Widget");
  assert.equal(widget.properties.spec.description, "What it is");
  assert.ok(paths["api/v1"].serverRelativeURL.startsWith("/openapi/v3/api/v1"));
});

test("paths that nothing serves are not found", async () => {
  await refused(
    "GET",
    "/api/v1/namespaces/default/frobs/x",
    {},
    {
      code: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
    },
  );
  assert.equal((await call("GET", "/apis/nobody.example.com/v1/foos")).code, 404);
  assert.equal((await call("GET", "/nothing")).code, 404);
});
