import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type LeaseOptions, type LeaseState, type LeaseTerm, runWithLease } from "../../src/kube/lease.ts";
import { clientOf, type Exchange, json, startServer, status, until } from "./scripted-server.ts";

const TIMING = { leaseDurationMs: 900, renewDeadlineMs: 600, retryPeriodMs: 40 };

interface LeaseBody {
  metadata: { name: string; namespace: string; resourceVersion?: string };
  spec: {
    holderIdentity: string;
    leaseDurationSeconds: number;
    leaseTransitions: number;
    acquireTime?: string;
    renewTime?: string;
  };
}

/** A server that keeps one Lease as the API does: conflict on a stale version. `fault` may answer in its place. */
async function startLeaseServer(t: TestContext) {
  const store = {
    lease: undefined as LeaseBody | undefined,
    version: 0,
    /** True when it has taken the request over. */
    fault: (_: Exchange): boolean => false,
    write(lease: LeaseBody): LeaseBody {
      store.version += 1;
      store.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(store.version) } };
      return store.lease;
    },
  };
  const server = await startServer(t, (exchange) => {
    const { method, body, response } = exchange;
    if (store.fault(exchange)) return;
    const sent = body === "" ? undefined : (JSON.parse(body) as LeaseBody);
    if (method === "GET" && store.lease === undefined)
      json(response, status(404, "NotFound", "none", { name: "courier" }), 404);
    else if (sent === undefined) json(response, store.lease);
    else if (method === "POST" && store.lease !== undefined)
      json(response, status(409, "AlreadyExists", "is there"), 409);
    else if (method === "PUT" && sent.metadata.resourceVersion !== store.lease?.metadata.resourceVersion)
      json(response, status(409, "Conflict", "changed"), 409);
    else json(response, store.write(sent));
  });
  const client = await clientOf(t, server);
  await client.raw("/").catch(() => undefined); // the first request of a process is slow, and the terms here are short
  return { store, client };
}

type Server = Awaited<ReturnType<typeof startLeaseServer>>;

/** One candidate whose work lasts as long as its term. */
function candidate(t: TestContext, { client }: Server, identity: string, options: Partial<LeaseOptions> = {}) {
  const states: LeaseState[] = [];
  const terms: LeaseTerm[] = [];
  const controller = new AbortController();
  const lead = async (term: LeaseTerm) => {
    terms.push(term);
    await new Promise<void>((resolve) => term.signal.addEventListener("abort", () => resolve()));
  };
  const onState = (state: LeaseState) => void states.push(state);
  const all = { namespace: "ns", name: "courier", identity, ...TIMING, onState, ...options };
  const ended = runWithLease(client, all, lead, controller.signal);
  t.after(() => controller.abort());
  return { states, terms, ended, stop: () => controller.abort(), phases: () => states.map(({ phase }) => phase) };
}

test("the first candidate creates the Lease, leads and renews it", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => server.store.version >= 4);
  assert.equal(a.terms.length, 1);
  assert.equal(a.terms[0]?.isHeld(), true);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime, renewTime } =
    server.store.lease?.spec ?? {};
  assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], ["a", 1, 0]);
  assert.match(String(renewTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.ok(String(acquireTime) < String(renewTime));
  assert.deepEqual(a.phases(), ["leading"]);
});

test("a second candidate waits, says for whom, and takes over when the first stops", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  const b = candidate(t, server, "b");
  await until(() => b.states.length === 1);
  assert.deepEqual(b.states, [{ phase: "standby", holder: "a" }]);
  a.stop();
  await a.ended;
  const releasedAt = performance.now();
  assert.equal(server.store.lease?.spec.holderIdentity, "");
  assert.equal(a.terms[0]?.isHeld(), false);
  await until(() => b.terms.length === 1);
  assert.ok(performance.now() - releasedAt < 500, "it need not wait for the expiry");
  assert.deepEqual([server.store.lease?.spec.holderIdentity, server.store.lease?.spec.leaseTransitions], ["b", 1]);
});

test("two candidates that start together do not both lead", async (t) => {
  const server = await startLeaseServer(t);
  const both = [candidate(t, server, "a"), candidate(t, server, "b")];
  await until(() => both.every(({ states }) => states.length > 0) && server.store.version > 3);
  assert.equal(both.filter(({ terms }) => terms[0]?.isHeld()).length, 1);
});

test("a holder that died is replaced once its Lease was seen unchanged for its duration, whatever its clock said", async (t) => {
  const server = await startLeaseServer(t);
  const spec = {
    holderIdentity: "dead",
    leaseDurationSeconds: 1,
    leaseTransitions: 6,
    renewTime: "2099-01-01T00:00:00.000000Z",
  };
  server.store.write({ metadata: { name: "courier", namespace: "ns" }, spec });
  const startedAt = performance.now();
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  assert.ok(performance.now() - startedAt >= 1000);
  assert.equal(server.store.lease?.spec.leaseTransitions, 7);
});

test("a restart under the same identity leads at once and is no transition", async (t) => {
  const server = await startLeaseServer(t);
  const spec = { holderIdentity: "a", leaseDurationSeconds: 3600, leaseTransitions: 2 };
  server.store.write({ metadata: { name: "courier", namespace: "ns" }, spec });
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  assert.equal(server.store.lease?.spec.leaseTransitions, 2);
});

test("without renewals the term ends at the renew deadline, and begins anew when the server is back", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  server.store.fault = ({ response }) => Boolean(response.destroy());
  await until(() => a.terms[0]?.signal.aborted === true);
  assert.equal(a.terms[0]?.isHeld(), false);
  assert.ok(a.phases().includes("retrying"));
  server.store.fault = () => false;
  await until(() => a.terms.length === 2);
  assert.equal(a.terms[1]?.isHeld(), true);
});

test("a server that hangs ends the term at the deadline too", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  const hungAt = performance.now();
  server.store.fault = () => true;
  await until(() => a.terms[0]?.signal.aborted === true);
  assert.ok(performance.now() - hungAt < TIMING.leaseDurationMs, "before anybody else may take it");
});

test("a lease that another has taken ends the term at the next renewal", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  const taken = { holderIdentity: "thief", leaseDurationSeconds: 3600, leaseTransitions: 9 };
  server.store.write({ metadata: { name: "courier", namespace: "ns" }, spec: taken });
  await until(() => a.terms[0]?.signal.aborted === true);
  await until(() => a.phases().at(-1) === "standby");
  assert.equal(a.terms[0]?.isHeld(), false);
  assert.equal(server.store.lease?.spec.holderIdentity, "thief");
});

test("a renewal whose answer was lost does not cost the term", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  let lost = 0;
  server.store.fault = ({ method, body, response }) => {
    if (method !== "PUT" || lost > 0) return false;
    lost += 1;
    server.store.write(JSON.parse(body) as LeaseBody);
    response.destroy();
    return true;
  };
  const { version } = server.store;
  await until(() => server.store.version > version + 3);
  assert.equal(lost, 1);
  assert.equal(a.terms.length, 1);
  assert.equal(a.terms[0]?.isHeld(), true);
});

test("a process that did not run for a while sees at once that it holds nothing", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms[0]?.isHeld() === true);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700); // the thread stands still, as in a SIGSTOP
  assert.equal(a.terms[0]?.isHeld(), false);
  await until(() => a.terms[0]?.signal.aborted === true);
});

test("the lease is renewed until the work has ended, and given back only then", async (t) => {
  const server = await startLeaseServer(t);
  const controller = new AbortController();
  let finish = () => {};
  let term: LeaseTerm | undefined;
  const lead = (given: LeaseTerm) => {
    term = given;
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  const options = { namespace: "ns", name: "courier", identity: "a", ...TIMING };
  const ended = runWithLease(server.client, options, lead, controller.signal);
  await until(() => term !== undefined);
  controller.abort();
  const { version } = server.store;
  await until(() => server.store.version > version + 12);
  assert.deepEqual([term?.signal.aborted, term?.isHeld(), server.store.lease?.spec.holderIdentity], [true, true, "a"]);
  finish();
  await ended;
  assert.equal(server.store.lease?.spec.holderIdentity, "");
});

test("the lease is given back even when the last renewal's answer was still under way", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a");
  await until(() => a.terms.length === 1);
  let isWritten = false;
  server.store.fault = ({ method, body }) => {
    if (method !== "PUT" || isWritten) return false;
    server.store.write(JSON.parse(body) as LeaseBody);
    isWritten = true;
    return true; // and no answer
  };
  await until(() => isWritten);
  a.stop();
  await a.ended;
  assert.equal(server.store.lease?.spec.holderIdentity, "");
});

test("what the work throws climbs, after the lease was given back", async (t) => {
  const server = await startLeaseServer(t);
  const bug = new Error("a bug");
  const fail = () => Promise.reject(bug);
  const options = { namespace: "ns", name: "courier", identity: "a" };
  await assert.rejects(runWithLease(server.client, options, fail, new AbortController().signal), bug);
  assert.equal(server.store.lease?.spec.holderIdentity, "");
});

test("a server that is away is told as retrying until the lease can be read", async (t) => {
  const server = await startLeaseServer(t);
  server.store.fault = ({ response }) => {
    json(response, status(403, "Forbidden", "leases is forbidden"), 403);
    return true;
  };
  const a = candidate(t, server, "a");
  await until(() => a.states.length > 1);
  assert.match((a.states[0] as { error: Error }).error.message, /leases is forbidden \(403 Forbidden\)/);
  server.store.fault = () => false;
  await until(() => a.terms.length === 1);
  assert.equal(a.phases().at(-1), "leading");
});

test("durations that cannot work are refused", async (t) => {
  const server = await startLeaseServer(t);
  const a = candidate(t, server, "a", { leaseDurationMs: 300 });
  await assert.rejects(a.ended, RangeError);
});
