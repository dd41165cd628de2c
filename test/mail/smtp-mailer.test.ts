import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { before, suite, type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { Draft, RecipientOutcome } from "../../src/delivery/ports.ts";
import { MAX_RECIPIENTS } from "../../src/delivery/ports.ts";
import type { EmailServer } from "../../src/mail/email-server.ts";
import { createSmtpMailer, type SmtpMailerOptions } from "../../src/mail/smtp-mailer.ts";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { type SmtpScript, startSmtpServer, type TestSmtpServer } from "../support/smtp-server.ts";
import { draftWith, GUIDE_DRAFT, serverAt } from "./drafts.ts";

const never = new AbortController().signal;

async function serve(t: TestContext, script: SmtpScript = {}): Promise<TestSmtpServer> {
  const server = await startSmtpServer(script);
  t.after(() => server.close());
  return server;
}

function mailer(t: TestContext, options: SmtpMailerOptions = {}) {
  const created = createPermittedMailer(options);
  t.after(() => created.close());
  return created;
}

/** A mailer whose mails are permitted to the last, unless a test says otherwise. */
function createPermittedMailer(options: SmtpMailerOptions = {}) {
  const created = createSmtpMailer(options);
  return {
    send: (draft: Draft, server: EmailServer, signal: AbortSignal, permit = () => {}) =>
      created.send(draft, server, permit, signal),
    close: () => created.close(),
  };
}

function reasons(outcomes: RecipientOutcome[]): string[] {
  return outcomes.map(({ reason }) => reason);
}

suite("a mail that is permitted no longer", () => {
  const lost = new Error("the mail is another's now");

  for (const at of ["mail", "recipient", "data"] as const) {
    test(`before the answer to ${at} is not completed, and the permit's error is told`, async (t) => {
      const answered = Promise.withResolvers<void>();
      const smtp = await serve(t, { pause: { at, until: answered.promise } });
      let isPermitted = true;
      const sending = mailer(t).send(GUIDE_DRAFT, serverAt(smtp), never, () => {
        if (!isPermitted) throw lost;
      });
      await smtp.reached(at);
      isPermitted = false;
      answered.resolve();
      await assert.rejects(sending, lost);
      await smtp.disconnected();
      assert.deepEqual(smtp.mails, []);
    });
  }

  test("after half of it was sent is not completed, and the next one goes over another connection", async (t) => {
    const smtp = await serve(t);
    const sender = mailer(t);
    let asked = 0;
    const large = draftWith({ body: "A line of the mail.\n".repeat(20_000), bodyType: "Text" });
    const sending = sender.send(large, serverAt(smtp), never, () => {
      asked += 1;
      if (asked > 4) throw lost;
    });
    await assert.rejects(sending, lost);
    assert.deepEqual(reasons(await sender.send(GUIDE_DRAFT, serverAt(smtp), never)), ["Delivered"]);
    assert.equal(smtp.mails.length, 1);
  });

  test("when all of it but the final dot was sent is not completed", async (t) => {
    const smtp = await serve(t);
    let asked = 0;
    const sending = mailer(t).send(GUIDE_DRAFT, serverAt(smtp), never, () => {
      asked += 1;
      if (asked > 1) throw lost;
    });
    await assert.rejects(sending, lost);
    await smtp.disconnected();
    assert.deepEqual([asked > 1, smtp.mails], [true, []]);
  });
});

suite("a mail that a server takes", () => {
  test("arrives with its envelope, both alternatives and a Delivered outcome", async (t) => {
    const smtp = await serve(t);
    const outcomes = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp), never);
    const [mail] = smtp.mails;
    assert.deepEqual(outcomes, [
      {
        address: "platform-operator@example.com",
        reason: "Delivered",
        message: "127.0.0.1 took the mail: 250 Ok: queued as TEST",
        messageId: mail?.parsed.messageId,
      },
    ]);
    assert.equal(mail?.from, "user@example.com");
    assert.deepEqual(mail?.to, ["platform-operator@example.com"]);
    assert.equal(mail?.parsed.subject, GUIDE_DRAFT.subject);
    assert.equal(mail?.parsed.text, GUIDE_DRAFT.body);
    assert.match(String(mail?.parsed.html), /Namespace: app-team-a<br>\n/);
  });

  test("of many recipients goes in one transaction and shows none of them to another", async (t) => {
    const smtp = await serve(t);
    const to = ["ann@example.com", "bob@example.com", "cem@example.com"];
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["Delivered", "Delivered", "Delivered"]);
    assert.deepEqual(
      smtp.mails.map((mail) => mail.to),
      [to],
    );
    assert.doesNotMatch(smtp.mails[0]?.raw ?? "", /ann@|bob@|cem@/);
  });

  test("goes once to an address that is named twice, with an outcome for each naming", async (t) => {
    const smtp = await serve(t);
    const to = ["ann@example.com", "ann@EXAMPLE.com"];
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(
      outcomes.map(({ address }) => address),
      to,
    );
    assert.deepEqual(smtp.mails[0]?.to, ["ann@example.com"]);
  });

  test("shares connections with the mails after it", async (t) => {
    const smtp = await serve(t);
    const sender = mailer(t, { maxConnections: 2 });
    for (let round = 0; round < 3; round++)
      await Promise.all([1, 2, 3, 4].map(() => sender.send(GUIDE_DRAFT, serverAt(smtp), never)));
    assert.equal(smtp.mails.length, 12);
    assert.ok(smtp.connections <= 2, `${smtp.connections} connections`);
  });

  test("greets with the configured name", async (t) => {
    const smtp = await serve(t);
    await mailer(t, { heloName: "courier.example.com" }).send(GUIDE_DRAFT, serverAt(smtp), never);
    assert.equal(smtp.mails[0]?.heloName, "courier.example.com");
  });

  for (const hidden of [[], ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE"]] as const)
    test(`keeps dots, long lines and every script, ${hidden.length === 0 ? "with" : "without"} SMTP extensions`, async (t) => {
      const smtp = await serve(t, { hidden: [...hidden] });
      const body = `.\n..\n${"x".repeat(2000)}\n通知 ${"名".repeat(500)}\n.`;
      await mailer(t).send(draftWith({ body, bodyType: "Text", subject: "通知 🎉" }), serverAt(smtp), never);
      assert.equal(smtp.mails[0]?.parsed.text, body);
      assert.equal(smtp.mails[0]?.parsed.subject, "通知 🎉");
    });
});

suite("a mail that a server refuses", () => {
  const cases: { name: string; script: SmtpScript; reason: string; says: RegExp }[] = [
    {
      name: "the sender for good",
      script: { sender: () => "550 Sender unknown" },
      reason: "MailRejected",
      says: /^127.0.0.1 refused the sender user@example.com: 550 Sender unknown: let it accept .* data.from of its Secret$/,
    },
    {
      name: "the sender for now",
      script: { sender: () => "451 Busy" },
      reason: "TemporaryFailure",
      says: /could not take the mail now: 451 .*Busy/,
    },
    {
      name: "the recipient for good",
      script: { recipient: () => "550 No such user" },
      reason: "RecipientRejected",
      says: /refused this recipient: 550 No such user/,
    },
    {
      name: "the recipient for now",
      script: { recipient: () => "450 Greylisted" },
      reason: "TemporaryFailure",
      says: /450 .*Greylisted/,
    },
    {
      name: "the data for good",
      script: { mail: () => "554 Looks like spam" },
      reason: "MailRejected",
      says: /554 .*Looks like spam/,
    },
    {
      name: "the data for now",
      script: { mail: () => "452 Disk full" },
      reason: "TemporaryFailure",
      says: /Disk full/,
    },
    {
      name: "its size",
      script: { maxBytes: 500 },
      reason: "MailRejected",
      says: /refused the mail: .*larger than allowed 500/,
    },
    {
      name: "everybody who has not logged in",
      script: { sender: () => "530 Authentication required" },
      reason: "AuthenticationFailed",
      says: /refused the login: 530 .*: put data.username and data.password into its Secret/,
    },
    {
      name: "the session",
      script: { greeting: () => "554 No mail here" },
      reason: "ServerUnavailable",
      says: /^127.0.0.1:\d+ gives no session: 554 No mail here: whoever runs the server can say why/,
    },
    {
      name: "the session for now",
      script: { greeting: () => "421 Too many connections" },
      reason: "ServerUnavailable",
      says: /gives no session: 421 Too many connections$/,
    },
    {
      name: "its sender, said when the recipient is named",
      script: { recipient: () => "554 5.1.8 Sender domain not found" },
      reason: "MailRejected",
      says: /refused the sender user@example.com: 554 5.1.8 /,
    },
    {
      name: "a mailbox that does not exist",
      script: { recipient: () => "550 5.1.1 User unknown" },
      reason: "RecipientRejected",
      says: /refused this recipient: 550 5.1.1 User unknown: check the destination in the subscription$/,
    },
    {
      name: "a mailbox that is full for good",
      script: { recipient: () => "552 5.2.2 Over quota" },
      reason: "RecipientRejected",
      says: /552 5.2.2 Over quota: the mailbox is full: its owner has to make room$/,
    },
    {
      name: "its policy",
      script: { recipient: () => "554 5.7.1 Relay access denied" },
      reason: "RecipientRejected",
      says: /its policy forbids this mail: whoever runs the server can allow it$/,
    },
    {
      name: "an announced size, said after the final dot",
      script: { mail: () => "552 5.3.4 Message too big" },
      reason: "MailRejected",
      says: /refused the mail: 552 5.3.4 Message too big: shorten the template$/,
    },
    {
      name: "a recipient, with an enhanced code that contradicts the reply",
      script: { recipient: () => "550 4.2.2 Mailbox full" },
      reason: "RecipientRejected",
      says: /refused this recipient: 550 4.2.2 Mailbox full$/,
    },
  ];
  for (const { name, script, reason, says } of cases)
    test(`because of ${name} is ${reason}`, async (t) => {
      const smtp = await serve(t, script);
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp), never);
      assert.equal(outcome?.reason, reason, outcome?.message);
      assert.match(outcome.message, says);
      assert.equal(smtp.mails.length, 0);
    });

  test("for one of three recipients reaches the other two", async (t) => {
    const replies = new Map([
      ["bob@example.com", "550 No such user"],
      ["cem@example.com", "450 Greylisted"],
    ]);
    const smtp = await serve(t, { recipient: (address) => replies.get(address) });
    const to = ["ann@example.com", "bob@example.com", "cem@example.com"];
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["Delivered", "RecipientRejected", "TemporaryFailure"]);
    assert.deepEqual(smtp.mails[0]?.to, ["ann@example.com"]);
  });

  test("only because of the number of its recipients goes to all, in more transactions", async (t) => {
    let named = 0;
    const smtp = await serve(t, {
      sender() {
        named = 0;
        return undefined;
      },
      recipient: () => (++named > 2 ? "452 4.5.3 Too many recipients" : undefined),
    });
    const to = ["a", "b", "c", "d", "e"].map((name) => `${name}@example.com`);
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(
      outcomes.map(({ address, reason }) => [address, reason]),
      to.map((address) => [address, "Delivered"]),
    );
    assert.deepEqual(
      smtp.mails.map((mail) => mail.to),
      [to.slice(0, 2), to.slice(2, 4), to.slice(4)],
    );
    assert.deepEqual(
      new Set(smtp.mails.map((mail) => mail.raw)).size,
      1,
      "the transactions carry one and the same mail",
    );
  });

  test("for the last of too many recipients still tells of those who have it", async (t) => {
    const stop = new AbortController();
    const smtp = await serve(t, {
      recipient(address) {
        if (smtp.mails.length > 0) stop.abort();
        else if (address.startsWith("b")) return "452 Too many";
        return undefined;
      },
    });
    const to = ["a@example.com", "b@example.com"];
    const sending = mailer(t).send(draftWith({ to }), serverAt(smtp), stop.signal);
    assert.deepEqual(reasons(await sending), ["Delivered", "TemporaryFailure"]);
  });

  for (const reply of ["450 4.7.1 Come back later", "450 4.2.0 Greylisted, see http://postgrey.example.com"])
    test(`for now because of greylisting is not tried again within a minute (${reply.slice(0, 9)})`, async (t) => {
      const smtp = await serve(t, { recipient: () => reply });
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp), never);
      assert.equal(outcome?.reason, "TemporaryFailure");
      assert.equal(outcome.retryInMs, 60_000);
    });

  test("for all recipients differently gives each its own reason", async (t) => {
    const smtp = await serve(t, { recipient: (address) => (address.startsWith("b") ? "550 No" : "450 Later") });
    const to = ["ann@example.com", "bob@example.com"];
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["TemporaryFailure", "RecipientRejected"]);
  });

  test("cannot come from a body of more tags than are sanitized in reasonable time", async (t) => {
    const smtp = await serve(t);
    const [outcome] = await mailer(t).send(draftWith({ body: "<li>".repeat(10_001) }), serverAt(smtp), never);
    assert.equal(outcome?.reason, "MailRejected");
    assert.match(
      outcome.message,
      /^The rendered body has 10001 HTML tags, at most 10000 are taken: shorten the template$/,
    );
    assert.equal(smtp.connections, 0);
  });

  test("leaves its connection fit for the next mail", async (t) => {
    const smtp = await serve(t, { mail: (mail) => (mail.parsed.subject === "bad" ? "554 Spam" : undefined) });
    const sender = mailer(t, { maxConnections: 1 });
    const first = await sender.send(draftWith({ subject: "bad" }), serverAt(smtp), never);
    const second = await sender.send(GUIDE_DRAFT, serverAt(smtp), never);
    assert.deepEqual(reasons([...first, ...second]), ["MailRejected", "Delivered"]);
    assert.equal(smtp.connections, 1);
  });

  test("is told to people in one short line, whatever the server writes", async (t) => {
    const smtp = await serve(t, { recipient: () => `550 ${"No\u0007 \u202esuch user ".repeat(100)}` });
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp), never);
    assert.ok((outcome?.message.length ?? 999) < 350, outcome?.message);
    assert.doesNotMatch(outcome?.message ?? "", /[\p{Cc}\p{Cf}]/u);
  });
});

suite("a connection", () => {
  const cases: { name: string; script: SmtpScript; reason: string }[] = [
    { name: "lost before the greeting", script: { drop: "greeting" }, reason: "ServerUnavailable" },
    { name: "lost at the recipient", script: { drop: "recipient" }, reason: "TemporaryFailure" },
    { name: "lost before the mail is handed over", script: { drop: "data" }, reason: "TemporaryFailure" },
    { name: "lost after the final dot", script: { drop: "final-dot" }, reason: "OutcomeUnknown" },
    { name: "without a greeting", script: { stall: "greeting" }, reason: "ServerUnavailable" },
    { name: "silent at the recipient", script: { stall: "recipient" }, reason: "TemporaryFailure" },
    { name: "silent after the final dot", script: { stall: "final-dot" }, reason: "OutcomeUnknown" },
  ];
  for (const { name, script, reason } of cases)
    test(`${name} is ${reason}`, async (t) => {
      const smtp = await serve(t, script);
      const sender = mailer(t, { connectTimeoutMs: 300, socketTimeoutMs: 300 });
      const [outcome] = await sender.send(GUIDE_DRAFT, serverAt(smtp), never);
      assert.equal(outcome?.reason, reason, outcome?.message);
    });

  test("lost after the final dot leaves nothing unknown of a recipient whom the server had refused before", async (t) => {
    const smtp = await serve(t, {
      drop: "final-dot",
      recipient: (address) => (address === "bob@example.com" ? "550 5.1.1 No such user" : undefined),
    });
    const draft = draftWith({ to: ["ann@example.com", "bob@example.com"] });
    const outcomes = await mailer(t).send(draft, serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["OutcomeUnknown", "RecipientRejected"]);
  });

  test("lost in the middle of a large mail is TemporaryFailure", async (t) => {
    const smtp = await serve(t, { drop: "mid-data" });
    const body = `${"x".repeat(70)}\n`.repeat(100_000);
    const [outcome] = await mailer(t).send(draftWith({ body, bodyType: "Text" }), serverAt(smtp), never);
    assert.equal(outcome?.reason, "TemporaryFailure", outcome?.message);
  });

  test("that nobody answers is ServerUnavailable and names host, port and the Secret's keys", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, "close");
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt({ host: "127.0.0.1", port }), never);
    assert.equal(outcome?.reason, "ServerUnavailable");
    assert.equal(
      outcome.message,
      `Cannot reach 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port} (ECONNREFUSED): check data.host and data.port of its Secret`,
    );
  });

  test("to a host that does not resolve is ServerUnavailable", async (t) => {
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt({ host: "smtp.invalid", port: 25 }), never);
    assert.equal(outcome?.reason, "ServerUnavailable", outcome?.message);
  });

  test("that trickles on past the whole time of a mail is given up", async (t) => {
    const smtp = await serve(t, { stall: "mail" });
    const [outcome] = await mailer(t, { sendTimeoutMs: 200 }).send(GUIDE_DRAFT, serverAt(smtp), never);
    assert.equal(outcome?.reason, "TemporaryFailure", outcome?.message);
  });

  test("that the server closed while it was idle does not fail the next mail", async (t) => {
    const smtp = await serve(t);
    const sender = mailer(t, { maxConnections: 1 });
    await sender.send(GUIDE_DRAFT, serverAt(smtp), never);
    smtp.dropAll();
    const [outcome] = await sender.send(GUIDE_DRAFT, serverAt(smtp), never);
    assert.equal(outcome?.reason, "Delivered", outcome?.message);
    assert.equal(smtp.connections, 2);
  });
});

suite("TLS", () => {
  let certificate: Certificate;
  let foreign: Certificate;

  before(async () => {
    certificate = await makeCertificate({ dns: ["localhost"], ip: ["127.0.0.1"] });
    foreign = await makeCertificate({ dns: ["elsewhere.example.com"] });
    setDefaultCACertificates([...getCACertificates("default"), certificate.cert, foreign.cert]);
  });

  for (const mode of ["implicit", "starttls"] as const) {
    const values: Record<string, string> = mode === "implicit" ? { sslEnabled: "true" } : {};

    test(`carries the mail when the certificate is trusted and names the host (${mode})`, async (t) => {
      const smtp = await serve(t, { tls: { mode, certificate } });
      const server = serverAt({ ...smtp, host: "localhost", port: smtp.port }, values);
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
      assert.equal(outcome?.reason, "Delivered", outcome?.message);
      assert.equal(smtp.mails[0]?.secure, true);
    });

    test(`fails when the certificate names another host (${mode})`, async (t) => {
      const smtp = await serve(t, { tls: { mode, certificate: foreign } });
      const server = serverAt({ host: "localhost", port: smtp.port }, values);
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
      assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
      assert.match(
        outcome.message,
        /ERR_TLS_CERT_ALTNAME_INVALID\): put a name that the certificate has into data.host, or .* names localhost$/,
      );
    });

    test(`fails when nobody vouches for the certificate (${mode})`, async (t) => {
      const stranger = await makeCertificate({ dns: ["localhost"] });
      const smtp = await serve(t, { tls: { mode, certificate: stranger } });
      const server = serverAt({ host: "localhost", port: smtp.port }, values);
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
      assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
      assert.match(outcome.message, /put the certificate of its CA into data\["ca.crt"\] of its Secret$/);
      assert.equal(smtp.mails.length, 0);
    });

    test(`trusts a CA that the Secret brings, and those of the system besides (${mode})`, async (t) => {
      const own = await makeCertificate({ dns: ["localhost"] });
      for (const presented of [own, certificate]) {
        const smtp = await serve(t, { tls: { mode, certificate: presented } });
        const server = serverAt({ host: "localhost", port: smtp.port }, { ...values, "ca.crt": own.cert });
        const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
        assert.equal(outcome?.reason, "Delivered", outcome?.message);
      }
    });

    test(`fails when the certificate has expired, and says who can mend it (${mode})`, async (t) => {
      const old = await makeCertificate({ dns: ["localhost"] }, { expired: true });
      const smtp = await serve(t, { tls: { mode, certificate: old } });
      const server = serverAt({ host: "localhost", port: smtp.port }, { ...values, "ca.crt": old.cert });
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
      assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
      assert.match(outcome.message, /\(CERT_HAS_EXPIRED\): whoever runs the server has to renew its certificate$/);
    });

    test(`takes any certificate with insecureSkipVerify (${mode})`, async (t) => {
      const smtp = await serve(t, { tls: { mode, certificate: foreign } });
      const server = serverAt({ host: "localhost", port: smtp.port }, { ...values, insecureSkipVerify: "true" });
      const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
      assert.equal(outcome?.reason, "Delivered", outcome?.message);
    });
  }

  test("older than 1.2 is not spoken", async (t) => {
    const smtp = await serve(t, { tls: { mode: "implicit", certificate, maxVersion: "TLSv1.1" } });
    const server = serverAt({ host: "localhost", port: smtp.port }, { sslEnabled: "true" });
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
    assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
  });

  test("from the first byte against a clear port fails and says which setting is wrong", async (t) => {
    const smtp = await serve(t);
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp, { sslEnabled: "true" }), never);
    assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
    assert.match(outcome.message, /set data.sslEnabled to false/);
  });
});

suite("a login", () => {
  const credentials = { username: "courier", password: "s3cret-passw0rd" };

  test("carries the Secret's credentials without their newlines", async (t) => {
    const seen: string[][] = [];
    const login = (username: string, password: string) => void seen.push([username, password]);
    const smtp = await serve(t, { auth: "clear", login: (...pair) => login(...pair) as undefined });
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp, credentials), never);
    assert.equal(outcome?.reason, "Delivered", outcome?.message);
    assert.deepEqual(seen, [["courier", "s3cret-passw0rd"]]);
    assert.equal(smtp.mails[0]?.username, "courier");
  });

  test("that the server refuses is AuthenticationFailed, without the password that it echoes", async (t) => {
    const smtp = await serve(t, { auth: "clear", login: (_, password) => `535 Bad password ${password}` });
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp, credentials), never);
    assert.equal(outcome?.reason, "AuthenticationFailed");
    assert.match(outcome.message, /refused the login: 535 .*Bad password \[hidden\]: check data.username/);
  });

  test("that the server cannot check now makes it ServerUnavailable, so that not every mail knocks", async (t) => {
    const smtp = await serve(t, { auth: "clear", login: () => "454 Directory is away" });
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp, credentials), never);
    assert.equal(outcome?.reason, "ServerUnavailable", outcome?.message);
  });

  test("never goes over a clear connection to another machine", async (t) => {
    const asked: string[] = [];
    const smtp = await serve(t, { auth: "clear", login: (username) => void asked.push(username) as undefined });
    const server = { ...serverAt(smtp, credentials), host: "0.0.0.0" }; // reaches this machine, but is no loopback name
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, server, never);
    assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
    assert.match(outcome.message, /credentials go over TLS only/);
    assert.deepEqual(asked, []);
  });

  test("is left out where the server offers none", async (t) => {
    const smtp = await serve(t);
    const [outcome] = await mailer(t).send(GUIDE_DRAFT, serverAt(smtp, credentials), never);
    assert.equal(outcome?.reason, "Delivered", outcome?.message);
    assert.equal(smtp.mails[0]?.username, undefined);
  });

  test("goes over a clear connection where that is allowed", async (t) => {
    const smtp = await serve(t, { auth: "clear" });
    const server = { ...serverAt(smtp, credentials), host: "0.0.0.0" };
    const [outcome] = await mailer(t, { allowPlainAuth: true }).send(GUIDE_DRAFT, server, never);
    assert.equal(outcome?.reason, "Delivered", outcome?.message);
  });
});

suite("a destination", () => {
  test("that is no address is refused alone, and no other recipient waits for it", async (t) => {
    const smtp = await serve(t);
    const to = ["ann@example.com", "Bob <bob@example.com>", "nobody"];
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["Delivered", "RecipientRejected", "RecipientRejected"]);
    assert.equal(outcomes[1]?.message, '"Bob <bob@example.com>" is not a bare address: write "bob@example.com"');
    assert.deepEqual(smtp.mails[0]?.to, ["ann@example.com"]);
  });

  test("in an internationalised domain goes out as A-labels", async (t) => {
    const smtp = await serve(t);
    await mailer(t).send(draftWith({ to: ["ann@bücher.example"] }), serverAt(smtp), never);
    assert.match(smtp.mails[0]?.raw ?? "", /^To: ann@xn--bcher-kva\.example\r$/m);
  });

  test("with letters beyond ASCII before the @ reaches a server that takes SMTPUTF8", async (t) => {
    const smtp = await serve(t);
    const outcomes = await mailer(t).send(draftWith({ to: ["jürgen@example.com"] }), serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["Delivered"]);
    assert.deepEqual(smtp.mails[0]?.to, ["jürgen@example.com"]);
  });

  test("with letters beyond ASCII before the @ is refused where the server takes none", async (t) => {
    const smtp = await serve(t, { hidden: ["SMTPUTF8"] });
    const to = ["jürgen@example.com", "ann@example.com"];
    const outcomes = await mailer(t).send(draftWith({ to }), serverAt(smtp), never);
    assert.deepEqual(reasons(outcomes), ["RecipientRejected", "Delivered"]);
    assert.match(outcomes[0]?.message ?? "", /does not take \(no SMTPUTF8\)/);
    assert.deepEqual(smtp.mails[0]?.to, ["ann@example.com"]);
  });

  test("beyond the hundredth is the planner's mistake and sends nothing", async (t) => {
    const smtp = await serve(t);
    const to = Array.from({ length: MAX_RECIPIENTS + 1 }, (_, index) => `a${index}@example.com`);
    await assert.rejects(mailer(t).send(draftWith({ to }), serverAt(smtp), never), RangeError);
    assert.equal(smtp.connections, 0);
  });
});

suite("the mailer", () => {
  test("sends through the new server once the Secret has changed, and finishes mails under way", async (t) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const old = await serve(t, { hold: () => held });
    const fresh = await serve(t);
    const sender = mailer(t);
    const underWay = sender.send(GUIDE_DRAFT, serverAt(old, {}, "1"), never);
    await old.reached("final-dot");
    const [second] = await sender.send(GUIDE_DRAFT, serverAt(fresh, {}, "2"), never);
    assert.equal(second?.reason, "Delivered");
    release();
    const [first] = await underWay;
    assert.equal(first?.reason, "Delivered");
    await old.disconnected();
    assert.equal(fresh.mails.length, 1);
  });

  test("logs in again with a changed password", async (t) => {
    const seen: string[] = [];
    const smtp = await serve(t, { auth: "clear", login: (_, password) => void seen.push(password) as undefined });
    const sender = mailer(t);
    for (const [version, password] of [
      ["1", "first"],
      ["2", "second"],
    ] as const)
      await sender.send(GUIDE_DRAFT, serverAt(smtp, { username: "u", password }, version), never);
    assert.deepEqual(seen, ["first", "second"]);
  });

  test("gives up the oldest connections when the Secret changes faster than mails end", async (t) => {
    const smtp = await serve(t, { stall: "mail" });
    const sender = mailer(t);
    const stop = new AbortController();
    const sendings = Array.from({ length: 9 }, (_, index) =>
      sender.send(GUIDE_DRAFT, serverAt(smtp, {}, String(index)), index === 0 ? never : stop.signal),
    );
    const others = Promise.allSettled(sendings.slice(1));
    assert.deepEqual(reasons((await sendings[0]) ?? []), ["TemporaryFailure"]);
    stop.abort();
    assert.ok((await others).every(({ status }) => status === "rejected"));
  });

  test("rejects when it is told to stop before the mail was handed over", async (t) => {
    const smtp = await serve(t, { stall: "recipient" });
    const stop = new AbortController();
    const sending = mailer(t).send(GUIDE_DRAFT, serverAt(smtp), stop.signal);
    await smtp.reached("recipient");
    stop.abort(new Error("shutting down"));
    await assert.rejects(sending, /shutting down/);
  });

  test("says OutcomeUnknown when it is told to stop after the final dot", async (t) => {
    const smtp = await serve(t, { stall: "final-dot" });
    const stop = new AbortController();
    const sending = mailer(t).send(GUIDE_DRAFT, serverAt(smtp), stop.signal);
    await smtp.reached("final-dot");
    stop.abort(new Error("shutting down"));
    assert.deepEqual(reasons(await sending), ["OutcomeUnknown"]);
  });

  test("closes its connections when it is closed, after the mails under way", async (t) => {
    const smtp = await serve(t);
    const sender = createPermittedMailer();
    const sending = sender.send(GUIDE_DRAFT, serverAt(smtp), never);
    await sender.close();
    assert.deepEqual(reasons(await sending), ["Delivered"]);
    await smtp.disconnected();
    await assert.rejects(sender.send(GUIDE_DRAFT, serverAt(smtp), never), /the mailer is closed/);
  });
});
