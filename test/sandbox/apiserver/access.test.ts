import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { startServer } from "./support.ts";

test("a request without a token, or with an unknown one, is 401 Unauthorized", async (t) => {
  const server = await startServer(t);
  for (const token of [null, "wrong"]) {
    const { code, body } = await server.get("/api/v1/configmaps", { token });
    assert.equal(code, 401);
    assert.deepEqual([body.kind, body.reason, body.message], ["Status", "Unauthorized", "Unauthorized"]);
  }
});

test("a given token is the administrator's", async (t) => {
  const server = await startServer(t, { token: "given" });
  assert.equal(server.api.token, "given");
  assert.equal((await server.get("/readyz")).text, "ok");
});

test("health, liveness, readiness and version answer", async (t) => {
  const server = await startServer(t);
  for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal((await server.get(path)).text, "ok");
  assert.match((await server.get("/version")).body.gitVersion, /^v1\.\d+\.\d+-courier$/);
});

test("the kubeconfig is for its owner alone and leads to the server", async (t) => {
  const server = await startServer(t);
  const folder = await mkdtemp(join(tmpdir(), "courier-kubeconfig-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "made", "kubeconfig");
  await server.api.writeKubeconfig(path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(folder, "made"))).mode & 0o777, 0o700);
  const config = parse(await readFile(path, "utf8"));
  assert.equal(config.clusters[0].cluster.server, server.api.url);
  assert.equal(config.users[0].user.token, server.api.token);
  assert.equal(
    Buffer.from(config.clusters[0].cluster["certificate-authority-data"], "base64").toString(),
    server.api.caPem,
  );
  assert.equal(parse(server.api.kubeconfig("https://sandbox:6443")).clusters[0].cluster.server, "https://sandbox:6443");
});

test("a ServiceAccount's token is taken and TokenReview names the account", async (t) => {
  const server = await startServer(t);
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  await server.post(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "courier-api" } });
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
  const { body } = await server.post(`${accounts}/courier-api/token`, request);
  const { token } = body.status;
  assert.equal((await server.get("/api/v1/namespaces", { token })).code, 200);
  const reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
  const review = await server.post(reviews, { spec: { token } });
  assert.equal(review.body.status.user.username, "system:serviceaccount:default:courier-api");
  assert.equal((await server.post(reviews, { spec: { token: "x" } })).body.status.authenticated, false);
});

test("access reviews allow", async (t) => {
  const server = await startServer(t);
  const review = { spec: { resourceAttributes: { verb: "delete", resource: "pods" } } };
  const { code, body } = await server.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
  assert.equal(code, 201);
  assert.equal(body.status.allowed, true);
});

test("requests are counted by method, watches apart", async (t) => {
  const server = await startServer(t);
  await server.get("/api/v1/namespaces");
  for await (const _ of server.watch("/api/v1/namespaces?watch=true&timeoutSeconds=1&resourceVersion=1000")) break;
  assert.deepEqual(server.api.requests(), { GET: 1, WATCH: 1 });
});
