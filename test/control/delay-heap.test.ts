import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DelayHeap } from "../../src/control/delay-heap.ts";

test("keys come out in the order in which they are due", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ key: fc.integer({ min: 0, max: 20 }), due: fc.nat(1000) })), (adds) => {
      const heap = new DelayHeap();
      const earliest = new Map<string, number>();
      for (const { key, due } of adds) {
        heap.add(`${key}`, due);
        earliest.set(`${key}`, Math.min(due, earliest.get(`${key}`) ?? Number.POSITIVE_INFINITY));
      }
      const taken = heap.takeDue(1000);
      assert.deepEqual(
        taken.map((key) => earliest.get(key)),
        [...earliest.values()].sort((a, b) => a - b),
      );
      assert.equal(heap.size, 0);
    }),
  );
});

test("a key that is not due yet stays, and a deleted one never comes", () => {
  const heap = new DelayHeap();
  heap.add("later", 20);
  heap.add("now", 10);
  heap.add("dropped", 5);
  heap.delete("dropped");
  assert.equal(heap.nextDueMs(), 10);
  assert.deepEqual(heap.takeDue(10), ["now"]);
  assert.equal(heap.nextDueMs(), 20);
});
