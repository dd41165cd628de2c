import assert from "node:assert/strict";
import { test } from "node:test";
import { Shelf } from "../../src/control/shelf.ts";

test("who brings more than the shelf holds waits until something is taken", async () => {
  const shelf = new Shelf<number>(2);
  const { signal } = new AbortController();
  shelf.put("a", 1);
  await shelf.room(signal);
  shelf.put("b", 2);
  let hasRoom = false;
  const room = shelf.room(signal).then(() => {
    hasRoom = true;
  });
  assert.equal(shelf.take("c"), undefined);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasRoom, false);
  assert.equal(shelf.take("a"), 1);
  await room;
});

test("waiting for room ends with the signal", async () => {
  const shelf = new Shelf<number>(0);
  const reason = new Error("enough");
  await assert.rejects(shelf.room(AbortSignal.abort(reason)), reason);
});
