/** A tenant who would use courier as an open relay or a mail cannon, through the real service. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { messageOf, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";
import { everythingSaid } from "./said.ts";

const HELLO = templateOf("Hello");

test("with allowed domains, no way of writing an address leads to another domain, and the allowed get their mail", async (t) => {
  const platform = await startPlatform(t, { serve: { allowedRecipientDomains: ["example.com", "*.example.org"] } });
  await platform.apply(HELLO);
  const outside = [
    "eve@evil.net",
    "eve@example.com.evil.net",
    "eve@notexample.com",
    "eve@example.org",
    "eve@ехample.com",
  ];
  const routed = ["eve%evil.net@example.com", "evil.net!eve@example.com"];
  const unreadable = [
    "eve@evil.net,ann@example.com",
    '"ann@example.com"@evil.net',
    "eve@evil.net(@example.com)",
    "@example.com:eve@evil.net",
    "eve@evil.net\u0000@example.com",
    "eve@example.com.",
  ];
  const inside = ["ann@example.com", "bob@Sub.Example.ORG"];
  const name = await platform.send({
    notifications: [subscriptionOf(...outside, ...routed, ...unreadable, ...inside)],
  });
  const { conditions } = await platform.inPhase(name, "Failed");
  const fates = (reason: string) =>
    conditions.filter((condition) => condition.reason === reason).flatMap(({ addresses }) => addresses).length;
  assert.deepEqual(
    [fates("Delivered"), fates("Suppressed"), fates("RecipientRejected")],
    [inside.length, outside.length + routed.length, unreadable.length],
  );
  assert.deepEqual(
    platform.smtp.mails.map(({ to }) => to),
    [["ann@example.com", "bob@sub.example.org"]],
  );
  assert.match(
    await everythingSaid(platform),
    /courier may not mail evil\.net: --allowed-recipient-domains has example\.com/,
  );
});

test("a flood at one recipient ends at the limit with the time of the next mail, and others are not held up by it", async (t) => {
  const recipientRate = { count: 3, periodMs: 3_600_000 };
  const platform = await startPlatform(t, { serve: { recipientRate } });
  await platform.apply(HELLO);
  const flood = Array.from({ length: 8 }, (_, index) => `ann@example.com ANN@example.com`.split(" ")[index % 2] ?? "");
  const names = await Promise.all(flood.map((address) => platform.send({ notifications: [subscriptionOf(address)] })));
  await platform.gone(await platform.send({ notifications: [subscriptionOf("bob@example.com")] }));
  await platform.smtp.received(4);
  const messages = await Promise.all(names.map((name) => platform.ended(name)));
  const suppressed = messages.flatMap((message) => message?.conditions ?? []);
  assert.equal(suppressed.length, 5);
  for (const { reason, message = "" } of suppressed) {
    assert.equal(reason, "Suppressed");
    assert.match(
      message,
      /limit of 3 mails in 60 min to one recipient \(--recipient-rate\).* at \d{4}-.*courier\.io\/retry/,
    );
  }
  assert.equal(platform.smtp.mails.filter(({ to }) => /ann/i.test(to[0] ?? "")).length, 3);
  assert.match(
    await everythingSaid(platform),
    /courier_delivery_failures_total\{method="Email",reason="Suppressed"\} 5/,
  );
});

test("the sender is the Secret's, whatever a message, its labels or its template say", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(templateOf("x", "From: ceo@bank.example", { from: "ceo", "cpaas.io/from": "ceo" }));
  const message = messageOf("spoof", {
    from: "ceo@bank.example",
    replyTo: "eve@evil.net",
    body: { from: "ceo@bank.example", labels: { from: "ceo@bank.example", sender: "ceo@bank.example" } },
    notifications: [{ ...subscriptionOf("ann@example.com"), from: "ceo@bank.example", sender: "ceo@bank.example" }],
  });
  const metadata = { ...message.metadata, labels: { from: "ceo" }, annotations: { from: "ceo@bank.example" } };
  await platform.apply({ ...message, metadata });
  const [mail] = await platform.smtp.received(1);
  assert.equal(mail?.from, "user@example.com");
  assert.equal(mail?.parsed.from?.text, "user@example.com");
  for (const header of ["sender", "reply-to", "bcc", "cc"])
    assert.equal(mail?.parsed.headers.has(header), false, header);
});
