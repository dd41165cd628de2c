import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConnectionLimit } from "../../src/mail/connection-limit.ts";

test("connections that are refused at one moment halve the number once", () => {
  const limit = new ConnectionLimit(10);
  const before = limit.epoch;
  for (let refusal = 0; refusal < 8; refusal++) limit.refused(before, 0);
  assert.equal(limit.current, 5);
  limit.refused(limit.epoch, 0);
  assert.equal(limit.current, 2);
});

test("mails that are taken bring back one connection after a while, and a refusal takes that one alone", () => {
  const limit = new ConnectionLimit(10);
  limit.refused(limit.epoch, 0);
  limit.taken(14_000);
  assert.equal(limit.current, 5);
  limit.taken(15_000);
  limit.taken(16_000);
  assert.equal(limit.current, 6);
  limit.refused(limit.epoch, 17_000);
  assert.equal(limit.current, 5);
});

test("a server without any session is left alone for longer each time, until it takes a mail", () => {
  const limit = new ConnectionLimit(10);
  assert.equal(limit.restMs(0), 0);
  limit.rest(0);
  const first = limit.restMs(0);
  limit.rest(first);
  assert.ok(first >= 750 && first <= 1000 && limit.restMs(first) > first, `${first}, ${limit.restMs(first)}`);
  limit.taken(first);
  assert.equal(limit.restMs(first), 0);
});

test("whatever happens there is at least one connection and never more than configured, nor more than four new ones a minute", () => {
  const event = fc.record({ kind: fc.constantFrom("refused", "taken", "rest"), afterMs: fc.nat(10_000) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(event, { maxLength: 200 }), (max, events) => {
      const limit = new ConnectionLimit(max);
      let now = 0;
      let grown = 0;
      for (const { kind, afterMs } of events) {
        now += afterMs;
        const before = limit.current;
        if (kind === "refused") limit.refused(limit.epoch, now);
        else if (kind === "taken") limit.taken(now);
        else limit.rest(now);
        if (limit.current > before) grown += 1;
        assert.ok(limit.current >= 1 && limit.current <= max && limit.restMs(now) <= 30_000);
      }
      assert.ok(grown <= now / 15_000 + 1);
    }),
  );
});
