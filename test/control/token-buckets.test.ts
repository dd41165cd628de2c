import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TokenBuckets } from "../../src/control/token-buckets.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-11-22T20:00:00Z");

/** Takes tokens of `key` while there are any; returns how many. */
function drain(buckets: TokenBuckets, key: string, nowMs: number, share?: number): number {
  let taken = 0;
  for (; buckets.waitMs(key, nowMs, share) === 0 && taken < 1000; taken += 1) buckets.take(key, nowMs, share);
  return taken;
}

test("a full bucket gives its count at once, then one more in each part of the period", () => {
  const buckets = new TokenBuckets({ count: 7, periodMs: HOUR_MS }, 10);
  assert.equal(drain(buckets, "a", NOW), 7);
  const waitMs = buckets.waitMs("a", NOW);
  assert.ok(Math.abs(waitMs - HOUR_MS / 7) < 2, `${waitMs}`);
  assert.equal(drain(buckets, "a", NOW + waitMs + 1), 1);
  assert.equal(drain(buckets, "b", NOW), 7, "another key has a bucket of its own");
  assert.equal(drain(buckets, "a", NOW + 2 * HOUR_MS), 7, "idle buckets fill up, and no further");
});

test("what is given back can be taken again", () => {
  const buckets = new TokenBuckets({ count: 2, periodMs: HOUR_MS }, 10);
  drain(buckets, "a", NOW);
  buckets.giveBack("a", NOW);
  assert.equal(drain(buckets, "a", NOW), 1);
  buckets.giveBack("a", NOW);
  buckets.giveBack("a", NOW);
  assert.equal(buckets.size, 0, "a full bucket needs no memory");
});

test("a share of the rate is that much of it, and at least one token deep", () => {
  const buckets = new TokenBuckets({ count: 10, periodMs: HOUR_MS }, 10);
  assert.equal(drain(buckets, "a", NOW, 0.5), 5);
  assert.equal(drain(buckets, "b", NOW, 0.01), 1);
  assert.ok(Math.abs(buckets.waitMs("b", NOW, 0.01) - 10 * HOUR_MS) < 2);
});

test("a clock that was set back keeps nobody waiting for longer than a bucket takes to fill", () => {
  const buckets = new TokenBuckets({ count: 1, periodMs: HOUR_MS }, 10);
  drain(buckets, "a", NOW);
  assert.equal(buckets.waitMs("a", NOW - 24 * HOUR_MS), HOUR_MS);
});

test("a flood of keys takes bounded memory and forgets the key that was used longest ago", () => {
  const buckets = new TokenBuckets({ count: 1, periodMs: HOUR_MS }, 100);
  buckets.take("first", NOW);
  buckets.take("second", NOW);
  for (let index = 0; index < 99; index += 1) buckets.take(`flood-${index}`, NOW);
  assert.equal(buckets.size, 100);
  assert.equal(buckets.waitMs("first", NOW), 0);
  assert.ok(buckets.waitMs("second", NOW) > 0);
});

test("no stretch of time sees more tokens than the bucket holds and what flows in meanwhile", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: HOUR_MS }), { minLength: 1, maxLength: 60 });
  const rate = fc.record({ count: fc.integer({ min: 1, max: 20 }), periodMs: fc.integer({ min: 1000, max: HOUR_MS }) });
  fc.assert(
    fc.property(rate, gaps, (limit, pauses) => {
      const buckets = new TokenBuckets(limit, 10);
      const takenAt: number[] = [];
      let nowMs = NOW;
      for (const pause of pauses) {
        nowMs += pause;
        for (let taken = drain(buckets, "a", nowMs); taken > 0; taken -= 1) takenAt.push(nowMs);
      }
      for (const [first, from] of takenAt.entries()) {
        for (const [last, to] of takenAt.entries()) {
          const most = limit.count + ((to - from + takenAt.length) * limit.count) / limit.periodMs + 1e-6;
          if (last >= first) assert.ok(last - first + 1 <= most, `${last - first + 1} in ${to - from} ms`);
        }
      }
    }),
    { numRuns: 50 },
  );
});
