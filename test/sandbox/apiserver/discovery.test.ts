import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFINITIONS, startServer, widgetDefinition } from "./support.ts";

type Entry = { name: string };

test("groups, versions and resources are listed", async (t) => {
  const server = await startServer(t);
  assert.deepEqual((await server.get("/api")).body.versions, ["v1"]);
  const groups = (await server.get("/apis")).body.groups.map(({ name }: Entry) => name);
  for (const group of ["apps", "apiextensions.k8s.io", "authorization.k8s.io", "policy"])
    assert.ok(groups.includes(group));
  const core = (await server.get("/api/v1")).body.resources.map(({ name }: Entry) => name);
  for (const name of ["configmaps", "pods/log", "serviceaccounts/token", "namespaces/status"])
    assert.ok(core.includes(name));
  assert.equal((await server.get("/apis/none.example.com")).code, 404);
});

test("newer clients get everything in one answer", async (t) => {
  const server = await startServer(t);
  await server.post(DEFINITIONS, widgetDefinition());
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
  const { body, headers } = await server.get("/apis", { accept });
  assert.equal(body.kind, "APIGroupDiscoveryList");
  assert.match(String(headers["content-type"]), /as=APIGroupDiscoveryList/);
  const widgets = body.items.find((item: { metadata: Entry }) => item.metadata.name === "example.com");
  assert.equal(widgets.versions[0].resources[0].resource, "widgets");
  assert.equal(widgets.versions[0].resources[0].subresources[0].subresource, "status");
});

test("OpenAPI v3 describes built-in and custom kinds, and its hash changes with them", async (t) => {
  const server = await startServer(t);
  assert.equal((await server.get("/openapi/v3")).body.paths["apis/example.com/v1"], undefined);
  await server.post(DEFINITIONS, widgetDefinition());
  const before = (await server.get("/openapi/v3")).body.paths["apis/example.com/v1"].serverRelativeURL;
  const { body } = await server.get(before);
  assert.equal(body.components.schemas["com.example.v1.Widget"].properties.spec.properties.size.type, "integer");
  const patch = body.paths["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"].patch;
  assert.ok(patch.parameters.some(({ name }: Entry) => name === "fieldValidation"));
  await server.patch(`${DEFINITIONS}/widgets.example.com`, { spec: { versions: [] } }).catch(() => undefined);
  const core = (await server.get("/openapi/v3/api/v1")).body;
  assert.ok(core.components.schemas["io.k8s.api.core.v1.ConfigMap"]);
  assert.equal((await server.get("/openapi/v3/apis/none/v1")).code, 404);
});

test("OpenAPI v2 comes as JSON and as the protobuf that kubectl downloads", async (t) => {
  const server = await startServer(t);
  const { body } = await server.get("/openapi/v2");
  assert.ok(body.definitions["io.k8s.api.core.v1.Secret"]);
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const { headers, text } = await server.get("/openapi/v2", { accept });
  assert.equal(headers["content-type"], "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  assert.ok(text.includes("io.k8s.api.core.v1.Secret"));
});

test("paths that name nothing are 404, methods that are not for them 405", async (t) => {
  const server = await startServer(t);
  for (const path of [
    "/nope",
    "/api/v1/nosuch",
    "/apis/none/v1/x",
    "/api/v1/namespaces/default/configmaps/a/b/c",
    "/api/v1/%zz",
  ]) {
    assert.ok([400, 404].includes((await server.get(path)).code), path);
  }
  for (const [method, path] of [
    ["PUT", "/api/v1/configmaps"],
    ["DELETE", "/api/v1/configmaps"],
    ["POST", "/api/v1/configmaps"],
  ] as const) {
    assert.equal((await server.send(method, path, {})).code, 405);
  }
});
