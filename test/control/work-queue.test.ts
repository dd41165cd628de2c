import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkQueue } from "../../src/control/work-queue.ts";

function createQueue(capacity = 100) {
  return new WorkQueue({ capacity, now: () => performance.now() });
}

test("a key that is added twice before a worker takes it is worked on once", async () => {
  const queue = createQueue();
  const stop = new AbortController();
  const worked: string[] = [];
  for (const key of ["a", "b", "a"]) queue.add(key);
  const run = queue.run(
    2,
    async (key) => {
      worked.push(key);
      if (worked.length === 2) stop.abort();
    },
    stop.signal,
  );
  await run;
  assert.deepEqual(worked.sort(), ["a", "b"]);
});

test("a key that is added while it is worked on comes again, and never to two workers at once", async () => {
  const queue = createQueue();
  const stop = new AbortController();
  let active = 0;
  let runs = 0;
  queue.add("a");
  await queue.run(
    4,
    async (key) => {
      active += 1;
      assert.equal(active, 1);
      runs += 1;
      if (runs === 1) queue.add(key);
      await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
      if (runs === 2) stop.abort();
    },
    stop.signal,
  );
  assert.equal(runs, 2);
});

test("every idle worker is woken by a burst, also after being idle before", async () => {
  const queue = createQueue();
  const stop = new AbortController();
  const together = Promise.withResolvers<void>();
  let active = 0;
  const run = queue.run(
    8,
    async () => {
      active += 1;
      if (active === 8) together.resolve();
      await together.promise; // would wait for ever if a worker slept through the burst
    },
    stop.signal,
  );
  await new Promise((resolve) => setImmediate(resolve));
  for (let key = 0; key < 8; key++) queue.add(`${key}`);
  await together.promise;
  stop.abort();
  await run;
});

test("a delayed key comes when its time is over, and at once when it is added meanwhile", async () => {
  const queue = createQueue();
  const stop = new AbortController();
  const worked: string[] = [];
  queue.addAfter("slow", 60_000);
  queue.addAfter("soon", 1);
  queue.addAfter("woken", 60_000);
  queue.add("woken");
  await queue.run(
    1,
    async (key) => {
      worked.push(key);
      if (worked.length === 2) stop.abort();
    },
    stop.signal,
  );
  assert.deepEqual(worked, ["woken", "soon"]);
});

test("a producer waits while the queue is full", async () => {
  const queue = createQueue(2);
  const stop = new AbortController();
  queue.add("a");
  queue.add("b");
  let hasRoom = false;
  const room = queue.room(stop.signal).then(() => {
    hasRoom = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasRoom, false);
  const run = queue.run(1, async () => {}, stop.signal);
  await room;
  stop.abort();
  await run;
});
