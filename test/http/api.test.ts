/** The API of a courier-api that runs, as curl and a browser meet it. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import request from "supertest";
import { apiFor } from "../../src/app/api-access.ts";
import { defaultConfig } from "../../src/config/config.ts";
import { createHttpApp } from "../../src/http/app.ts";
import type { AccessReviewer } from "../../src/http/ports.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { Readiness } from "../../src/observe/readiness.ts";
import { openCluster } from "../deploy/cluster.ts";
import { messageOf, type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const BELOW = "/api/v1/messages/cpaas-system";
const TWO = {
  body: { labels: { name: "two" } },
  notifications: [subscriptionOf("ann@example.com", "bob@example.com")],
};
const noBob = (address: string) => (address.startsWith("bob") ? "550 No such user here" : undefined);

function serviceAccount(name: string) {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: "cpaas-system" } };
}

function serverOf({ service: { address } }: Platform) {
  return request(`http://127.0.0.1:${address.port}`);
}

test("what became of a message can be asked, and a Failed one be sent again to those it failed for", async (t) => {
  const platform = await startPlatform(t, { smtp: { recipient: noBob } });
  await platform.apply(templateOf("Hello"), { ...messageOf("older", TWO), apiVersion: "aiops.alauda.io/v1beta1" });
  const name = await platform.send(TWO);
  await platform.inPhase(name, "Failed");
  const server = serverOf(platform);
  const { body: seen } = await server
    .get(`${BELOW}/${name}`)
    .expect(200)
    .expect("Content-Type", /^application\/json/);
  assert.equal(seen.status.phase, "Failed");
  assert.deepEqual(
    seen.status.conditions.map(({ addresses, reason }: { addresses: string[]; reason: string }) => [addresses, reason]),
    [
      [["ann@example.com"], "Delivered"],
      [["bob@example.com"], "RecipientRejected"],
    ],
  );
  await platform.smtp.received(2); // one is the older group's
  platform.smtp.script = {};
  const { body: asked } = await server.post(`${BELOW}/${name}/retry`).expect(202);
  assert.deepEqual(asked.recipients, [
    { notification: "ops", method: "Email", addresses: ["bob@example.com"], reason: "RecipientRejected" },
  ]);
  await platform.gone(name);
  assert.deepEqual((await platform.smtp.received(3))[2]?.to, ["bob@example.com"]);
  await server.post(`${BELOW}/older/retry?group=aiops.alauda.io`).expect(202);
  assert.deepEqual((await platform.smtp.received(4))[3]?.to, ["bob@example.com"]);
  const { body: gone } = await server.get(`${BELOW}/${name}`).expect(404);
  assert.match(gone.message, /it was never created, or it was delivered/);
});

test("a message that is not Failed, or would be refused again, is a conflict that says what to do", async (t) => {
  const platform = await startPlatform(t);
  const waiting = await platform.send(TWO);
  await platform.inPhase(waiting, "Processing");
  const server = serverOf(platform);
  const { body: early } = await server.post(`${BELOW}/${waiting}/retry`).expect(409);
  assert.match(
    early.message,
    /is Processing and is tried again by itself: NotificationTemplate "change" does not exist/,
  );
  const refused = await platform.send({ notifications: [subscriptionOf("Ann <ann@example.com>")] });
  await platform.inPhase(refused, "Failed");
  const { body: same } = await server.post(`${BELOW}/${refused}/retry`).expect(409);
  assert.match(
    same.message,
    /would be refused again, edit its spec instead: RecipientRejected: spec\.notifications\[0\]/,
  );
  const { message } = (await server.post(`${BELOW}/nothing/retry`).expect(404)).body;
  assert.match(message, /there is no NotificationMessage\.aitextensions\.alauda\.io "cpaas-system\/nothing"/);
});

describe("what is no proper request is refused with a Status, and changes nothing", () => {
  type Ask = (server: ReturnType<typeof request>) => request.Test;
  const retry: Ask = (server) => server.post(`${BELOW}/failed/retry`);
  const cases: [what: string, ask: Ask, code: number, told: RegExp][] = [
    ["a name of another site (DNS rebinding)", (s) => retry(s).set("Host", "evil.example"), 403, /without --api-auth/],
    ["no host that can be read", (s) => retry(s).set("Host", "["), 403, /without --api-auth/],
    ["a page of another site", (s) => retry(s).set("Origin", "https://evil.example"), 403, /other sites/],
    ["a page of no site", (s) => retry(s).set("Origin", "null"), 403, /other sites/],
    ["a page on another port", (s) => retry(s).set("Origin", "http://127.0.0.1:1"), 403, /other sites/],
    ["a link on another site", (s) => s.get(`${BELOW}/failed`).set("Sec-Fetch-Site", "cross-site"), 403, /other sites/],
    ["a form", (s) => retry(s).type("form").send({ a: "b" }), 415, /send no body/],
    ["JSON in disguise", (s) => retry(s).type("text/plain").send("{}"), 415, /send no body/],
    ["a body that asks for something", (s) => retry(s).send({ all: true }), 400, /send no body, or \{\}/],
    ["broken JSON", (s) => retry(s).type("json").send("{"), 400, /cannot be read/],
    ["a large body", (s) => retry(s).send({ a: "x".repeat(5000) }), 413, /larger than 1024 bytes/],
    ["a name with a slash", (s) => s.get("/api/v1/messages/cpaas-system/a%2fb"), 400, /the name in the path/],
    ["a path upwards", (s) => s.get("/api/v1/messages/%2e%2e/failed"), 400, /the namespace in the path/],
    ["a path that cannot be decoded", (s) => s.get(`${BELOW}/%ff`), 400, /cannot be/],
    ["another group", (s) => s.get(`${BELOW}/failed?group=apps`), 400, /group must be one of/],
    ["two groups", (s) => s.get(`${BELOW}/failed?group=a&group=b`), 400, /group must be one of/],
    ["another method", (s) => s.delete(`${BELOW}/failed`), 405, /GET is/],
    ["a retry by link", (s) => s.get(`${BELOW}/failed/retry`), 405, /POST is/],
    ["a list", (s) => s.get("/api/v1/messages/"), 404, /nothing here/],
  ];
  let written = 0;
  let app: ReturnType<typeof createHttpApp>;
  before(() => {
    const status = { phase: "Failed", conditions: [] };
    app = appWith({
      messages: {
        get: async ({ name }) => ({ ...messageOf(name, TWO), status }),
        annotate: async () => {
          written += 1;
          return "written";
        },
      },
      guard: { kind: "loopback" },
    });
  });
  for (const [what, ask, code, told] of cases) {
    test(what, async () => {
      const { body, headers } = await ask(request(app)).expect(code);
      assert.deepEqual([body.kind, body.status, body.code], ["Status", "Failure", code]);
      assert.match(body.message, told);
      assert.equal(headers["content-security-policy"]?.startsWith("default-src 'none'"), true);
      assert.equal(written, 0);
    });
  }
});

function appWith(api: Omit<Parameters<typeof createHttpApp>[0]["api"] & object, "logger">) {
  const logger = createLogger({ format: "json", level: "info", destination: { write: () => {} } });
  const { registry } = createMetrics({ version: "1", reasons: [], load: () => undefined });
  return createHttpApp({ readiness: new Readiness(), metrics: registry, api: { ...api, logger } });
}

test("every answer forbids to run, frame, keep or guess at it", async () => {
  const app = appWith({
    messages: { get: async () => undefined, annotate: async () => "gone" },
    guard: { kind: "loopback" },
  });
  for (const path of ["/healthz", "/readyz", "/metrics", "/", `${BELOW}/x`, "/etc/passwd"]) {
    const { headers } = await request(app).get(path);
    assert.equal(headers["x-content-type-options"], "nosniff", path);
    assert.equal(headers["x-frame-options"], "DENY");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cross-origin-resource-policy"], "same-origin");
    assert.match(headers["content-security-policy"] ?? "", /^default-src 'none';.*frame-ancestors 'none'/);
    assert.equal(headers["x-powered-by"], undefined);
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
});

test("on an address that others reach, and without a token check, the API is refused and health goes on", async () => {
  const client = {} as KubeClient; // never asked
  const logger = createLogger({ format: "json", level: "info", destination: { write: () => {} } });
  const guardOn = (host: string, apiAuth: boolean) =>
    apiFor(defaultConfig("serve", { httpListen: { host, port: 8080 }, apiAuth }), client, logger).guard;
  assert.deepEqual(
    ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "10.0.0.7"].map((host) => guardOn(host, false).kind),
    ["loopback", "loopback", "loopback", "refused", "refused", "refused"],
  );
  assert.equal(guardOn("0.0.0.0", true).kind, "tokens");
  assert.equal(guardOn("127.0.0.1", true).kind, "tokens");
  const messages = { get: () => assert.fail(), annotate: () => assert.fail() };
  const app = appWith({ messages, guard: guardOn("0.0.0.0", false) });
  await request(app).get("/healthz").expect(200);
  await request(app).get("/metrics").expect(200);
  const { body } = await request(app).get(`${BELOW}/failed`).set("Authorization", "Bearer x").expect(403);
  assert.match(body.message, /listens on 0\.0\.0\.0:8080, .* checks no tokens: set --api-auth/);
});

test("with the token check, a token that the API server takes opens the API from any host, and no other does", async (t) => {
  const platform = await startPlatform(t, { serve: { apiAuth: true } });
  const name = await platform.send(TWO);
  await platform.inPhase(name, "Processing");
  const server = serverOf(platform);
  const cluster = await openCluster(platform.kubeconfig);
  t.after(() => cluster.close());
  await platform.apply(serviceAccount("reader"));
  const token = await cluster.tokenOf("reader");
  const ask = () => server.get(`${BELOW}/${name}`);
  const { headers } = await ask().expect(401);
  assert.equal(headers["www-authenticate"], "Bearer");
  await ask().set("Authorization", "Bearer made-up").expect(401);
  await ask().set("Authorization", `Basic ${token}`).expect(401);
  await ask().set("Authorization", `Bearer ${token}`).set("Host", "courier.example:8080").expect(200);
  await ask().set("Authorization", `Bearer ${token}`).set("Origin", "https://evil.example").expect(403);
  await server.post(`${BELOW}/${name}/retry`).set("Authorization", `Bearer ${token}`).expect(409);
  assert.ok(!platform.logs.join("").includes(token));
});

test("who may not do it is refused with the authorizers' words before the message is looked at", async () => {
  const asked: unknown[] = [];
  const reviewer: AccessReviewer = {
    authenticate: async () => ({ username: "eve", groups: ["visitors"] }),
    async authorize(user, action) {
      asked.push([user.username, action]);
      return { allowed: false, reason: "no rule matched" };
    },
  };
  const messages = { get: () => assert.fail(), annotate: () => assert.fail() };
  const app = appWith({ messages, guard: { kind: "tokens", reviewer } });
  const { body } = await request(app).post(`${BELOW}/failed/retry`).set("Authorization", "Bearer x").expect(403);
  assert.match(
    body.message,
    /^eve may not patch notificationmessages\..* in the namespace "cpaas-system" \(no rule matched\)/,
  );
  const about = { group: "aitextensions.alauda.io", resource: "notificationmessages", namespace: "cpaas-system" };
  assert.deepEqual(asked, [["eve", { ...about, verb: "patch", name: "failed" }]]);
});

test("an API server that is away is told as such, and its address to nobody", async () => {
  const away = async () => {
    throw Object.assign(new Error("Cannot get x at https://10.0.0.1:6443: refused"), { code: 0 });
  };
  const app = appWith({ messages: { get: away, annotate: away }, guard: { kind: "loopback" } });
  const { body, headers } = await request(app).get(`${BELOW}/failed`).expect(503);
  assert.match(body.message, /^the API server does not answer now/);
  assert.equal(headers["retry-after"], "1");
});
