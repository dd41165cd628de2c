import assert from "node:assert/strict";
import { test } from "node:test";
import { Semaphore } from "../../src/control/semaphore.ts";

const SIGNAL = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("two hold it, the third waits for one of them, the fourth for another", async () => {
  const semaphore = new Semaphore(2);
  const got: number[] = [];
  const holds: Disposable[] = [];
  for (const each of [1, 2, 3, 4]) {
    void semaphore.acquire(SIGNAL).then((hold) => {
      got.push(each);
      holds.push(hold);
    });
  }
  await turn();
  assert.deepEqual(got, [1, 2]);
  holds[0]?.[Symbol.dispose]();
  await turn();
  assert.deepEqual(got, [1, 2, 3]);
  holds[1]?.[Symbol.dispose]();
  await turn();
  assert.deepEqual(got, [1, 2, 3, 4]);
});

test("who gives up waiting takes nothing along, not even when its turn comes in the same moment", async () => {
  const semaphore = new Semaphore(1);
  const hold = await semaphore.acquire(SIGNAL);
  const leaving = new AbortController();
  const reason = new Error("enough");
  const left = [semaphore.acquire(leaving.signal), semaphore.acquire(leaving.signal)];
  hold[Symbol.dispose]();
  leaving.abort(reason);
  const ends = await Promise.allSettled(left);
  for (const end of ends) if (end.status === "fulfilled") end.value[Symbol.dispose]();
  assert.ok(await semaphore.acquire(SIGNAL));
});
