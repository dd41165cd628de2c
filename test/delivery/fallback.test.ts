import assert from "node:assert/strict";
import { test } from "node:test";
import { explainTrouble, isFallbackDue, renderFallback, type TemplateTrouble } from "../../src/delivery/fallback.ts";
import type { Task } from "../../src/delivery/plan.ts";
import { parseData } from "../../src/template/index.ts";

const task: Task = {
  id: "ops/Email",
  notification: "ops",
  method: "Email",
  template: "change",
  recipients: ["ann@example.com"],
  contentHash: "0123456789abcdef",
};
const trouble: TemplateTrouble = {
  reason: "RenderFailed",
  message: 'NotificationTemplate "ns/change": content:2:7: no',
};

function bodyFor(body: unknown): string {
  return renderFallback({ namespace: "ns", name: "message" }, task, trouble, body).body;
}

test("a fallback mail waits for the end of the wait, or not where the message says so and templates can be read", () => {
  const unread: TemplateTrouble = { ...trouble, reason: "TemplateNotFound", isUnread: true };
  const now = { fallback: "Immediately" };
  for (const [requests, why, isLate, due] of [
    [{}, trouble, false, false],
    [{}, trouble, true, true],
    [now, trouble, false, true],
    [now, unread, false, false],
    [now, unread, true, true],
    [{ fallback: "immediately" }, trouble, false, false],
  ] as const) {
    assert.equal(isFallbackDue(requests, why, isLate), due, JSON.stringify({ requests, why, isLate }));
  }
  assert.match(
    explainTrouble(trouble, { fallback: "now\n" }),
    /courier\.io\/fallback is "now", and only Immediately is known$/,
  );
});

test("it names the message, the template and its error, and lists the labels, numbers and structures as they are", () => {
  const labels = `{"name":"app","count":3,"big":9007199254740993,"ratio":1.0,"none":null,"list":[1,2.0,{"a":"b"}]}`;
  assert.equal(
    bodyFor(parseData(`{"labels":${labels}}`)),
    `This notification comes as plain text, because its template cannot be used.

Message:      ns/message
Subscription: ops
Template:     ns/change
Why:          RenderFailed: NotificationTemplate "ns/change": content:2:7: no

Labels:
  name: app
  count: 3
  big: 9007199254740993
  ratio: 1
  none: null
  list: [1,2,{"a":"b"}]

Once the template is mended, notifications come in their own form again.
`,
  );
});

test("a label forges no line, reads nothing of a prototype and does not grow without bound", () => {
  const labels = {
    a: "x\r\nWhy:          nothing\u2028\u0000\u202eevil",
    ["__proto__"]: { polluted: true },
    constructor: "y",
    long: "z".repeat(100_000),
    ...Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}\n`, index])),
  };
  const lines = bodyFor({ labels: JSON.parse(JSON.stringify(labels)) }).split("\n");
  assert.ok(lines.includes("  a: x Why:          nothing evil"));
  assert.equal(lines.filter((line) => line.startsWith("Why:")).length, 1);
  assert.ok(lines.every((line) => line.length < 700));
  assert.ok(lines.length < 70);
  assert.ok(lines.some((line) => /… and \d+ more/.test(line)));
  for (const body of [undefined, null, [], "text", { labels: [1] }, { labels: "x" }, {}]) {
    assert.match(bodyFor(body), /It has no labels\./);
  }
});
