import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { EventBudget } from "../../src/kube/event-budget.ts";
import { type EventInput, recordEvent } from "../../src/kube/record-event.ts";
import { clientOf, json, startServer, status } from "./scripted-server.ts";

const SIGNAL = new AbortController().signal;
const MESSAGE = {
  apiVersion: "aitextensions.alauda.io/v1beta1",
  kind: "NotificationMessage",
  metadata: { namespace: "cpaas-system", name: "message", uid: "u-1", resourceVersion: "7", labels: { a: "b" } },
};
const INPUT: EventInput = {
  regarding: MESSAGE,
  type: "Warning",
  reason: "RecipientRejected",
  action: "Send",
  note: "550 no such user",
  reportingController: "courier.io/courier-api",
  reportingInstance: "pod-1",
};

interface Sent {
  method: string;
  path: string;
  body: { metadata: { name: string; namespace: string }; note: string; [field: string]: unknown };
}

async function recorder(t: TestContext, patchCode = 200) {
  const sent: Sent[] = [];
  const server = await startServer(t, ({ method, path, body, response }) => {
    sent.push({ method, path, body: JSON.parse(body) });
    if (method === "PATCH" && patchCode !== 200) json(response, status(patchCode, "NotFound", "expired"), patchCode);
    else json(response, {});
  });
  const client = await clientOf(t, server);
  const record = (input: Partial<EventInput> = {}) => recordEvent(client, { ...INPUT, ...input }, SIGNAL);
  return { sent, record, methods: () => sent.map(({ method }) => method) };
}

test("an event stands in its object's namespace and points to it", async (t) => {
  const { sent, record } = await recorder(t);
  await record({
    related: { apiVersion: "v1", kind: "Secret", metadata: { namespace: "cpaas-system", name: "smtp" } },
  });
  const [{ path, body }] = sent as [Sent];
  assert.equal(path, "/apis/events.k8s.io/v1/namespaces/cpaas-system/events");
  assert.match(body.metadata.name, /^message\.[0-9a-f]+$/);
  assert.match(String(body["eventTime"]), /\.\d{6}Z$/);
  const { metadata: _, eventTime: __, ...rest } = body;
  assert.deepEqual(rest, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    regarding: {
      apiVersion: "aitextensions.alauda.io/v1beta1",
      kind: "NotificationMessage",
      namespace: "cpaas-system",
      name: "message",
      uid: "u-1",
      resourceVersion: "7",
    },
    related: { apiVersion: "v1", kind: "Secret", namespace: "cpaas-system", name: "smtp" },
    type: "Warning",
    reason: "RecipientRejected",
    action: "Send",
    note: "550 no such user",
    reportingController: "courier.io/courier-api",
    reportingInstance: "pod-1",
  });
});

test("the same event again counts up the first one's series, another version of the object included", async (t) => {
  const { sent, record } = await recorder(t);
  await record();
  await record({ regarding: { ...MESSAGE, metadata: { ...MESSAGE.metadata, resourceVersion: "8" } } });
  await record();
  assert.deepEqual(
    sent.map(({ method, body }) => [method, (body["series"] as { count?: number } | undefined)?.count]),
    [
      ["POST", undefined],
      ["PATCH", 2],
      ["PATCH", 3],
    ],
  );
  assert.equal(sent[1]?.path, `${sent[0]?.path}/${sent[0]?.body.metadata.name}`);
});

test("an event that differs in any word is one of its own", async (t) => {
  const { record, methods } = await recorder(t);
  await record();
  await record({ note: "451 try later" });
  await record({ reason: "TemporaryFailure" });
  await record({ regarding: { ...MESSAGE, metadata: { ...MESSAGE.metadata, uid: "u-2" } } });
  assert.deepEqual(methods(), ["POST", "POST", "POST", "POST"]);
});

test("a series whose event has expired begins anew", async (t) => {
  const { record, methods } = await recorder(t, 404);
  await record();
  await record();
  assert.deepEqual(methods(), ["POST", "PATCH", "POST"]);
});

test("the memory for repeats is bounded", async (t) => {
  const { record, methods } = await recorder(t);
  for (let index = 0; index <= 1_000; index += 1) await record({ reason: `Reason${index}` });
  await record({ reason: "Reason1000" });
  await record({ reason: "Reason0" });
  assert.deepEqual(methods().slice(-2), ["PATCH", "POST"]);
});

test("a reason that a thousand objects share is told in about a hundred Events, and other reasons are told too", async (t) => {
  const { sent, record } = await recorder(t);
  const about = (index: number) => ({ ...MESSAGE, metadata: { ...MESSAGE.metadata, uid: `u-${index}` } });
  const begun = performance.now();
  for (let index = 0; index < 1_000; index += 1) await record({ regarding: about(index) });
  const seconds = (performance.now() - begun) / 1000;
  assert.ok(sent.length >= 100 && sent.length <= 101 + seconds, `${sent.length} in ${seconds} s`);
  await record({ reason: "TemplateNotFound" });
  assert.equal(sent.at(-1)?.body.reason, "TemplateNotFound");
});

test("the next Event of a reason says how many were left out", () => {
  let now = 0;
  const budget = new EventBudget(() => now);
  for (let count = 0; count < 100; count += 1) assert.equal(budget.spend("Away"), 0);
  for (let count = 0; count < 7; count += 1) assert.equal(budget.spend("Away"), undefined);
  now += 1_000;
  assert.equal(budget.spend("Away"), 7);
  assert.equal(budget.spend("Away"), undefined);
});

test("a long note is cut at 1024 bytes between characters", async (t) => {
  const { sent, record } = await recorder(t);
  await record({ note: "鍵".repeat(400) });
  await record({ note: "x".repeat(1024) });
  assert.equal(sent[0]?.body.note, `${"鍵".repeat(340)}…`);
  assert.equal(sent[1]?.body.note.length, 1024);
});

test("the name fits into 253 characters and is a DNS name, whatever the object's is", async (t) => {
  const { sent, record } = await recorder(t);
  for (const name of ["a".repeat(253), "system:node", `${"a".repeat(227)}.${"b".repeat(25)}`, "::"]) {
    await record({ regarding: { ...MESSAGE, metadata: { ...MESSAGE.metadata, name } } });
  }
  for (const { body } of sent) {
    assert.ok(body.metadata.name.length <= 253);
    assert.match(body.metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
  }
});

test("an event about a cluster-scoped object stands in default", async (t) => {
  const { sent, record } = await recorder(t);
  await record({ regarding: { apiVersion: "v1", kind: "Namespace", metadata: { name: "ns" } } });
  assert.equal(sent[0]?.body.metadata.namespace, "default");
});
