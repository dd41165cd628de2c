/** Real `courier serve` processes share the work: they join, leave, die, and are halted in the middle of a mail. */
import assert from "node:assert/strict";
import { test } from "node:test";
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
    addresses.push(...(await replicas.send(10)));
    await replicas.smtp.received(replicas.smtp.mails.length + 1);
  }
  await change;
  return addresses;
}

test("replicas that join and leave under way take over and hand over, and each mail goes out once", async (t) => {
  const replicas = await startReplicas(t);
  const a = replicas.start("a", ...NEVER_EXPIRES);
  await a.line("Working on shards");
  const addresses = await replicas.send(50);
  replicas.start("b", ...NEVER_EXPIRES);
  addresses.push(
    ...(await sendDuring(
      replicas,
      replicas.shares(({ a, b }) => a === 8 && b === 8),
    )),
  );
  replicas.start("c", ...NEVER_EXPIRES);
  addresses.push(
    ...(await sendDuring(
      replicas,
      replicas.shares(({ a, b, c }) => a === 6 && b === 5 && c === 5),
    )),
  );
  a.signal("SIGTERM");
  const taken = replicas.shares(({ a, b, c }) => a === undefined && b === 8 && c === 8);
  addresses.push(...(await sendDuring(replicas, taken)));
  assert.equal(await a.ended, 0);
  await replicas.drained();
  assertEachOnce(replicas, addresses);
});

test("a replica that is killed is replaced when its Lease has expired, and nothing is lost", async (t) => {
  const replicas = await startReplicas(t);
  const [a] = [replicas.start("a"), replicas.start("b"), replicas.start("c")];
  await replicas.shares(({ a, b, c }) => a !== undefined && b !== undefined && c !== undefined && a + b + c === 16);
  const addresses = await replicas.send(30);
  a.signal("SIGKILL");
  const startMs = performance.now();
  addresses.push(...(await replicas.send(30)));
  await replicas.shares(({ a, b, c }) => a === undefined && b === 8 && c === 8);
  assert.ok(performance.now() - startMs > (LEASE_SECONDS - 2) * 1000, "it might have been merely slow");
  await replicas.drained();
  const reached = new Set(replicas.smtp.mails.flatMap(({ to }) => to));
  assert.deepEqual([...reached].sort(), [...addresses].sort());
});

test("a replica that is killed and started anew under its name goes on at once", async (t) => {
  const replicas = await startReplicas(t);
  const a = replicas.start("a", ...NEVER_EXPIRES);
  await a.line("Working on shards");
  a.signal("SIGKILL");
  await a.ended;
  replicas.start("a", ...NEVER_EXPIRES);
  const addresses = await replicas.send(1);
  await replicas.drained();
  assertEachOnce(replicas, addresses);
});

test("a replica that is halted before the answer to DATA does not complete what another took over", async (t) => {
  const replicas = await startReplicas(t);
  const processes = [replicas.start("a"), replicas.start("b")];
  await replicas.shares(({ a, b }) => a === 8 && b === 8);
  const answered = Promise.withResolvers<void>();
  replicas.smtp.script.pause = { at: "data", until: answered.promise };
  const addresses = await replicas.send(1);
  await replicas.smtp.reached("data");
  delete replicas.smtp.script.pause;
  const halted = processes.find(({ lines }) => lines.some((line) => line.includes("Email begin")));
  assert.ok(halted !== undefined);
  halted.signal("SIGSTOP");
  await replicas.smtp.received(1); // from the other one
  answered.resolve();
  halted.signal("SIGCONT");
  await halted.line("Shards lost");
  addresses.push(...(await replicas.send(40)));
  await replicas.shares(({ a, b }) => a === 8 && b === 8);
  await replicas.drained();
  assertEachOnce(replicas, addresses);
});
