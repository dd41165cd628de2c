import assert from "node:assert/strict";
import { test } from "node:test";
import { planDelivery } from "../../src/delivery/plan.ts";
import { pendingRecipients, resumeProgress } from "../../src/delivery/progress.ts";
import { followedBy, reopen, restartOf } from "../../src/delivery/restart.ts";
import { parseNotificationMessage } from "../../src/resources/notification-message.ts";
import type { Json } from "../../src/resources/object.ts";
import { messageOf, subscriptionOf } from "../support/platform.ts";

const SPEC = {
  body: { a: 1, b: [{ c: 2, d: 3 }] },
  notifications: [subscriptionOf("ann@example.com", "bob@example.com")],
};

function messageWith(status: object, { generation = 1, annotations = {} }: object & Record<string, unknown> = {}) {
  const object = messageOf("message", SPEC);
  const metadata = {
    ...object.metadata,
    generation: generation as number,
    annotations: annotations as Record<string, string>,
  };
  return parseNotificationMessage({ ...object, metadata, status: status as Json });
}

test("a message is begun anew by a new value of the annotation, or by an edit after its end", () => {
  const asked = (value: string) => ({ annotations: { "courier.io/retry": value } });
  const whole = { phase: "Failed", conditions: [{ method: "", addresses: [], status: "False", uid: "message" }] };
  for (const [what, status, meta, expected] of [
    ["never seen", {}, asked("1"), undefined],
    ["failed", { phase: "Failed", observedGeneration: 1 }, {}, undefined],
    ["failed, asked", { phase: "Failed", observedGeneration: 1 }, asked("1"), "retry"],
    ["failed, asked before", { phase: "Failed", observedGeneration: 1, observedRetry: "1" }, asked("1"), undefined],
    ["failed, asked again", { phase: "Failed", observedGeneration: 1, observedRetry: "1" }, asked("2"), "retry"],
    ["waiting, asked", { phase: "Processing" }, asked("1"), "retry"],
    ["waiting, edited", { phase: "Processing", observedGeneration: 1 }, { generation: 2 }, undefined],
    ["failed, edited", { phase: "Failed", observedGeneration: 1 }, { generation: 2 }, "edit"],
    ["failed under a version that kept no generation", { phase: "Failed" }, { generation: 2 }, undefined],
    ["done, asked", { phase: "Done" }, asked("1"), undefined],
    ["done, edited before it was deleted", { phase: "Done", observedGeneration: 1 }, { generation: 2 }, "edit"],
    ["refused as a whole, asked", whole, asked("1"), undefined],
    ["refused as a whole, edited", { ...whole, observedGeneration: 1 }, { generation: 2 }, "edit"],
  ] as const) {
    assert.equal(restartOf(messageWith(status, meta)), expected, what);
  }
});

test("what was followed is remembered in few characters, and an attempt that restarts nothing keeps its beginning", () => {
  const now = new Date("2026-11-22T10:00:00.500Z");
  const annotations = { "courier.io/retry": "x".repeat(100_000) };
  const message = messageWith({ phase: "Failed", restartedAt: "2026-11-21T00:00:00Z" }, { annotations });
  const followed = followedBy(message, "retry", now);
  assert.match(followed.observedRetry ?? "", /^sha256:[0-9a-f]{64}$/);
  assert.equal(followed.restartedAt, "2026-11-22T10:00:00Z");
  assert.equal(followedBy(message, undefined, now).restartedAt, "2026-11-21T00:00:00Z");
});

test("what was delivered stays so, for the same content in whatever order its keys come", () => {
  const [task] = planDelivery(messageWith({})).tasks;
  assert.ok(task);
  const row = { method: "Email", uid: task.id, contentHash: task.contentHash };
  const conditions = [
    { ...row, addresses: ["ann@example.com"], status: "True", reason: "Delivered" },
    { ...row, addresses: ["bob@example.com"], status: "False", reason: "RecipientRejected", retryTimes: 2 },
  ];
  const pendingAs = (spec: object) => {
    const message = parseNotificationMessage({ ...messageOf("message", spec), status: { conditions } });
    const plan = planDelivery(message);
    const progress = reopen(resumeProgress(plan, message.conditions));
    return plan.tasks.map((each) => pendingRecipients(each, progress));
  };
  assert.deepEqual(pendingAs(SPEC), [["bob@example.com"]]);
  assert.deepEqual(pendingAs({ ...SPEC, body: { b: [{ d: 3, c: 2 }], a: 1 } }), [["bob@example.com"]]);
  assert.deepEqual(pendingAs({ ...SPEC, body: { b: [{ d: 4, c: 2 }], a: 1 } }), [
    ["ann@example.com", "bob@example.com"],
  ]);
});
