/** When a service that finds a backlog says that it is ready. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { messageOf, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

/** More than are held in memory and worked on at a time, so that the list cannot be read to its end. */
const MANY = 400;

test("a backlog behind a mail server that does not answer does not keep the service from being ready", async (t) => {
  const answered = Promise.withResolvers<void>();
  const platform = await startPlatform(t, {
    apiServerAway: true,
    smtp: { pause: { at: "greeting", until: answered.promise } },
  });
  const spec = { body: {}, notifications: [subscriptionOf("ann@example.com")] };
  await platform.apply(
    templateOf("Hello"),
    ...Array.from({ length: MANY }, (_, index) => messageOf(`waits-${index}`, spec)),
  );
  assert.notDeepEqual(platform.service.readiness.missing(), []);
  platform.link.mend();
  await platform.service.readiness.ready();
  assert.deepEqual([platform.smtp.mails.length, platform.service.readiness.missing()], [0, []]);
  answered.resolve();
});
