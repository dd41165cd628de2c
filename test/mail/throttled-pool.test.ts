import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import type { RecipientOutcome } from "../../src/delivery/ports.ts";
import { createSmtpMailer } from "../../src/mail/smtp-mailer.ts";
import { type SmtpScript, startSmtpServer, type TestSmtpServer } from "../support/smtp-server.ts";
import { draftWith, GUIDE_DRAFT, serverAt } from "./drafts.ts";

const never = new AbortController().signal;

/** Sends `count` mails at once, as the service's workers do, each to an address of its own. */
async function sendAll(t: TestContext, smtp: TestSmtpServer, count: number): Promise<RecipientOutcome[]> {
  const sender = createSmtpMailer({ maxConnections: 10 });
  t.after(() => sender.close());
  const drafts = Array.from({ length: count }, (_, index) => draftWith({ to: [`a${index}@example.com`] }));
  const outcomes = await Promise.all(drafts.map((draft) => sender.send(draft, serverAt(smtp), () => {}, never)));
  return outcomes.flat();
}

async function serve(t: TestContext, script: SmtpScript = {}): Promise<TestSmtpServer> {
  const server = await startSmtpServer(script);
  t.after(() => server.close());
  return server;
}

function tally(outcomes: RecipientOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason, untried } of outcomes) {
    const name = untried ? `${reason}, untried` : reason;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const BUSY = "421 4.7.0 Too many connections";

suite("a server that serves two connections at a time", () => {
  const cases: { name: string; script(smtp: () => TestSmtpServer): SmtpScript }[] = [
    { name: "greeting", script: (smtp) => ({ greeting: () => (smtp().open >= 2 ? BUSY : undefined) }) },
    { name: "sender", script: (smtp) => ({ sender: () => (smtp().open > 2 ? BUSY : undefined) }) },
    { name: "recipient", script: (smtp) => ({ recipient: () => (smtp().open > 2 ? BUSY : undefined) }) },
    { name: "mail", script: (smtp) => ({ mail: () => (smtp().open > 2 ? BUSY : undefined) }) },
  ];
  for (const { name, script } of cases)
    test(`and answers the others with 421 to the ${name} gets all mails over few connections`, async (t) => {
      const smtp: TestSmtpServer = await serve(
        t,
        script(() => smtp),
      );
      const outcomes = await sendAll(t, smtp, 200);
      assert.deepEqual(tally(outcomes), { Delivered: 200 });
      assert.equal(new Set(smtp.mails.flatMap(({ to }) => to)).size, 200);
      assert.equal(smtp.mails.length, 200, "no mail went twice");
      assert.ok(smtp.connections <= 30, `${smtp.connections} connections`);
    });
});

suite("a server that serves nobody", () => {
  test("is asked once, and those behind wait for the circuit without having tried", async (t) => {
    const smtp = await serve(t, { greeting: () => BUSY });
    assert.deepEqual(tally(await sendAll(t, smtp, 64)), {
      ServerUnavailable: 1,
      "ServerUnavailable, untried": 63,
    });
    assert.equal(smtp.connections, 1);
  });

  test("because of the login is sent the wrong password once", async (t) => {
    const smtp = await serve(t, { auth: "clear", login: () => "535 5.7.8 Bad credentials" });
    const sender = createSmtpMailer();
    t.after(() => sender.close());
    const server = serverAt(smtp, { username: "courier", password: "wrong" });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => sender.send(GUIDE_DRAFT, server, () => {}, never)),
    );
    assert.deepEqual(tally(outcomes.flat()), { AuthenticationFailed: 1, "AuthenticationFailed, untried": 19 });
    assert.equal(smtp.connections, 1);
  });

  test("and ends each session is left alone between them", async (t) => {
    const smtp = await serve(t, { recipient: () => BUSY });
    const sender = createSmtpMailer({ sendTimeoutMs: 2500 });
    t.after(() => sender.close());
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => sender.send(GUIDE_DRAFT, serverAt(smtp), () => {}, never)),
    );
    assert.deepEqual(Object.keys(tally(outcomes.flat())).sort(), ["TemporaryFailure", "TemporaryFailure, untried"]);
    assert.ok(smtp.connections <= 25, `${smtp.connections} connections`);
  });
});

test("a mail that always ends its session fails alone, and the others go", async (t) => {
  const smtp = await serve(t, { recipient: (address) => (address === "a7@example.com" ? BUSY : undefined) });
  const outcomes = await sendAll(t, smtp, 60);
  assert.deepEqual(tally(outcomes), { Delivered: 59, TemporaryFailure: 1 });
});

test("a server that lets more connections in later is asked for more of them", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  let most = 2;
  let seen = 0;
  const smtp: TestSmtpServer = await serve(t, {
    greeting: () => (smtp.open >= most ? BUSY : undefined),
    sender() {
      seen = Math.max(seen, smtp.open);
      t.mock.timers.tick(1000);
      return undefined;
    },
  });
  const sender = createSmtpMailer({ maxConnections: 10 });
  t.after(() => sender.close());
  const burst = () =>
    Promise.all(Array.from({ length: 150 }, () => sender.send(GUIDE_DRAFT, serverAt(smtp), () => {}, never)));
  await burst();
  assert.equal(seen, 2);
  most = 6;
  const outcomes = await burst();
  assert.deepEqual(tally(outcomes.flat()), { Delivered: 150 });
  assert.equal(seen, 6);
});
