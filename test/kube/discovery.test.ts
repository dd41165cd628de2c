import assert from "node:assert/strict";
import { test } from "node:test";
import { discoverTypes } from "../../src/kube/discovery.ts";
import { clientOf, json, startServer, status } from "./scripted-server.ts";

const PATHS: Record<string, object> = {
  "/api": { versions: ["v1"] },
  "/apis": {
    groups: [
      { name: "apps.io", versions: [{ version: "v2" }, { version: "v1" }], preferredVersion: { version: "v2" } },
      { name: "down.io", versions: [{ version: "v1" }], preferredVersion: { version: "v1" } },
    ],
  },
  "/api/v1": {
    resources: [
      { name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["get", "list"], shortNames: ["cm"] },
      { name: "namespaces", kind: "Namespace", namespaced: false, verbs: ["get"] },
      { name: "namespaces/status", kind: "Namespace", namespaced: false, verbs: ["patch"] },
    ],
  },
  "/apis/apps.io/v2": { resources: [{ name: "apps", kind: "App", namespaced: true, verbs: ["watch"] }] },
  "/apis/apps.io/v1": { resources: [{ name: "apps", kind: "App", namespaced: true, verbs: ["watch"] }] },
};

test("every kind of every version, of which a group that is down is told apart", async (t) => {
  const server = await startServer(t, ({ path, response }) => {
    const found = PATHS[path];
    if (found === undefined) json(response, status(503, "ServiceUnavailable", "no endpoints"), 503);
    else json(response, found);
  });
  const client = await clientOf(t, server);
  const { types, failures } = await discoverTypes(client);
  const app = {
    group: "apps.io",
    kind: "App",
    plural: "apps",
    namespaced: true,
    verbs: ["watch"],
    shortNames: [],
    hasStatus: false,
  };
  const core = { group: "", version: "v1", preferred: true };
  assert.deepEqual(types, [
    {
      ...core,
      kind: "ConfigMap",
      plural: "configmaps",
      namespaced: true,
      verbs: ["get", "list"],
      shortNames: ["cm"],
      hasStatus: false,
    },
    {
      ...core,
      kind: "Namespace",
      plural: "namespaces",
      namespaced: false,
      verbs: ["get"],
      shortNames: [],
      hasStatus: true,
    },
    { ...app, version: "v2", preferred: true },
    { ...app, version: "v1", preferred: false },
  ]);
  assert.deepEqual(
    failures.map(({ groupVersion, error }) => [groupVersion, error.code]),
    [["/apis/down.io/v1", 503]],
  );
  assert.deepEqual(await client.discover(), types);
});

test("a server that does not list its groups is an error", async (t) => {
  const server = await startServer(t, ({ response }) => json(response, status(401, "Unauthorized", "who?"), 401));
  const client = await clientOf(t, server);
  await assert.rejects(client.discover(), { code: 401, message: /check that the token or certificate/ });
});
