import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "../../src/kube/session.ts";

/** A session with a clock and credentials that the test moves. */
function sessionOf() {
  const world = { now: 1_000, token: "one" as string | Error, ca: "ca", reads: 0, after: [] as (string | undefined)[] };
  const authenticate = async (after?: "refusal") => {
    world.reads += 1;
    world.after.push(after);
    if (world.token instanceof Error) throw world.token;
    return { headers: { authorization: world.token }, tls: { ca: world.ca } };
  };
  const session = new Session({ server: "https://127.0.0.1:1", authenticate }, 1, () => world.now);
  return { world, session };
}

test("credentials are read again after a minute, once for all that ask, and connections stay", async () => {
  const { world, session } = sessionOf();
  const first = await session.line();
  world.token = "two";
  world.now += 59_000;
  assert.equal((await session.line()).headers["authorization"], "one");
  world.now += 1_000;
  const lines = await Promise.all([session.line(), session.line()]);
  assert.deepEqual(
    lines.map(({ headers }) => headers["authorization"]),
    ["two", "two"],
  );
  assert.equal(world.reads, 2);
  assert.equal(lines[0].requests, first.requests);
});

test("new certificates take new connections", async () => {
  const { world, session } = sessionOf();
  const first = await session.line();
  world.ca = "another";
  world.now += 60_000;
  assert.notEqual((await session.line()).requests, first.requests);
  await session.close();
});

test("a token file that cannot be read leaves the old token in use until the server refuses it", async () => {
  const { world, session } = sessionOf();
  await session.line();
  world.token = new Error("no file");
  world.now += 60_000;
  const second = await session.line();
  assert.equal(second.headers["authorization"], "one");
  assert.equal(session.refuse(second), true);
  await assert.rejects(session.line(), world.token);
});

test("credentials that are refused anew right after they were read again are read no more for a moment", async () => {
  const { world, session } = sessionOf();
  const first = await session.line();
  assert.equal(session.refuse(first), true);
  const second = await session.line();
  assert.equal(session.refuse(first), true, "the second is another");
  assert.equal(session.refuse(second), false);
  assert.equal(await session.line(), second);
  world.now += 1_500;
  assert.equal(session.refuse(second), true);
  await session.line();
  assert.deepEqual(world.after, [undefined, "refusal", "refusal"]);
});

test("a closed session serves no more", async () => {
  const { session } = sessionOf();
  await session.line();
  await session.close();
  await assert.rejects(session.line(), { code: 0, message: /the client is closed/ });
});
