import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../src/delivery/plan.ts";
import { addAttempt, expireProgress, pendingRecipients } from "../../src/delivery/progress.ts";
import { foldStatus, logStatus } from "../../src/delivery/status.ts";
import { attempt, NOW, plan, task } from "./one-task.ts";

test("a message whose mail every recipient got is Done, with the guide's condition", () => {
  const one: Plan = { tasks: [{ ...task, recipients: ["platform-operator@example.com"] }], refusals: [] };
  const outcome = { address: "platform-operator@example.com", reason: "Delivered" as const, message: "250 ok" };
  const status = foldStatus(one, addAttempt(new Map(), task.id, [outcome]), [], NOW);
  assert.equal(
    JSON.stringify({ status: logStatus(status) }).slice(1, -1),
    '"status":{"conditions":[{"method":"Email","addresses":["platform-operator@example.com"],"type":"Ready","status":"True"}],"phase":"Done"}',
  );
  assert.deepEqual(Object.keys(status.conditions[0] ?? {}).slice(0, 4), ["method", "addresses", "type", "status"]);
  assert.equal(status.conditions[0]?.lastTransitionTime, "2026-11-22T10:00:00Z");
});

test("recipients of one task with different outcomes get a condition for each outcome", () => {
  const progress = attempt(new Map(), {
    "ann@example.com": "Delivered",
    "bob@example.com": "RecipientRejected",
    "cy@example.com": "Delivered",
  });
  const { conditions, phase } = foldStatus(plan, progress, [], NOW);
  assert.equal(phase, "Failed");
  assert.deepEqual(
    conditions.map(({ addresses, status, reason }) => [addresses, status, reason]),
    [
      [["ann@example.com", "cy@example.com"], "True", "Delivered"],
      [["bob@example.com"], "False", "RecipientRejected"],
    ],
  );
});

test("the summary counts who has the mail and names the first reason that keeps it from being Done", () => {
  const waiting = attempt(new Map(), { "ann@example.com": "Delivered", "bob@example.com": "TemporaryFailure" });
  const unknown = { ready: "Unknown", recipients: "1/3", reason: "TemporaryFailure" };
  assert.deepEqual(foldStatus(plan, waiting, [], NOW).summary, unknown);
  const lost = attempt(waiting, { "bob@example.com": "RecipientRejected" });
  assert.equal(foldStatus(plan, lost, [], NOW).summary.ready, "False");
  const done = attempt(waiting, { "bob@example.com": "Delivered", "cy@example.com": "Delivered" });
  const all = { ready: "True", recipients: "3/3", reason: "Delivered" };
  assert.deepEqual(foldStatus(plan, done, [], NOW).summary, all);
});

test("a recipient that may still be reached keeps the message Processing", () => {
  const progress = attempt(new Map(), {
    "ann@example.com": "Delivered",
    "bob@example.com": "RecipientRejected",
    "cy@example.com": "TemporaryFailure",
  });
  assert.equal(foldStatus(plan, progress, [], NOW).phase, "Processing");
  assert.deepEqual(pendingRecipients(task, progress), ["cy@example.com"]);
});

test("a long reply of the mail server is cut in the status", () => {
  const outcome = { address: "ann@example.com", reason: "MailRejected" as const, message: "x".repeat(100_000) };
  const { conditions } = foldStatus(plan, addAttempt(new Map(), task.id, [outcome]), [], NOW);
  assert.equal(conditions[0]?.message?.length, 500);
});

test("what still waits at the deadline is given up with the last reason in its message", () => {
  const progress = attempt(new Map(), { "ann@example.com": "Delivered", "bob@example.com": "TemplateNotFound" });
  const { conditions, phase } = foldStatus(plan, expireProgress(plan, progress, "24 h"), [], NOW);
  assert.equal(phase, "Failed");
  const bob = conditions.find(({ addresses }) => addresses.includes("bob@example.com"));
  assert.equal(bob?.reason, "DeadlineExceeded");
  assert.equal(bob?.message, "gave up after 24 h; the last reason was TemplateNotFound: TemplateNotFound.");
});

test("a condition that stays as it is keeps its transition time", () => {
  const first = attempt(new Map(), { "ann@example.com": "TemporaryFailure" });
  const before = foldStatus(plan, first, [], NOW);
  const later = new Date(NOW.getTime() + 60_000);
  const again = attempt(first, { "ann@example.com": "TemporaryFailure" });
  assert.equal(
    foldStatus(plan, again, before.conditions, later).conditions[0]?.lastTransitionTime,
    "2026-11-22T10:00:00Z",
  );
  const done = attempt(again, { "ann@example.com": "Delivered" });
  assert.equal(
    foldStatus(plan, done, before.conditions, later).conditions[0]?.lastTransitionTime,
    "2026-11-22T10:01:00Z",
  );
});
