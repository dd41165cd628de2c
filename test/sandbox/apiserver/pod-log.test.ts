import assert from "node:assert/strict";
import { test } from "node:test";
import { type PodLogQuery, startApiServer } from "../../../src/sandbox/apiserver/index.ts";
import { startServer, TestServer } from "./support.ts";

const PODS = "/api/v1/namespaces/default/pods";
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", image: "i" }] },
};

test("a pod's log is what podLogs gives for the query", async (t) => {
  const asked: PodLogQuery[] = [];
  const server = await startServer(t, {
    podLogs: (pod, query) => {
      asked.push(query);
      return (async function* () {
        yield `${pod.namespace}/${pod.name}\n`;
        yield "second\n";
      })();
    },
  });
  await server.post(PODS, POD);
  const { text } = await server.get(`${PODS}/p/log?container=c&tailLines=5&sinceSeconds=60&timestamps=true`);
  assert.equal(text, "default/p\nsecond\n");
  assert.deepEqual(asked, [{ follow: false, timestamps: true, container: "c", sinceSeconds: 60, tailLines: 5 }]);
});

test("a pod without a log says so, a missing pod is 404", async (t) => {
  const server = await startServer(t);
  await server.post(PODS, POD);
  assert.equal((await server.get(`${PODS}/p/log`)).code, 400);
  assert.equal((await server.get(`${PODS}/none/log`)).code, 404);
});

test("a followed log ends when the server closes", async () => {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const api = await startApiServer({
    podLogs: (_pod, _query, signal) =>
      (async function* () {
        yield "begun\n";
        await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
        resolve();
      })(),
  });
  const server = new TestServer(api);
  await server.post(PODS, POD);
  const followed = server.get(`${PODS}/p/log?follow=true`).catch(() => undefined);
  while (!api.requests()["GET"]) await new Promise((done) => setImmediate(done));
  await api.close();
  await Promise.all([aborted, followed]);
});
