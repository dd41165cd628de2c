import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { test } from "node:test";
import { limitedSignal } from "../../src/control/limited-signal.ts";

test("it aborts with the outer signal and its reason, now or later", () => {
  const [outer, reason] = [new AbortController(), new Error("over")];
  using later = limitedSignal(outer.signal, 60_000);
  assert.equal(later.signal.aborted, false);
  outer.abort(reason);
  using now = limitedSignal(outer.signal);
  assert.deepEqual([later.signal.reason, now.signal.reason], [reason, reason]);
});

test("it aborts by itself when its time is over, with the reason that is made then", async () => {
  const reason = new Error("too late");
  using limited = limitedSignal(undefined, 1, () => reason);
  await once(limited.signal, "abort");
  assert.equal(limited.signal.reason, reason);
});

test("disposed of, it leaves no listener behind", () => {
  const outer = new AbortController();
  limitedSignal(outer.signal, 60_000)[Symbol.dispose]();
  assert.deepEqual(getEventListeners(outer.signal, "abort"), []);
});
