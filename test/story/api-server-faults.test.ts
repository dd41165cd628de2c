/** An API server that is away, slow, busy, broken or silent: every message is delivered once, and nobody storms it. */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { suite, type TestContext, test } from "node:test";
import { waitFor } from "../../src/cli/wait-for.ts";
import type { ServeConfig } from "../../src/config/config.ts";
import { NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { REAL_KUBECONFIG } from "../support/api-server.ts";
import type { Fault, SeenRequest } from "../support/fault-proxy.ts";
import { messageOf, type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const PATIENCE_MS = 60_000;
const PAUSE_SECONDS = 3;
const STATUS = "notificationmessages/status";

function startFaulty(t: TestContext, serve: Partial<ServeConfig> = {}): Promise<Platform> {
  return startPlatform(t, { faults: true, serve });
}

/** Creates `count` messages, each to a recipient of its own. */
async function sendMany({ apply }: Platform, count: number, from = 0): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `m${from + index}`);
  await apply(
    ...names.map((name) =>
      messageOf(name, { body: { labels: { name } }, notifications: [subscriptionOf(`${name}@example.com`)] }),
    ),
  );
}

/** Resolves when no message is left; each of `count` recipients has got one mail then. */
async function deliveredOnce({ client, smtp }: Platform, count: number): Promise<void> {
  const left = new Set<string | undefined>();
  let isSynced = false;
  await waitFor(
    client,
    NOTIFICATION_MESSAGE,
    { namespace: "cpaas-system" },
    (event) => {
      if (event.type === "Synced") isSynced = true;
      else if (event.type === "Deleted") left.delete(event.object.metadata.name);
      else left.add(event.object.metadata.name);
      return isSynced && left.size === 0 ? true : undefined;
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
  const to = smtp.mails.map((mail) => mail.to.join());
  assert.equal(new Set(to).size, count, "every recipient has got a mail");
  assert.equal(to.length, count, "nobody has got two");
}

/** The requests that `verb` and `resource` (with its subresource) name. */
function requestsFor({ faults }: Platform, verb: string, resource: string): SeenRequest[] {
  return faults.requests.filter((seen) => seen.verb === verb && seen.resource === resource);
}

/** `fault` for about this share of the requests that are meant, the same ones in every run of the same requests. */
function some(share: number, fault: Fault, isMeant: (seen: SeenRequest) => boolean = () => true) {
  let seed = 1;
  return (seen: SeenRequest) => {
    if (!isMeant(seen)) return undefined;
    seed = (seed * 48_271) % 0x7fff_ffff; // Park and Miller's generator
    return seed / 0x7fff_ffff < share ? fault : undefined;
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// Side by side: they mostly wait. A real API server has room for one platform.
suite("faults of the API server", { concurrency: REAL_KUBECONFIG === undefined ? 2 : 1 }, () => {
  test("while the API server is away no mail is begun and it is asked about once a second, whatever waits", async (t) => {
    const platform = await startFaulty(t);
    const { faults, logs, smtp } = platform;
    await platform.apply(templateOf("Hello"));
    await sendMany(platform, 80);
    await smtp.received(10);
    faults.setAway(true);
    await platform.logged("Cannot write status");
    await pause(1000); // what was in flight has ended, and every worker has met the outage
    const before = { connections: faults.connections, begun: begunIn(logs), at: performance.now() };
    await pause(4000);
    const seconds = (performance.now() - before.at) / 1000;
    const asked = (faults.connections - before.connections) / seconds;
    assert.ok(asked <= 4, `${asked} connections a second`); // with the Lease, which goes its own way
    assert.equal(begunIn(logs), before.begun);
    faults.setAway(false);
    await deliveredOnce(platform, 80);
  });

  test("an API server that takes half a second for every answer is waited for, with no request more", async (t) => {
    const platform = await startFaulty(t);
    await platform.apply(templateOf("Hello"));
    platform.faults.fault = ({ verb }) => (verb === "watch" ? undefined : { delayMs: 500 });
    await sendMany(platform, 30);
    await deliveredOnce(platform, 30);
    assert.equal(requestsFor(platform, "patch", STATUS).length, 30);
    assert.equal(requestsFor(platform, "delete", "notificationmessages").length, 30);
  });

  test("a Retry-After holds for every request for that kind: writes, reads, watches, Leases", async (t) => {
    const platform = await startFaulty(t);
    const { faults } = platform;
    await platform.apply(templateOf("Hello"));
    const stalls = monitorEventLoopDelay();
    stalls.enable();
    const kindOf = ({ group, resource }: SeenRequest) => `${group}/${resource.split("/")[0]}`;
    const busyUntil = new Map<string, number>();
    faults.fault = (seen) => {
      const until = busyUntil.get(kindOf(seen)) ?? seen.at + PAUSE_SECONDS * 1000;
      busyUntil.set(kindOf(seen), until);
      return seen.at < until ? { answer: 429, retryAfterSeconds: PAUSE_SECONDS } : undefined;
    };
    await sendMany(platform, 20);
    faults.expireWatches();
    await deliveredOnce(platform, 20);
    const refusals = faults.requests.filter(({ answered }) => answered === 429);
    for (const kind of ["notificationmessages", "notificationtemplates", "secrets", "leases"])
      assert.ok(
        refusals.some((seen) => kindOf(seen).endsWith(`/${kind}`)),
        kind,
      );
    // What was under way when the refusal was written cannot have known of it.
    const underWayMs = 500 + (3 * stalls.max) / 1e6;
    for (const refusal of refusals) {
      const [from, to] = [underWayMs, PAUSE_SECONDS * 1000].map((ms) => (refusal.answeredAt ?? 0) + ms);
      const early = faults.requests.filter(
        (seen) => kindOf(seen) === kindOf(refusal) && seen.at > (from ?? 0) && seen.at < (to ?? 0),
      );
      assert.deepEqual(early, [], `in the pause of ${JSON.stringify(refusal)}`);
    }
  });

  test("500 to three of ten requests costs repeats, and neither a message nor a second mail", async (t) => {
    const platform = await startFaulty(t);
    const { faults, smtp } = platform;
    await platform.apply(templateOf("Hello"));
    faults.fault = some(0.3, { answer: 500 });
    await sendMany(platform, 40);
    await smtp.received(40);
    faults.fault = () => undefined;
    await deliveredOnce(platform, 40);
    const writes = faults.requests.filter(({ verb }) => verb === "patch" || verb === "delete");
    assert.ok(writes.length <= 160, `${writes.length} writes for 40 messages`);
  });

  test("409 to three of ten statuses is answered by a read and a write, not by a second mail", async (t) => {
    const platform = await startFaulty(t);
    await platform.apply(templateOf("Hello"));
    platform.faults.fault = some(0.3, { answer: 409 }, ({ resource }) => resource === STATUS);
    await sendMany(platform, 40);
    await deliveredOnce(platform, 40);
    assert.ok(requestsFor(platform, "patch", STATUS).length <= 80);
    assert.ok(requestsFor(platform, "get", "notificationmessages").length <= 40);
  });

  test("writes whose answers are lost are found to be done, and not followed by a second mail", async (t) => {
    const platform = await startFaulty(t);
    await platform.apply(templateOf("Hello"));
    const isWrite = ({ verb, resource }: SeenRequest) =>
      verb !== "watch" && resource.startsWith("notificationmessages");
    platform.faults.fault = some(0.2, { drop: "after" }, isWrite);
    await sendMany(platform, 40);
    await deliveredOnce(platform, 40);
    const requests = platform.faults.requests.filter(isWrite);
    assert.ok(requests.length <= 240, `${requests.length}`);
  });

  for (const [what, happens] of [
    ["410", "expireWatches"],
    ["a line that breaks in its middle", "cutWatches"],
  ] as const) {
    test(`${what} in the stream of the watch loses no message`, async (t) => {
      const platform = await startFaulty(t);
      const { faults } = platform;
      await platform.apply(templateOf("Hello"));
      await sendMany(platform, 20);
      await platform.smtp.received(5);
      const before = faults.requests.length;
      const begunAt = performance.now();
      faults[happens]();
      await sendMany(platform, 20, 20);
      await deliveredOnce(platform, 40);
      const since = faults.requests.slice(before).filter(({ resource }) => resource !== "leases");
      const reads = since.filter(({ verb }) => verb === "list" || verb === "watch");
      // Four watches, each listed anew at most, and reopened; those of the Secret and the templates may be cut later.
      const inTheirCourse = (4 * (performance.now() - begunAt)) / 36_000;
      assert.ok(
        reads.length <= 12 + inTheirCourse,
        JSON.stringify(reads.map(({ verb, resource }) => `${verb} ${resource}`)),
      );
    });
  }

  test("a token that expires is read again at its first refusal, and until it is replaced nobody storms", async (t) => {
    const platform = await startFaulty(t);
    const { faults, tokenFile } = platform;
    await platform.apply(templateOf("Hello"));
    await sendMany(platform, 60);
    await platform.smtp.received(10);
    faults.token = "second";
    const before = faults.requests.length;
    const refusals = () => faults.requests.slice(before).filter(({ answered }) => answered === 401);
    while (refusals().length === 0) await pause(50);
    await pause(2500);
    const refused = refusals();
    await writeFile(`${tokenFile}.new`, "second\n");
    await rename(`${tokenFile}.new`, tokenFile);
    await deliveredOnce(platform, 60);
    assert.ok(refused.length > 0);
    // At most what the workers had in flight, each tried once more; then about one a second, and the Lease.
    assert.ok(refused.length <= 150, `${refused.length} refused requests`);
  });

  test("a watch that carries nothing and does not end is found within the silence limit, without a new list", async (t) => {
    const platform = await startFaulty(t, { watchSilence: 3000 });
    const { faults } = platform;
    await platform.apply(templateOf("Hello"));
    faults.freezeWatches();
    const frozenAt = performance.now();
    const before = faults.requests.length;
    await sendMany(platform, 20);
    await platform.smtp.received(1);
    assert.ok(performance.now() - frozenAt < 40_000, `${performance.now() - frozenAt} ms`); // the default finds it in 60 s
    await deliveredOnce(platform, 20);
    const lists = faults.requests.slice(before).filter(({ verb }) => verb === "list");
    assert.deepEqual(lists, []);
    // Two watches, which are ended in their course after a second or two.
    const mayReopen = 4 + (2 * (performance.now() - frozenAt)) / 1000;
    const opened = faults.requests.slice(before).filter(({ verb }) => verb === "watch");
    assert.ok(opened.filter(({ resource }) => resource === "notificationmessages").length <= mayReopen);
  });

  test("a quiet watch is reopened from its last version, with one request and no list", async (t) => {
    const platform = await startFaulty(t, { watchSilence: 4000 });
    const { faults } = platform;
    while (faults.openWatches() < 5) await pause(50); // Secret, templates, messages of both groups, Leases
    const before = faults.requests.length;
    const quietAt = performance.now();
    await pause(7000);
    const seconds = (performance.now() - quietAt) / 1000;
    const asked = faults.requests.slice(before).filter(({ resource }) => resource !== "leases");
    assert.deepEqual(new Set(asked.map(({ verb }) => verb)), new Set(["watch"]));
    // Each is ended in its course after two or three.
    assert.ok(asked.length <= 4 * (1 + seconds / 2), `${asked.length} requests for four watches in ${seconds} s`);
    assert.ok(!platform.logs.some((line) => line.includes("Cannot watch")), "a watch that ends in time is no news");
  });

  test("messages behind a mail server that is away cost one status each, and a new list of all of them nothing", async (t) => {
    const platform = await startFaulty(t);
    const { faults, smtp } = platform;
    smtp.script.drop = "greeting";
    await platform.apply(templateOf("Hello"));
    const begunAt = performance.now();
    await sendMany(platform, 120);
    const statuses = () => requestsFor(platform, "patch", STATUS).length;
    while (statuses() < 120) await pause(50);
    const lists = () => requestsFor(platform, "list", "notificationmessages").length;
    const listsBefore = lists();
    faults.expireWatches();
    while (lists() === listsBefore) await pause(50);
    await pause(1000);
    const seconds = (performance.now() - begunAt) / 1000;
    assert.ok(statuses() <= 120 + seconds, `${statuses()} statuses in ${seconds} s`); // each probe has its own
    const events = requestsFor(platform, "create", "events").length;
    assert.ok(events <= 101 + seconds, `${events} Events in ${seconds} s`);
    delete smtp.script.drop;
    await deliveredOnce(platform, 120);
  });
});

function begunIn(logs: string[]): number {
  return logs.filter((line) => line.includes("Email begin")).length;
}
