/** The Lease goes to another replica and comes back; a service that ends leaves nothing open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASE } from "../../src/resources/kinds.ts";
import { type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const GOOD = { body: {}, notifications: [subscriptionOf("ann@example.com")] };
const KEY = { namespace: "cpaas-system", name: "courier-api" };

test("a replica that lost the Lease is a ready standby, and delivers again when it leads again", async (t) => {
  const platform = await startPlatform(t);
  const { service } = platform;
  await platform.apply(templateOf("Hello"));
  await platform.gone(await platform.send(GOOD));
  await holdLease(platform, "another", 60);
  await platform.logged("Standing by");
  assert.deepEqual(service.readiness.missing(), []);
  const name = await platform.send(GOOD);
  await holdLease(platform, "", 1);
  await platform.gone(name);
  assert.equal(platform.smtp.mails.length, 2);
});

test("a missing Secret does not keep the service from being ready, and /readyz tells of it", async (t) => {
  const platform = await startPlatform(t, { secret: null });
  const { host, port } = platform.service.address;
  const response = await fetch(`http://${host}:${port}/readyz`);
  assert.equal(response.status, 200);
  assert.match(
    await response.text(),
    /^ok\n- mail server: Secret "cpaas-system\/platform-email-server" does not exist: create it/,
  );
});

test("a standby that stops has no connection to the mail server left", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(templateOf("Hello"));
  await platform.gone(await platform.send(GOOD));
  await holdLease(platform, "another", 60);
  await platform.logged("Standing by");
  await platform.service.stop();
  const stoppedMs = performance.now();
  await platform.smtp.disconnected();
  assert.ok(performance.now() - stoppedMs < 10_000, "they are closed, not merely idle for too long");
});

function holdLease({ client }: Platform, holderIdentity: string, leaseDurationSeconds: number): Promise<unknown> {
  const spec = { holderIdentity, leaseDurationSeconds, renewTime: "2026-11-22T10:00:00.000000Z" };
  return client.mergePatch(LEASE, KEY, { spec });
}
