import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createMessageStore } from "../../src/kube/message-store.ts";
import { clientOf, type Exchange, json, startServer, status } from "./scripted-server.ts";

const SIGNAL = new AbortController().signal;
const KEY = { group: "aitextensions.alauda.io", namespace: "cpaas-system", name: "message" };

async function storeOf(t: TestContext, answer: (exchange: Exchange) => void) {
  const asked: string[] = [];
  const server = await startServer(t, (exchange) => {
    asked.push(`${exchange.method} ${exchange.path} ${exchange.body}`);
    answer(exchange);
  });
  return { asked, store: createMessageStore(await clientOf(t, server), "cpaas-system") };
}

const refuse =
  (code: number, reason: string, details: object = {}) =>
  ({ response }: Exchange) =>
    json(response, status(code, reason, "no", details), code);

test("a status is a merge patch of this version's status, in the group that the key names", async (t) => {
  const { asked, store } = await storeOf(t, ({ response }) => json(response, { metadata: { resourceVersion: "8" } }));
  const legacy = { ...KEY, group: "aiops.alauda.io" };
  assert.deepEqual(await store.writeStatus(KEY, "7", { phase: "Done" }, SIGNAL), { resourceVersion: "8" });
  assert.equal(await store.remove(legacy, "8", SIGNAL), "removed");
  const below = "v1beta1/namespaces/cpaas-system/notificationmessages/message";
  assert.deepEqual(asked, [
    `PATCH /apis/aitextensions.alauda.io/${below}/status {"metadata":{"resourceVersion":"7"},"status":{"phase":"Done"}}`,
    `DELETE /apis/aiops.alauda.io/${below} {"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"resourceVersion":"8"}}`,
  ]);
});

test("an empty text is written as none: some API servers take it for null and refuse it", async (t) => {
  const { asked, store } = await storeOf(t, ({ response }) => json(response, { metadata: { resourceVersion: "8" } }));
  const status = { summary: { reason: "", ready: "False" }, conditions: [{ method: "", addresses: [""], uid: "a" }] };
  await store.writeStatus(KEY, "7", status, SIGNAL);
  const written = '{"summary":{"reason":null,"ready":"False"},"conditions":[{"addresses":[""],"uid":"a"}]}';
  assert.equal(asked[0]?.slice(asked[0].indexOf('"status":')), `"status":${written}}`);
});

test("a changed message is a conflict, a deleted one is gone", async (t) => {
  const changed = await storeOf(t, refuse(409, "Conflict"));
  assert.equal(await changed.store.writeStatus(KEY, "7", {}, SIGNAL), "conflict");
  const deleted = await storeOf(t, refuse(404, "NotFound", { name: "message" }));
  assert.equal(await deleted.store.writeStatus(KEY, "7", {}, SIGNAL), "gone");
  assert.equal(await deleted.store.get(KEY, SIGNAL), undefined);
});

test("a server that does not serve messages at the moment has lost none", async (t) => {
  const { store } = await storeOf(t, refuse(404, "NotFound"));
  await assert.rejects(store.get(KEY, SIGNAL), { code: 404 });
  await assert.rejects(store.writeStatus(KEY, "7", {}, SIGNAL), { code: 404 });
  await assert.rejects(store.remove(KEY, "7", SIGNAL), { code: 404 });
});

test("a message that changed is not deleted, and one already gone is no trouble", async (t) => {
  const changed = await storeOf(t, refuse(409, "Conflict"));
  assert.equal(await changed.store.remove(KEY, "7", SIGNAL), "conflict");
  const gone = await storeOf(t, refuse(404, "NotFound", { name: "message" }));
  assert.equal(await gone.store.remove(KEY, "7", SIGNAL), "removed");
});
