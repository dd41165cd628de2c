import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { createSmtpMailer } from "../../src/mail/smtp-mailer.ts";
import { createTokenSource } from "../../src/mail/token-source.ts";
import { makeCertificate } from "../support/certificates.ts";
import { type SmtpScript, startSmtpServer } from "../support/smtp-server.ts";
import { startTokenServer, type TestTokenServer } from "../support/token-server.ts";
import { GUIDE_DRAFT, serverAt } from "./drafts.ts";

const never = new AbortController().signal;
const permit = () => {};
const CLIENT_SECRET = "c1ient+s3cret/";

/** A mail server that takes tokens, a token server, and a sender that knows both. */
async function setUp(t: TestContext, script: SmtpScript = {}, tokens?: TestTokenServer, values = {}) {
  const issuer = tokens ?? (await startTokenServer(t));
  const seen: string[] = [];
  const smtp = await startSmtpServer({
    auth: "clear",
    ...script,
    token(username, accessToken) {
      seen.push(`${username} ${accessToken}`);
      return script.token?.(username, accessToken);
    },
  });
  t.after(() => smtp.close());
  const sender = createSmtpMailer();
  t.after(() => sender.close());
  const keys = { authType: "xoauth2", username: "courier@example.com", tokenUrl: issuer.url, clientId: "courier" };
  const server = serverAt(smtp, { ...keys, clientSecret: CLIENT_SECRET, scope: "smtp.send", ...values });
  const send = async () => (await sender.send(GUIDE_DRAFT, server, permit, never))[0];
  return { issuer, smtp, seen, send };
}

suite("a server that takes OAuth tokens", () => {
  test("gets the one that the client's credentials buy, and all connections share it", async (t) => {
    const { issuer, smtp, seen, send } = await setUp(t);
    const outcomes = await Promise.all(Array.from({ length: 30 }, send));
    assert.ok(outcomes.every((outcome) => outcome?.reason === "Delivered"));
    assert.ok(smtp.connections > 1);
    assert.deepEqual(new Set(seen), new Set(["courier@example.com token-1"]));
    assert.deepEqual(issuer.requests, [
      { grant_type: "client_credentials", client_id: "courier", client_secret: CLIENT_SECRET, scope: "smtp.send" },
    ]);
    assert.equal(smtp.mails[0]?.username, "courier@example.com");
  });

  for (const [how, refusal] of [
    ["with 535", "535 5.7.3 Token revoked"],
    ["after a 334", { status: "401" }],
  ] as const)
    test(`and refuses one from before ${how} gets a new one at once`, async (t) => {
      const { issuer, smtp, seen, send } = await setUp(t, {
        token: (_, token) => (token === "token-1" && smtp.mails.length > 0 ? refusal : undefined),
      });
      await send();
      smtp.dropAll();
      const outcome = await send();
      assert.equal(outcome?.reason, "Delivered", outcome?.message);
      assert.equal(issuer.requests.length, 2);
      assert.deepEqual(
        seen.map((login) => login.split(" ")[1]),
        ["token-1", "token-1", "token-2"],
      );
    });

  test("and refuses a new one too is AuthenticationFailed, with what it said in base64, and is not asked twice", async (t) => {
    const refusal = { status: "401", schemes: "bearer", scope: "https://mail.example.com/" };
    const { issuer, seen, send } = await setUp(t, { token: () => refusal });
    const outcome = await send();
    assert.equal(outcome?.reason, "AuthenticationFailed");
    assert.match(
      outcome.message,
      /^127.0.0.1 refused the login: 535 .* \(status 401, schemes bearer, scope https:\/\/mail.example.com\/\): check data.username and data.scope/,
    );
    assert.deepEqual([issuer.requests.length, seen.length], [1, 1]);
  });

  test("never sees one over a clear connection to another machine", async (t) => {
    const { issuer, smtp, seen } = await setUp(t);
    const keys = {
      authType: "oauth2",
      username: "u",
      tokenUrl: issuer.url,
      clientId: "c",
      clientSecret: CLIENT_SECRET,
    };
    const sender = createSmtpMailer();
    t.after(() => sender.close());
    const away = { ...serverAt(smtp, keys), host: "0.0.0.0" }; // reaches this machine, but is no loopback name
    const [outcome] = await sender.send(GUIDE_DRAFT, away, permit, never);
    assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
    assert.deepEqual([seen, issuer.requests], [[], []]);
  });

  test("may not repeat token or secret to those who read the status", async (t) => {
    const { send } = await setUp(t, { token: (_, token) => `535 No ${token} ${CLIENT_SECRET}` });
    assert.match((await send())?.message ?? "", /535 .*No \[hidden\] \[hidden\]: check/);
    const echo = await setUp(t, { recipient: () => "550 You came with token-1" });
    assert.match((await echo.send())?.message ?? "", /550 .*You came with \[hidden\]/);
  });
});

suite("a token server", () => {
  const url = /^Cannot get a token from http:\/\/127.0.0.1:\d+\/oauth2\/token: /;
  const cases: { name: string; status?: number; body: object | string; reason: string; says: RegExp }[] = [
    {
      name: "that does not know the client",
      status: 401,
      body: { error: "invalid_client", error_description: `Bad secret ${CLIENT_SECRET}\r\nfor courier` },
      reason: "AuthenticationFailed",
      says: /HTTP 401: invalid_client: Bad secret \[hidden\] for courier: check data.clientId, data.clientSecret and/,
    },
    {
      name: "that is somewhere else",
      status: 404,
      body: "<html>",
      reason: "AuthenticationFailed",
      says: /HTTP 404: check data.tokenUrl of its Secret$/,
    },
    {
      name: "that sends us elsewhere, where no secret goes",
      status: 302,
      body: "",
      reason: "AuthenticationFailed",
      says: /HTTP 302: check data.tokenUrl/,
    },
    { name: "in trouble", status: 503, body: "", reason: "ServerUnavailable", says: /HTTP 503$/ },
    { name: "that has had enough of us", status: 429, body: {}, reason: "ServerUnavailable", says: /HTTP 429$/ },
    {
      name: "whose token would break out of its line",
      body: { access_token: "a\x01\r\nRCPT TO:<x@example.com>" },
      reason: "AuthenticationFailed",
      says: /its answer holds no access_token that SMTP can carry/,
    },
    {
      name: "whose answer does not end",
      body: "x".repeat(200_000),
      reason: "ServerUnavailable",
      says: /UND_ERR_RES_EXCEEDED_MAX_SIZE/,
    },
  ];
  for (const { name, status, body, reason, says } of cases)
    test(`${name} makes it ${reason}`, async (t) => {
      const issuer = await startTokenServer(t);
      issuer.answer = () => ({ ...(status && { status }), body });
      const { smtp, send } = await setUp(t, {}, issuer);
      const outcome = await send();
      assert.equal(outcome?.reason, reason, outcome?.message);
      assert.match(outcome.message, url);
      assert.match(outcome.message, says);
      assert.equal(smtp.mails.length, 0);
    });

  test("that nobody answers for makes it ServerUnavailable, and is asked again by the next mail", async (t) => {
    const issuer = await startTokenServer(t);
    const answer = issuer.answer;
    issuer.answer = () => ({ status: 500, body: "" });
    const { send } = await setUp(t, {}, issuer);
    assert.equal((await send())?.reason, "ServerUnavailable");
    issuer.answer = answer;
    assert.equal((await send())?.reason, "Delivered");
    const gone = await setUp(t, {}, undefined, { tokenUrl: "http://127.0.0.1:1/token" });
    assert.match(
      (await gone.send())?.message ?? "",
      /Cannot get a token from http:\/\/127.0.0.1:1\/token: .*ECONNREFUSED/,
    );
  });

  test("over TLS is verified, with the CAs of the Secret", async (t) => {
    const certificate = await makeCertificate({ ip: ["127.0.0.1"] });
    const issuer = await startTokenServer(t, certificate);
    const trusted = await setUp(t, {}, issuer, { "ca.crt": certificate.cert });
    assert.equal((await trusted.send())?.reason, "Delivered");
    const stranger = await setUp(t, {}, issuer, { insecureSkipVerify: "true" });
    const outcome = await stranger.send();
    assert.equal(outcome?.reason, "TLSFailed", outcome?.message);
    assert.match(outcome.message, /^Cannot get a token from https:.* by data\["ca.crt"\] of the Secret too/);
  });
});

test("a token is used until shortly before its end, and fetched once for all who wait for it", async () => {
  let now = 0;
  let fetched = 0;
  const source = createTokenSource(
    async () => ({ value: `t${++fetched}`, expiresInMs: fetched === 3 ? 100_000 : 3_600_000 }),
    () => now,
  );
  const get = async () => (await source.get()).value;
  assert.deepEqual(await Promise.all([get(), get(), get()]), ["t1", "t1", "t1"]);
  now = 3_539_000;
  assert.equal(await get(), "t1");
  now = 3_540_000;
  assert.deepEqual(await source.get(), { value: "t2", isFresh: true });
  source.discard("t1"); // refused by a connection that began before
  assert.deepEqual(await source.get(), { value: "t2", isFresh: false });
  source.discard("t2");
  assert.equal(await get(), "t3");
  now += 89_000;
  assert.equal(await get(), "t3");
  now += 1_000;
  assert.equal(await get(), "t4");
  assert.deepEqual(source.recent, ["t4", "t3", "t2"]);
});
