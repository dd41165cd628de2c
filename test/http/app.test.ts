import assert from "node:assert/strict";
import { test } from "node:test";
import request from "supertest";
import { createHttpApp } from "../../src/http/app.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { Readiness } from "../../src/observe/readiness.ts";

function createApp() {
  const readiness = new Readiness();
  const metrics = createMetrics({
    version: "1.2.3",
    reasons: ["MailRejected"],
    load: () => ({
      queued: 3,
      active: 1,
      failed: 2,
      waiting: new Map([["MailRejected", 5]]),
      oldestPendingMs: Date.now() - 60_000,
    }),
  });
  return { app: createHttpApp({ readiness, metrics: metrics.registry }), readiness, metrics };
}

test("/healthz says ok while the process lives, ready or not", async () => {
  const { app, readiness } = createApp();
  readiness.lack("lease", "not asked for yet");
  await request(app).get("/healthz").expect(200, "ok\n");
});

test("/readyz names what is missing and why", async () => {
  const { app, readiness } = createApp();
  readiness.lack("secrets in cpaas-system", "forbidden");
  const { text } = await request(app).get("/readyz").expect(503);
  assert.equal(text, "not ready\n- secrets in cpaas-system: forbidden\n");
  readiness.have("secrets in cpaas-system");
  await request(app).get("/readyz").expect(200, "ok\n");
});

test("/metrics has every counter at zero from the start, and reads the queue when it is asked", async () => {
  const { app, metrics } = createApp();
  const first = await request(app).get("/metrics").expect(200);
  for (const line of [
    "courier_messages_received_total 0",
    'courier_delivery_attempts_total{method="Email"} 0',
    'courier_deliveries_total{outcome="Done"} 0',
    'courier_deliveries_total{outcome="Failed"} 0',
    'courier_delivery_failures_total{method="Email",reason="MailRejected"} 0',
    "courier_queue_depth 3",
    "courier_messages_in_flight 1",
    "courier_shards_held 0",
    "courier_dead_letters 2",
    'courier_messages_waiting{reason="MailRejected"} 5',
    "courier_last_delivery_timestamp_seconds 0",
  ]) {
    assert.ok(first.text.includes(`\n${line}\n`), line);
  }
  metrics.attempted("Email", "MailRejected");
  metrics.stopped("a tenant's own method", "MailRejected");
  metrics.finished("Failed", 2);
  const second = await request(app).get("/metrics");
  assert.ok(second.text.includes('courier_delivery_failures_total{method="Email",reason="MailRejected"} 1'));
  assert.ok(second.text.includes('courier_delivery_failures_total{method="other",reason="MailRejected"} 1'));
  assert.ok(second.text.includes('courier_deliveries_total{outcome="Failed"} 1'));
  assert.match(second.text, /\ncourier_oldest_pending_age_seconds 6\d/);
});

test("any other path is 404 and lists nothing", async () => {
  const { app } = createApp();
  const { headers } = await request(app).get("/etc/").expect(404);
  assert.equal(headers["x-powered-by"], undefined);
  assert.equal(headers["x-content-type-options"], "nosniff");
});
