/** Real `courier serve` processes share the work: they join, leave, die, and are halted in the middle of a mail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { CourierProcess } from "../deploy/courier-process.ts";
import { LEASE_SECONDS, type Replicas, startReplicas } from "../support/replicas.ts";

/** Whoever waited for a Lease to expire would not be done before the test's patience ends. */
const NEVER_EXPIRES = ["--lease-duration", "1h"];

/** How often each address was given a mail with each Message-ID. */
function deliveries({ smtp }: Replicas): string[] {
  return smtp.mails.flatMap(({ to, parsed }) => to.map((address) => `${address} ${parsed.messageId}`)).sort();
}

function assertEachOnce(replicas: Replicas, addresses: string[]): void {
  const made = deliveries(replicas);
  assert.deepEqual(
    made.filter((each, index) => each === made[index + 1]),
    [],
    "mails that came twice",
  );
  assert.deepEqual([...new Set(made.map((each) => each.split(" ")[0]))].sort(), [...addresses].sort());
}

/** Keeps sending, a few at a time, until `change` has happened. */
async function sendDuring(replicas: Replicas, change: Promise<unknown>): Promise<string[]> {
  const addresses: string[] = [];
  let goesOn = true;
  change.finally(() => {
    goesOn = false;
  });
  while (goesOn) {
    const known = replicas.smtp.mails.length;
    addresses.push(...(await replicas.send(4)));
    await replicas.smtp.received(known + 1);
    await pause(100);
  }
  await change;
  return addresses;
}

test("replicas whose Leases do not expire", async (t) => {
  const replicas = await startReplicas(t);
  const a = replicas.start("a", ...NEVER_EXPIRES);
  let b: CourierProcess | undefined;

  await t.test("join and leave under way, take over and hand over, and each mail goes out once", async () => {
    await a.line("Working on shards");
    const addresses = await replicas.send(30);
    b = replicas.start("b", ...NEVER_EXPIRES);
    const joined = replicas.shares(({ a, b }) => a === 8 && b === 8);
    addresses.push(...(await sendDuring(replicas, joined)));
    a.signal("SIGTERM");
    const taken = replicas.shares(({ a, b }) => a === undefined && b === 16);
    addresses.push(...(await sendDuring(replicas, taken)));
    assert.equal(await a.ended, 0);
    await replicas.drained();
    assertEachOnce(replicas, addresses);
  });

  await t.test("go on at once after they were killed, when they are started anew under their name", async () => {
    const before = replicas.smtp.mails.length;
    b?.signal("SIGKILL");
    await b?.ended;
    replicas.start("b", ...NEVER_EXPIRES);
    await replicas.send(3);
    await replicas.drained();
    assert.equal(replicas.smtp.mails.length, before + 3);
  });
});

test("replicas whose Leases expire", async (t) => {
  const replicas = await startReplicas(t);
  const processes = [replicas.start("a"), replicas.start("b")];
  await replicas.shares(({ a, b }) => a === 8 && b === 8);
  const addresses: string[] = [];

  await t.test("do not complete, halted before the answer to DATA, what another took over", async () => {
    const answered = Promise.withResolvers<void>();
    replicas.smtp.script.pause = { at: "data", until: answered.promise };
    addresses.push(...(await replicas.send(1)));
    await replicas.smtp.reached("data");
    delete replicas.smtp.script.pause;
    const halted = processes.find(({ lines }) => lines.some((line) => line.includes("Email begin")));
    assert.ok(halted !== undefined);
    halted.signal("SIGSTOP");
    await replicas.smtp.received(1); // from the other one
    answered.resolve();
    halted.signal("SIGCONT");
    await halted.line("Shards lost");
    addresses.push(...(await replicas.send(20)));
    await replicas.shares(({ a, b }) => a === 8 && b === 8);
    await replicas.drained();
    assertEachOnce(replicas, addresses);
  });

  await t.test("are replaced after a kill when their Lease has expired, and nothing is lost", async () => {
    addresses.push(...(await replicas.send(20)));
    processes[0]?.signal("SIGKILL");
    const startMs = performance.now();
    addresses.push(...(await replicas.send(20)));
    await replicas.shares(({ a, b }) => a === undefined && b === 16);
    assert.ok(performance.now() - startMs > (LEASE_SECONDS - 2) * 1000, "it might have been merely slow");
    await replicas.drained();
    const reached = new Set(replicas.smtp.mails.flatMap(({ to }) => to));
    assert.deepEqual([...reached].sort(), [...addresses].sort());
  });
});
