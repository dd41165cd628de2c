import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListPage } from "../../src/kube/client.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import { RestClient } from "../../src/kube/rest-client.ts";
import { Session } from "../../src/kube/session.ts";
import { Transport } from "../../src/kube/transport.ts";
import { CONFIG_MAP, NAMESPACE, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { clientOf, type Exchange, json, startServer, status } from "./scripted-server.ts";

const KEY = { namespace: "ns", name: "one" };
const OBJECT: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "ns", name: "one" } };

test("a thousand requests, 64 at a time, go over at most 32 connections", async (t) => {
  const server = await startServer(t, ({ response }) => json(response, OBJECT));
  const client = await clientOf(t, server);
  let left = 1000;
  const worker = async () => {
    while (left-- > 0) await client.get(CONFIG_MAP, KEY);
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  assert.ok(server.connections() <= 32, `${server.connections()} connections`);
});

test("forty requests one after the other, half of them refused, need no third connection", async (t) => {
  const server = await startServer(t, ({ path, response }) =>
    path.endsWith("/bad") ? json(response, status(409, "Conflict", "no"), 409) : json(response, OBJECT),
  );
  const client = await clientOf(t, server);
  for (let round = 0; round < 20; round += 1) {
    await client.get(CONFIG_MAP, KEY);
    await assert.rejects(client.mergePatch(CONFIG_MAP, { ...KEY, name: "bad" }, {}));
  }
  assert.ok(server.connections() <= 2, `${server.connections()} connections`); // the first may still be tidying up
});

test("a hundred deletes with preconditions go over the connection that is there", async (t) => {
  const server = await startServer(t, ({ response }) => json(response, status(200, "", "deleted")));
  const client = await clientOf(t, server);
  for (let count = 0; count < 100; count += 1) await client.delete(CONFIG_MAP, KEY, { uid: "u" });
  assert.ok(server.connections() <= 2, `${server.connections()} connections`);
});

test("each verb asks what the API documents", async (t) => {
  const seen: Pick<Exchange, "method" | "path" | "body">[] = [];
  const types: (string | undefined)[] = [];
  const server = await startServer(t, ({ method, path, query, headers, body, response }) => {
    seen.push({ method, path: query.size > 0 ? `${path}?${query}` : path, body });
    types.push(headers["content-type"]);
    assert.equal(headers.authorization, "Bearer t0ken");
    json(response, OBJECT);
  });
  const client = await clientOf(t, server);
  await client.get(NAMESPACE, { namespace: "", name: "ns" });
  await client.create(CONFIG_MAP, OBJECT);
  await client.replace(CONFIG_MAP, OBJECT);
  await client.mergePatch(
    NOTIFICATION_MESSAGE,
    KEY,
    { status: {} },
    { subresource: "status", fieldManager: "courier" },
  );
  await client.apply(CONFIG_MAP, OBJECT, { fieldManager: "courier", force: true });
  await client.delete(CONFIG_MAP, KEY, { uid: "u", resourceVersion: "7" });
  await client.raw("/version");
  const object = JSON.stringify(OBJECT);
  assert.deepEqual(seen, [
    { method: "GET", path: "/api/v1/namespaces/ns", body: "" },
    { method: "POST", path: "/api/v1/namespaces/ns/configmaps", body: object },
    { method: "PUT", path: "/api/v1/namespaces/ns/configmaps/one", body: object },
    {
      method: "PATCH",
      path: "/apis/aitextensions.alauda.io/v1beta1/namespaces/ns/notificationmessages/one/status?fieldManager=courier",
      body: '{"status":{}}',
    },
    { method: "PATCH", path: "/api/v1/namespaces/ns/configmaps/one?fieldManager=courier&force=true", body: object },
    {
      method: "DELETE",
      path: "/api/v1/namespaces/ns/configmaps/one",
      body: '{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"7"}}',
    },
    { method: "GET", path: "/version", body: "" },
  ]);
  assert.deepEqual(types.slice(1, 6), [
    "application/json",
    "application/json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
    "application/json",
  ]);
});

test("what is not there is undefined to a reader and gone to a deleter", async (t) => {
  const absent = status(404, "NotFound", 'configmaps "one" not found', { name: "one", kind: "configmaps" });
  const server = await startServer(t, ({ response }) => json(response, absent, 404));
  const client = await clientOf(t, server);
  assert.equal(await client.get(CONFIG_MAP, KEY), undefined);
  assert.equal(await client.delete(CONFIG_MAP, KEY), "gone");
});

test("a 404 for the whole kind does not say that the object is gone", async (t) => {
  const unserved = status(404, "NotFound", "the server could not find the requested resource", {});
  for (const body of ["404 page not found\n", JSON.stringify(unserved)]) {
    const server = await startServer(t, ({ response }) => response.writeHead(404).end(body));
    const client = await clientOf(t, server);
    await assert.rejects(client.get(NOTIFICATION_MESSAGE, KEY), { code: 404, reason: "NotFound" });
    await assert.rejects(client.delete(NOTIFICATION_MESSAGE, KEY), { code: 404, reason: "NotFound" });
  }
});

test("a list comes in pages of one version, its items with kind and apiVersion", async (t) => {
  const tokens: (string | null)[] = [];
  const server = await startServer(t, ({ query, response }) => {
    tokens.push(query.get("continue"));
    const isLast = query.get("continue") === "next";
    json(response, {
      metadata: { resourceVersion: "9", ...(isLast ? {} : { continue: "next" }) },
      items: [{ metadata: { name: isLast ? "b" : "a" } }],
    });
  });
  const client = await clientOf(t, server);
  const pages: ListPage[] = [];
  for await (const page of client.listPages(CONFIG_MAP, { namespace: "ns", pageSize: 1 })) pages.push(page);
  assert.deepEqual(pages, [
    { items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }], resourceVersion: "9" },
    { items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b" } }], resourceVersion: "9" },
  ]);
  assert.deepEqual(tokens, [null, "next"]);
});

test("a refusal carries the Status' code, reason and causes", async (t) => {
  const causes = [{ reason: "FieldValueRequired", field: "spec.type", message: "Required value" }];
  const body = status(422, "Invalid", 'ConfigMap "one" is invalid', { name: "one", causes });
  const server = await startServer(t, ({ response }) => json(response, body, 422));
  const client = await clientOf(t, server);
  await assert.rejects(client.create(CONFIG_MAP, OBJECT), (error: KubeError) => {
    assert.ok(error instanceof KubeError);
    assert.deepEqual([error.code, error.reason, error.details?.causes], [422, "Invalid", causes]);
    assert.equal(error.message, 'Cannot create configmaps "ns/one": ConfigMap "one" is invalid (422 Invalid)');
    return true;
  });
});

test("a refusal that is no Status is quoted in short and on one line", async (t) => {
  const server = await startServer(t, ({ response }) =>
    response.writeHead(502).end(`<html>\nbad gateway${"x".repeat(999)}`),
  );
  const client = await clientOf(t, server);
  await assert.rejects(client.create(CONFIG_MAP, OBJECT), (error: KubeError) => {
    assert.deepEqual([error.code, error.reason], [502, "BadGateway"]);
    assert.match(error.message, /<html> bad gatewayx+ \(502 BadGateway\)$/);
    assert.ok(error.message.length < 300);
    return true;
  });
});

test("an answer that is no JSON is told as that, with the address", async (t) => {
  const server = await startServer(t, ({ response }) => response.end("<html>please log in</html>"));
  const client = await clientOf(t, server);
  await assert.rejects(client.get(CONFIG_MAP, KEY), {
    code: 0,
    reason: "AnswerInvalid",
    message: `Cannot get configmaps "ns/one" at ${server.url}: the answer is no JSON; check that the address is that of a Kubernetes API server`,
  });
});

test("429 with Retry-After is tried again, twice at most", async (t) => {
  let refusals = 2;
  const server = await startServer(t, ({ response }) => {
    if (refusals-- > 0) json(response, status(429, "TooManyRequests", "wait"), 429, { "retry-after": "0" });
    else json(response, OBJECT);
  });
  const client = await clientOf(t, server);
  assert.deepEqual(await client.mergePatch(CONFIG_MAP, KEY, {}), OBJECT);
  refusals = 3;
  await assert.rejects(client.get(CONFIG_MAP, KEY), { code: 429, reason: "TooManyRequests", retryAfterMs: 0 });
  assert.equal(refusals, 0);
});

test("429 with a Retry-After beyond the deadline is not waited for", async (t) => {
  const server = await startServer(t, ({ response }) => json(response, {}, 429, { "retry-after": "3600" }));
  const client = await clientOf(t, server);
  await assert.rejects(client.get(CONFIG_MAP, KEY), { code: 429, retryAfterMs: 3_600_000 });
});

test("a read is tried again on a lost connection, a write is not", async (t) => {
  const seen: string[] = [];
  const server = await startServer(t, ({ method, response }) => {
    seen.push(method);
    if (method === "GET" && seen.filter((each) => each === "GET").length === 2) json(response, OBJECT);
    else response.destroy();
  });
  const client = await clientOf(t, server);
  assert.deepEqual(await client.get(CONFIG_MAP, KEY), OBJECT);
  await assert.rejects(client.mergePatch(CONFIG_MAP, KEY, {}), { code: 0, reason: "ConnectionLost" });
  assert.deepEqual(seen, ["GET", "GET", "PATCH"]);
});

test("a refused connection names the address and what to check, and never the token", async (t) => {
  const server = await startServer(t, () => {});
  const client = await clientOf(t, { ...server, url: "http://127.0.0.1:1" });
  await assert.rejects(client.get(CONFIG_MAP, KEY), (error: KubeError) => {
    assert.equal(error.reason, "ConnectionRefused");
    assert.match(
      error.message,
      /at http:\/\/127\.0\.0\.1:1: the connection is refused; check that the API server runs/,
    );
    assert.doesNotMatch(JSON.stringify(error) + error.stack, /t0ken/);
    return true;
  });
});

test("a silent server is given up after the deadline, and its connection with it", async (t) => {
  const server = await startServer(t, () => {});
  const access = { server: server.url, authenticate: async () => ({ headers: {}, tls: {} }) };
  const session = new Session(access, 1);
  const client = new RestClient(new Transport(server.url, session, 50), session, JSON.parse);
  t.after(() => client.close());
  const expected = { code: 0, reason: "Timeout", message: /no answer in 0\.05 s$/ };
  await assert.rejects(client.get(CONFIG_MAP, KEY), expected);
  await assert.rejects(client.get(CONFIG_MAP, KEY), expected);
  assert.equal(server.connections(), 2);
});

test("an aborted call rejects with the signal's reason", async (t) => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const server = await startServer(t, () => controller.abort(reason));
  const client = await clientOf(t, server);
  await assert.rejects(client.get(CONFIG_MAP, KEY, controller.signal), reason);
  await assert.rejects(client.get(CONFIG_MAP, KEY, controller.signal), reason);
});

test("who leaves a watch ends its request", async (t) => {
  const left = Promise.withResolvers<void>();
  const server = await startServer(t, ({ response }) => {
    response.on("close", () => left.resolve());
    response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
  });
  const client = await clientOf(t, server);
  const query = { resourceVersion: "1", timeoutSeconds: 60, silenceMs: 60_000 };
  for await (const batch of await client.openWatch(CONFIG_MAP, query, new AbortController().signal)) {
    assert.deepEqual(
      [...batch].map(({ metadata }) => metadata.name),
      ["a"],
    );
    break;
  }
  await left.promise;
});

test("names that would lead to another path are refused before any request", async (t) => {
  let requests = 0;
  const server = await startServer(t, ({ response }) => {
    requests += 1;
    json(response, OBJECT);
  });
  const client = await clientOf(t, server);
  for (const name of ["", ".", "..", "../secrets/x", "a/b", "a%2fb"]) {
    await assert.rejects(client.get(CONFIG_MAP, { namespace: "ns", name }), { code: 422, reason: "Invalid" });
    if (name !== "") await assert.rejects(client.get(CONFIG_MAP, { namespace: name, name: "a" }), { code: 422 });
  }
  await assert.rejects(client.get(CONFIG_MAP, { namespace: "", name: "a" }), { message: /needs a namespace/ });
  assert.equal(requests, 0);
  await client.get(CONFIG_MAP, { namespace: "ns", name: "a?watch=true#b c" });
  assert.equal(requests, 1);
});

test("bodies are decoded by the given parse", async (t) => {
  const server = await startServer(t, ({ response }) => response.end('{"metadata":{},"n":9007199254740993}'));
  const access = { server: server.url, authenticate: async () => ({ headers: {}, tls: {} }) };
  const session = new Session(access, 1);
  const parse = (text: string): unknown => ({ ...JSON.parse(text), n: /"n":(\d+)/.exec(text)?.[1] });
  const client = new RestClient(new Transport(server.url, session), session, parse);
  t.after(() => client.close());
  assert.equal((await client.get(CONFIG_MAP, KEY))?.["n"], "9007199254740993");
});
