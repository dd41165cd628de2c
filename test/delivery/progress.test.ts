import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingRecipients, resumeProgress } from "../../src/delivery/progress.ts";
import { foldStatus } from "../../src/delivery/status.ts";
import { attempt, NOW, plan, task } from "./one-task.ts";

test("an unknown outcome is tried once more and then final", () => {
  const once = attempt(new Map(), { "ann@example.com": "OutcomeUnknown" });
  assert.equal(pendingRecipients(task, once).includes("ann@example.com"), true);
  const twice = attempt(once, { "ann@example.com": "OutcomeUnknown" });
  assert.equal(pendingRecipients(task, twice).includes("ann@example.com"), false);
});

test("an unknown outcome after other failures is still tried once more, and a restart knows whether it was", () => {
  let progress = attempt(new Map(), { "ann@example.com": "TemporaryFailure" });
  progress = attempt(progress, { "ann@example.com": "OutcomeUnknown" });
  const once = resumeProgress(plan, foldStatus(plan, progress, [], NOW).conditions);
  assert.equal(pendingRecipients(task, once).includes("ann@example.com"), true);
  const twice = attempt(once, { "ann@example.com": "OutcomeUnknown" });
  const after = resumeProgress(plan, foldStatus(plan, twice, [], NOW).conditions);
  assert.equal(pendingRecipients(task, after).includes("ann@example.com"), false);
});

test("unknown outcomes with other failures between them are two at the most, before and after a restart", () => {
  let progress = attempt(new Map(), { "ann@example.com": "OutcomeUnknown" });
  progress = attempt(progress, { "ann@example.com": "ServerUnavailable" });
  const resumed = resumeProgress(plan, foldStatus(plan, progress, [], NOW).conditions);
  for (const earlier of [progress, resumed]) {
    assert.equal(pendingRecipients(task, earlier).includes("ann@example.com"), true);
    const last = attempt(earlier, { "ann@example.com": "OutcomeUnknown" });
    assert.equal(pendingRecipients(task, last).includes("ann@example.com"), false);
  }
});

test("a restart goes on at the first recipient not yet mailed", () => {
  const progress = attempt(new Map(), { "ann@example.com": "Delivered", "bob@example.com": "TemporaryFailure" });
  const written = foldStatus(plan, progress, [], NOW);
  const resumed = resumeProgress(plan, written.conditions);
  assert.deepEqual(pendingRecipients(task, resumed), ["bob@example.com", "cy@example.com"]);
  assert.equal(resumed.get(task.id)?.get("bob@example.com")?.attempts, 1);
});
