import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { hashOf, type Member, planShards, type ShardTable, shardsOf, shareOut } from "../../src/control/shards.ts";

const NONE: ReadonlySet<number> = new Set();

function members(names: string, shards: number, leaving = ""): Member[] {
  return [...names].map((id) => ({ id, shards, leaving: leaving.includes(id) }));
}

function counts(table: ShardTable, names: string): number[] {
  return [...names].map((id) => shardsOf(table, id).length);
}

/** Lets members plan and write in the given order until nobody has anything left to do; every handover is drained. */
function settle(table: ShardTable | undefined, group: readonly Member[], order: () => number): ShardTable {
  let current = table;
  for (let idle = 0, turns = 0; idle < group.length; turns++) {
    assert.ok(turns < 500, "it does not come to rest");
    const start = order() % Math.max(1, group.length);
    const turn = (index: number) => group[(start + index) % group.length]?.id ?? "";
    idle = 0;
    for (let index = 0; index < group.length; index++) {
      const before = current;
      const plan = planShards(before, group, turn(index), NONE);
      const next = plan.next ?? planShards(before, group, turn(index), new Set(plan.give)).next;
      if (next === undefined) idle += 1;
      for (const [shard, owner] of (before?.length === next?.length ? (before ?? []) : []).entries()) {
        const isLive = group.some(({ id }) => id === owner);
        if (isLive && owner !== turn(index)) assert.equal(next?.[shard], owner, "a member changes its own rows alone");
      }
      current = next ?? current;
    }
  }
  return current ?? [];
}

const groups = fc
  .uniqueArray(fc.constantFrom(..."abcdefgh"), { minLength: 1, maxLength: 8 })
  .map((ids) => ids.join(""));
const sizes = fc.integer({ min: 1, max: 40 });
const orders = fc.infiniteStream(fc.nat(100)).map((stream) => () => stream.next().value as number);

test("UIDs spread evenly over any number of shards, and each belongs to the same one every time", () => {
  const uids = Array.from({ length: 16_000 }, () => randomUUID());
  const tally = new Array(16).fill(0);
  for (const uid of uids) tally[hashOf(uid) % 16] += 1;
  assert.ok(Math.min(...tally) > 800 && Math.max(...tally) < 1200, `${tally}`);
  assert.equal(hashOf("7e0f2a52-2f0c-4f0e-9a52-6e1d9a4b3c21"), hashOf("7e0f2a52-2f0c-4f0e-9a52-6e1d9a4b3c21"));
  assert.ok(uids.every((uid) => Number.isInteger(hashOf(uid)) && hashOf(uid) >= 0 && hashOf(uid) < 2 ** 30));
});

test("whoever plans first, each shard comes to one live owner, and shares differ by one at most", () => {
  fc.assert(
    fc.property(groups, sizes, orders, (names, size, order) => {
      const table = settle(undefined, members(names, size), order);
      assert.equal(table.length, size);
      const shares = counts(table, names);
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        size,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, `${shares}`);
    }),
  );
});

test("when replicas join, leave and die, no more shards move than the shares ask for", () => {
  fc.assert(
    fc.property(groups, groups, sizes, orders, (before, after, size, order) => {
      const from = settle(undefined, members(before, size), order);
      const to = settle(from, members(after, size), order);
      const stay = [...before].filter((id) => after.includes(id));
      const kept = to.filter((owner, shard) => owner === from[shard]).length;
      const shares = new Map([...after].map((id) => [id, shardsOf(to, id).length]));
      const most = stay.reduce((sum, id) => sum + Math.min(shardsOf(from, id).length, shares.get(id) ?? 0), 0);
      assert.equal(kept, most, `${from} → ${to}`);
    }),
  );
});

test("nothing moves while the group stays as it is", () => {
  fc.assert(
    fc.property(groups, sizes, orders, (names, size, order) => {
      const table = settle(undefined, members(names, size), order);
      for (const { id } of members(names, size)) {
        assert.deepEqual(planShards(table, members(names, size), id, NONE), { give: [] });
      }
    }),
  );
});

test("a shard is free for others only when its owner has written that it is drained", () => {
  const both = members("ab", 4);
  const alone = ["a", "a", "a", "a"];
  assert.deepEqual(planShards(alone, both, "b", NONE), { give: [] });
  assert.deepEqual(planShards(alone, both, "a", NONE), { give: [2, 3] });
  assert.deepEqual(planShards(alone, both, "a", new Set([3])), { give: [2, 3], next: ["a", "a", "a", ""] });
  assert.deepEqual(planShards(["a", "a", "a", ""], both, "b", NONE), { give: [], next: ["a", "a", "a", "b"] });
});

test("the shards of a member that is gone go to those that live", () => {
  assert.deepEqual(planShards(["a", "x", "x", "a"], members("ab", 4), "b", NONE).next, ["a", "b", "b", "a"]);
});

test("a member that leaves gives everything and takes nothing", () => {
  const group = members("ab", 4, "a");
  assert.deepEqual(planShards(["a", "a", "b", ""], group, "a", NONE), { give: [0, 1] });
  assert.deepEqual(shareOut(["a", "a", "b", ""], group), ["b", "b", "b", "b"]);
});

test("a replica that is not seated plans nothing", () => {
  assert.deepEqual(planShards(["", ""], members("a", 2), "b", NONE), { give: [] });
});

test("replicas that differ in the number of shards go on with the number in use", () => {
  const group = [...members("a", 4), ...members("b", 8)];
  const table = settle(["a", "a", "a", "a"], group, () => 0);
  assert.deepEqual(counts(table, "ab"), [2, 2]);
});

test("when all have come to another number, everything is given back before the table is made anew", () => {
  const group = members("ab", 8);
  const inUse = ["a", "a", "b", "b"];
  assert.deepEqual(planShards(inUse, group, "a", NONE), { give: [0, 1] });
  assert.deepEqual(planShards(inUse, group, "a", new Set([0, 1])), { give: [0, 1], next: ["", "", "b", "b"] });
  assert.deepEqual(planShards(["", "", "b", "b"], group, "a", NONE), { give: [] });
  assert.deepEqual(
    counts(
      settle(inUse, group, () => 1),
      "ab",
    ),
    [4, 4],
  );
});
