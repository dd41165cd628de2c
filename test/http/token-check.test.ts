import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessReviewer, Action, ApiUser } from "../../src/http/ports.ts";
import { TokenCheck } from "../../src/http/token-check.ts";

function reviewerOf(authenticate: (token: string) => Promise<ApiUser | undefined>) {
  const asked: string[] = [];
  const reviewer: AccessReviewer = {
    authenticate(token) {
      asked.push(token);
      return authenticate(token);
    },
    authorize: async () => ({ allowed: true, reason: "" }),
  };
  return { asked, reviewer };
}

test("a token is asked about once a minute, and a refused one again after seconds", async () => {
  let nowMs = 0;
  const { asked, reviewer } = reviewerOf(async (token) => (token === "good" ? { username: "ann" } : undefined));
  const check = new TokenCheck(reviewer, () => nowMs);
  const users = await Promise.all([check.userOf("good"), check.userOf("good"), check.userOf("bad")]);
  assert.deepEqual(users, [{ username: "ann" }, { username: "ann" }, undefined]);
  assert.deepEqual(asked, ["good", "bad"]);
  nowMs = 6_000;
  await Promise.all([check.userOf("good"), check.userOf("bad")]);
  assert.deepEqual(asked, ["good", "bad", "bad"]);
  nowMs = 60_000;
  await check.userOf("good");
  assert.deepEqual(asked, ["good", "bad", "bad", "good"]);
});

test("an API server that cannot be asked is no answer: nobody is let in, nothing is remembered or told", async () => {
  let isAway = true;
  const { reviewer } = reviewerOf(async () => {
    if (isAway) throw new Error("Cannot create tokenreviews at https://10.0.0.1: refused");
    return { username: "ann" };
  });
  const check = new TokenCheck(reviewer);
  await assert.rejects(check.userOf("good"), {
    code: 503,
    message: "the API server cannot check who you are now: try again",
  });
  isAway = false;
  assert.deepEqual(await check.userOf("good"), { username: "ann" });
});

test("made-up tokens are neither kept nor asked about without bound, and do not shut out who was let in", async () => {
  const held = Promise.withResolvers<ApiUser | undefined>();
  const { asked, reviewer } = reviewerOf(async (token) => (token === "good" ? { username: "ann" } : held.promise));
  const check = new TokenCheck(reviewer);
  const ann = await check.userOf("good");
  const flood = Array.from({ length: 100 }, (_, index) => check.userOf(`held-${index}`).catch((error) => error.code));
  assert.equal(await check.userOf("late").catch((error) => error.code), 503);
  assert.deepEqual(await check.userOf("good"), ann);
  await check.review({ username: "ann" }, {} as Action, new AbortController().signal);
  held.resolve(undefined);
  assert.equal((await Promise.all(flood)).filter((code) => code === 503).length, 84);
  for (let index = 0; index < 1_000; index += 1) await check.userOf(`other-${index}`);
  const before = asked.length;
  await check.userOf("held-0");
  assert.equal(asked.length, before + 1, "the oldest was forgotten");
  await check.userOf("good");
  assert.equal(asked.length, before + 1, "the one that was taken was not");
});
