import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../deploy/manifests.ts";
import { MUTANTS, mutated } from "./mutants.ts";

test("every courier that is to be broken on purpose can be made from the source as it is", async () => {
  const broken = await Promise.all(MUTANTS.map((mutant) => mutated(ROOT, mutant)));
  assert.ok(broken.length > 0);
});
