import assert from "node:assert/strict";
import test from "node:test";
import { WritePacer } from "../../src/generator/write-pacer.ts";

/** Writes that last until they are ended, with when each began and ended. */
function heldWrites() {
  const begun: number[] = [];
  const ended: number[] = [];
  let held = Promise.withResolvers<void>();
  let seen = Promise.withResolvers<void>();
  return {
    begun,
    ended,
    async write(): Promise<boolean> {
      begun.push(performance.now());
      seen.resolve();
      await held.promise;
      held = Promise.withResolvers<void>();
      ended.push(performance.now());
      return true;
    },
    end: () => held.resolve(),
    async next(): Promise<void> {
      await seen.promise;
      seen = Promise.withResolvers<void>();
    },
  };
}

test("what is asked for during a write is one write more, after a rest", async () => {
  const writes = heldWrites();
  const pacer = new WritePacer(() => writes.write());
  pacer.plan(0);
  await writes.next();
  writes.end(); // the first rest is shorter
  pacer.plan(0);
  await writes.next();
  for (let asked = 0; asked < 5; asked += 1) {
    pacer.plan(asked);
    await new Promise((resolve) => setTimeout(resolve, 10)); // each would have begun by now
  }
  assert.equal(writes.begun.length, 2);
  writes.end();
  await writes.next();
  assert.ok((writes.begun[2] ?? 0) - (writes.ended[1] ?? 0) >= 999);
  writes.end();
  await pacer.stop();
  assert.equal(writes.begun.length, 3);
});

test("a write that is urgent does not wait for the rest", async () => {
  const writes = heldWrites();
  const pacer = new WritePacer(() => writes.write());
  for (const _ of [1, 2, 3]) {
    pacer.hasten();
    await writes.next();
    pacer.hasten(); // during the write
    writes.end();
  }
  await writes.next();
  const rests = writes.ended.map((endedAt, which) => (writes.begun[which + 1] ?? 0) - endedAt);
  assert.ok(
    rests.some((restMs) => restMs < 900),
    `rests of ${rests.join(", ")} ms`,
  );
  writes.end();
  await pacer.stop();
});
