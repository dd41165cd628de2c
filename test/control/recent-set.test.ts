import assert from "node:assert/strict";
import test from "node:test";
import { RecentSet } from "../../src/control/recent-set.ts";

test("the last entries are remembered, and at most twice as many", () => {
  const set = new RecentSet<number>(10);
  for (let entry = 0; entry < 100; entry += 1) {
    set.add(entry);
    const remembered = Array.from({ length: entry + 1 }, (_, each) => each).filter((each) => set.has(each));
    assert.deepEqual(remembered.slice(-10), Array.from({ length: entry + 1 }, (_, each) => each).slice(-10));
    assert.ok(remembered.length <= 20);
  }
});

test("an entry that was deleted is forgotten, however old it is", () => {
  const set = new RecentSet<string>(2);
  for (const entry of ["old", "other", "new"]) set.add(entry);
  set.delete("old");
  set.delete("new");
  assert.deepEqual(
    ["old", "other", "new"].filter((entry) => set.has(entry)),
    ["other"],
  );
});
