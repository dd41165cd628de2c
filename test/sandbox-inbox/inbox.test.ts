import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { type TestContext, test } from "node:test";
import { createSmtpMailer } from "../../src/mail/smtp-mailer.ts";
import { startInbox } from "../../src/sandbox/inbox/inbox.ts";
import { draftWith, GUIDE_DRAFT, serverAt } from "../mail/drafts.ts";

const never = new AbortController().signal;

async function inboxWithMailer(t: TestContext) {
  const inbox = await startInbox();
  const mailer = createSmtpMailer();
  t.after(async () => {
    await mailer.close();
    await inbox.close();
  });
  const server = serverAt({ host: inbox.smtpHost, port: inbox.smtpPort });
  return { inbox, send: (changes = {}) => mailer.send(draftWith(changes), server, () => {}, never) };
}

test("a mail that is sent to the inbox stands in it, on its page and in its list", async (t) => {
  const { inbox, send } = await inboxWithMailer(t);
  const [outcome] = await send();
  assert.equal(outcome?.reason, "Delivered", outcome?.message);
  const mail = await inbox.waitForMail(({ subject }) => subject === GUIDE_DRAFT.subject, AbortSignal.timeout(5000));
  assert.deepEqual(mail.recipients, ["platform-operator@example.com"]);
  assert.equal(mail.text.trimEnd(), GUIDE_DRAFT.body);
  assert.deepEqual(
    (await inbox.messages()).map(({ id }) => id),
    [mail.id],
  );
  const page = await fetch(inbox.url, { headers: { accept: "text/html" } });
  assert.match(await page.text(), /<html/i);
  const listed = (await (await fetch(`${inbox.url}api/email`)).json()) as unknown;
  assert.match(JSON.stringify(listed), /app-notification-source changed/);
});

test("waiting for a mail ends when it comes, not before another one", async (t) => {
  const { inbox, send } = await inboxWithMailer(t);
  const waiting = inbox.waitForMail(({ subject }) => subject === "second", AbortSignal.timeout(5000));
  await send({ subject: "first" });
  await send({ subject: "second" });
  assert.equal((await waiting).subject, "second");
});

test("waiting for a mail ends with the signal's reason", async (t) => {
  const { inbox } = await inboxWithMailer(t);
  const stop = new AbortController();
  const waiting = inbox.waitForMail(() => true, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});

test("closing the inbox cuts open connections and leaves no files", async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith("courier-inbox-"));
  const inbox = await startInbox();
  const client = connect(inbox.smtpPort, inbox.smtpHost);
  await once(client, "data");
  const [page] = await Promise.all([fetch(inbox.url), inbox.messages()]);
  await page.text();
  const gone = once(client, "close");
  await inbox.close();
  await gone;
  const after = (await readdir(tmpdir())).filter((name) => name.startsWith("courier-inbox-"));
  assert.deepEqual(after, before);
  await assert.rejects(fetch(inbox.url));
});

test("a port that is taken is named", async (t) => {
  const { inbox } = await inboxWithMailer(t);
  await assert.rejects(
    startInbox({ smtpPort: inbox.smtpPort }),
    new RegExp(`Cannot start the inbox: .*${inbox.smtpPort}`),
  );
});
