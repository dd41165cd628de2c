/** A seat goes to another replica and comes back; a service that ends leaves nothing open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASE } from "../../src/resources/kinds.ts";
import { type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const GOOD = { body: {}, notifications: [subscriptionOf("ann@example.com")] };
/** The only seat there is can be taken away. */
const serve = { shards: 1, leaseName: "one-seat" };
const SEAT = { namespace: "cpaas-system", name: `${serve.leaseName}-0` };

test("a replica whose seat another has taken is a ready standby, and delivers again when it gets one", async (t) => {
  const platform = await startPlatform(t, { serve });
  const { service } = platform;
  await platform.apply(templateOf("Hello"));
  await platform.gone(await platform.send(GOOD));
  await holdSeat(platform, "another", 60);
  await platform.logged("Standing by");
  assert.deepEqual(service.readiness.missing(), []);
  const name = await platform.send(GOOD);
  await holdSeat(platform, "", 1);
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
  const platform = await startPlatform(t, { serve });
  await platform.apply(templateOf("Hello"));
  await platform.gone(await platform.send(GOOD));
  await holdSeat(platform, "another", 60);
  await platform.logged("Standing by");
  await platform.service.stop();
  const stoppedMs = performance.now();
  await platform.smtp.disconnected();
  assert.ok(performance.now() - stoppedMs < 10_000, "they are closed, not merely idle for too long");
});

function holdSeat({ client }: Platform, holderIdentity: string, leaseDurationSeconds: number): Promise<unknown> {
  const spec = { holderIdentity, leaseDurationSeconds, renewTime: "2026-11-22T10:00:00.000000Z" };
  return client.mergePatch(LEASE, SEAT, { spec });
}
