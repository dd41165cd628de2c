import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkQueue } from "../../src/control/work-queue.ts";

function createQueue() {
  return new WorkQueue({ now: () => performance.now() });
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

test("keys come in the order in which they were added, however many wait", async () => {
  const queue = createQueue();
  const stop = new AbortController();
  const keys = Array.from({ length: 10_000 }, (_, index) => `${index}`);
  for (const key of keys) queue.add(key);
  const worked: string[] = [];
  await queue.run(
    1,
    async (key) => {
      worked.push(key);
      if (worked.length === keys.length) stop.abort();
    },
    stop.signal,
  );
  assert.deepEqual(worked, keys);
});

test("no more keys are worked on at once than there are workers", async () => {
  const queue = createQueue();
  const stop = new AbortController();
  let [active, most, left] = [0, 0, 20];
  for (let key = 0; key < left; key++) queue.add(`${key}`);
  await queue.run(
    3,
    async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
      left -= 1;
      if (left === 0) stop.abort();
    },
    stop.signal,
  );
  assert.equal(most, 3);
});
