import assert from "node:assert/strict";
import { test } from "node:test";
import { Holdings } from "../../src/control/holdings.ts";

test("a shard that is given away is held until it is drained, and not again before the table was seen without it", () => {
  const holdings = new Holdings();
  assert.deepEqual(holdings.follow(new Set([1, 2]), true), { gained: true, lost: false });
  const { begun, finish } = holdings.drain([2, 3]);
  assert.deepEqual(begun, [2]);
  assert.deepEqual([holdings.takes(2), holdings.tenureOf(2) !== undefined], [false, true]);
  finish(2);
  assert.deepEqual([holdings.tenureOf(2) !== undefined, [...holdings.drained]], [false, [2]]);
  assert.deepEqual(holdings.follow(new Set([1, 2]), true), { gained: false, lost: false });
  assert.equal(holdings.tenureOf(2) !== undefined, false);
  holdings.follow(new Set([1]), true);
  assert.deepEqual(holdings.follow(new Set([1, 2]), true), { gained: true, lost: false });
  assert.equal(holdings.takes(2), true);
});

test("a draining that was overtaken by the shard's loss and return gives nothing away", () => {
  const holdings = new Holdings();
  holdings.follow(new Set([1]), true);
  const { finish } = holdings.drain([1]);
  assert.deepEqual(holdings.follow(new Set([1]), false), { gained: false, lost: true });
  holdings.follow(new Set([1]), true);
  finish(1);
  assert.deepEqual([holdings.takes(1), holdings.drained.size], [true, 0]);
});

test("a shard that is kept has one tenure, and another one when it was lost and came back", () => {
  const holdings = new Holdings();
  holdings.follow(new Set([1]), true);
  const tenure = holdings.tenureOf(1);
  holdings.follow(new Set([1, 2]), true);
  assert.equal(holdings.tenureOf(1), tenure);
  holdings.follow(new Set(), true);
  holdings.follow(new Set([1]), true);
  assert.notEqual(holdings.tenureOf(1), tenure);
});
