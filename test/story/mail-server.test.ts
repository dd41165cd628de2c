/** The mail server's Secret: what it may say, and what nobody gets to see of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { emailServer, type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";
import { startTokenServer } from "../support/token-server.ts";

const HELLO = templateOf("Hello");
const GOOD = { body: {}, notifications: [subscriptionOf("ann@example.com")] };

async function eventsOf({ client }: Platform): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  for await (const { items } of client.listPages(EVENT, { namespace: "cpaas-system" })) found.push(...items);
  return found;
}

async function metricsOf({ service }: Platform): Promise<string> {
  const { host, port } = service.address;
  return (await fetch(`http://${host}:${port}/metrics`)).text();
}

test("a certificate that is not verified is told by log, metric and an Event on the Secret, once for each version of it", async (t) => {
  const platform = await startPlatform(t, { secret: { insecureSkipVerify: "true" } });
  await platform.apply(HELLO);
  await platform.gone(await platform.send(GOOD));
  assert.match(await metricsOf(platform), /^courier_smtp_tls_unverified 1$/m);
  await platform.apply(emailServer({ host: platform.smtp.host, port: "none" }));
  await platform.logged("Mail server is not configured");
  assert.match(await metricsOf(platform), /^courier_smtp_tls_unverified 0$/m);
  const told = platform.logs.filter((line) => line.includes("Mail server's certificate is not verified"));
  assert.equal(told.length, 1);
  const events = (await eventsOf(platform)).filter(({ reason }) => reason === "TLSUnverified");
  assert.equal(events.length, 1);
  assert.equal((events[0]?.regarding as KubeObject | undefined)?.kind, "Secret");
  assert.match(String(events[0]?.note), /^insecureSkipVerify is true: .* into ca\.crt and remove insecureSkipVerify$/);
});

test("a token login that fails and mends itself leaves no trace of secret or token in log, status or Events", async (t) => {
  const secret = "c1ient-s3cret-of-courier";
  const issuer = await startTokenServer(t);
  const { answer } = issuer;
  issuer.answer = () => ({ status: 401, body: { error: "invalid_client", error_description: `no ${secret}` } });
  const token = (_: string, given: string) => (given === "token-2" ? `535 5.7.3 No ${given}` : undefined);
  const keys = { authType: "xoauth2", username: "courier@example.com", tokenUrl: issuer.url, clientId: "courier" };
  const platform = await startPlatform(t, {
    smtp: { auth: "clear", token },
    secret: { ...keys, clientSecret: secret },
  });
  const { host, port } = platform.smtp;
  const change = (displayNameEn: string) =>
    platform.apply(emailServer({ host, port: `${port}`, ...keys, clientSecret: secret, displayNameEn }));
  await platform.apply(HELLO);
  const name = await platform.send(GOOD);
  await platform.logged("HTTP 401: invalid_client: no [hidden]: check data.clientId");
  issuer.answer = answer;
  await change("Second"); // gets token-2, which the mail server does not take
  await platform.logged("535 5.7.3 No [hidden]");
  const waiting = await platform.inPhase(name, "Processing", /^AuthenticationFailed/);
  await change("Third");
  await platform.gone(name);
  assert.equal(platform.smtp.mails[0]?.parsed.from?.text, '"Third" <user@example.com>');
  const seen = [...platform.logs, JSON.stringify(waiting), JSON.stringify(await eventsOf(platform))].join("");
  for (const part of [secret, Buffer.from(secret).toString("base64"), "token-2", "token-3", "Bearer"])
    assert.ok(!seen.includes(part), `"${part}" was shown`);
});
