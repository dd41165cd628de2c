import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan, Task } from "../../src/delivery/plan.ts";
import { type AttemptOutcome, addAttempt, type Progress } from "../../src/delivery/progress.ts";
import { planWait } from "../../src/delivery/schedule.ts";

const ANN = "ann@example.com";
const task: Task = {
  id: "ops/Email",
  notification: "ops",
  method: "Email",
  template: "change",
  recipients: [ANN],
  contentHash: "0123456789abcdef",
};
const plan: Plan = { tasks: [task], refusals: [] };

function waitAfter(...outcomes: Omit<AttemptOutcome, "address" | "message">[]): number | undefined {
  let progress: Progress = new Map();
  for (const outcome of outcomes) progress = addAttempt(progress, task.id, [{ address: ANN, message: "", ...outcome }]);
  return planWait(plan, progress, "ops", () => 0).retryInMs;
}

const busy: Omit<AttemptOutcome, "address" | "message"> = { reason: "TemporaryFailure" };

test("a temporary failure is tried again after a second, then twice as long each time", () => {
  assert.deepEqual([waitAfter(busy), waitAfter(busy, busy), waitAfter(busy, busy, busy)], [1000, 2000, 4000]);
});

test("a pause that the mail server asked for is kept, and does not outlast the attempt it came with", () => {
  const later = { ...busy, retryInMs: 60_000 };
  assert.equal(waitAfter(later), 60_000);
  assert.equal(waitAfter(later, busy), 2000);
  assert.equal(waitAfter(...Array.from({ length: 8 }, () => later)), 128_000);
});

test("a mail that had no connection waits no longer for it the next time", () => {
  const untried = { ...busy, untried: true as const };
  assert.equal(waitAfter(untried, untried, untried), 1000);
});
