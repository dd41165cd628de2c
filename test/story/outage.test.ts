/** The API server is away, at the start or in between: nothing is lost, nothing is sent twice without need. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const HELLO = templateOf("Hello");
const GOOD = { body: { labels: { name: "good" } }, notifications: [subscriptionOf("ann@example.com")] };

test("a start without API server is not ready, says so, and delivers when the API server is there", async (t) => {
  const platform = await startPlatform(t, { apiServerAway: true });
  await platform.apply(HELLO);
  const name = await platform.send(GOOD);
  assert.match(platform.service.readiness.missing().join("\n"), /lease: /);
  platform.link.mend();
  await platform.gone(name);
  assert.equal(platform.smtp.mails.length, 1);
});

test("mail that was accepted while the API server went away is recorded afterwards and not sent again", async (t) => {
  const held = Promise.withResolvers<void>();
  const platform = await startPlatform(t, { smtp: { hold: () => held.promise } });
  await platform.apply(HELLO);
  const name = await platform.send(GOOD);
  await platform.smtp.reached("final-dot");
  platform.link.cut();
  const later = await platform.send(GOOD);
  held.resolve();
  await platform.smtp.received(1);
  platform.link.mend();
  await platform.gone(name);
  await platform.gone(later);
  await platform.service.readiness.ready();
  const ids = platform.smtp.mails.map(({ parsed }) => parsed.messageId);
  assert.equal(ids.length, 2);
  assert.equal(new Set(ids).size, 2);
});

test("a stop lets the mail in flight finish and writes its status", async (t) => {
  const held = Promise.withResolvers<void>();
  const platform = await startPlatform(t, { smtp: { hold: () => held.promise } });
  await platform.apply(HELLO);
  const name = await platform.send(GOOD);
  await platform.smtp.reached("final-dot");
  const stopped = platform.service.stop();
  held.resolve();
  await stopped;
  await platform.gone(name);
  assert.equal(platform.smtp.mails.length, 1);
});
