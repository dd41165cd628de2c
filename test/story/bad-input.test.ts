/** Whatever a tenant writes ends in a status that says what, where and what to do; other messages go on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { emailServer, messageOf, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const HELLO = templateOf("Hello {{ .labels.name }}");
const GOOD = { body: { labels: { name: "good" } }, notifications: [subscriptionOf("ann@example.com")] };

function reasonsOf({ conditions }: { conditions: { reason?: string }[] }) {
  return conditions.map(({ reason }) => reason);
}

test("messages that can never be delivered are Failed with the field path, and the next one arrives", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(HELLO);
  const cases: [spec: unknown, reason: string, told: RegExp][] = [
    [
      {
        notifications: [{ ...subscriptionOf("a@example.com"), ephemeral: { methods: ["Pigeon"], template: "change" } }],
      },
      "MethodUnsupported",
      /spec\.notifications\[0\]\.ephemeral\.methods\[0\] is "Pigeon"/,
    ],
    [{ notifications: [{ ...subscriptionOf(), receivers: [] }] }, "NoRecipients", /receivers is empty/],
    [
      { notifications: [subscriptionOf("Ann <ann@example.com>")] },
      "RecipientRejected",
      /spec\.notifications\[0\]\.receivers\[0\]\.destination/,
    ],
    [{ notifications: [subscriptionOf("ann@example.com\r\nBcc: eve@example.com")] }, "RecipientRejected", /line break/],
  ];
  for (const [spec, reason, told] of cases) {
    const message = await platform.inPhase(await platform.send(spec), "Failed");
    assert.deepEqual(reasonsOf(message), [reason]);
    assert.match(message.conditions[0]?.message ?? "", told);
  }
  await platform.gone(await platform.send(GOOD));
  assert.deepEqual(
    platform.smtp.mails.map(({ to }) => to),
    [["ann@example.com"]],
  );
});

test("labels of every kind come out as text in the mail", async (t) => {
  const platform = await startPlatform(t);
  const content = "{{ range $k, $v := .labels }}{{ $k }}={{ $v }};{{ end }}";
  await platform.apply(
    templateOf(content, "About {{ .labels.quoted }}", { "cpaas.io/template.email.body.type": "Html" }),
  );
  const labels = {
    html: "<script>alert(1)</script>",
    quoted: "a \"b\" 'c'\r\nBcc: eve@example.com",
    braces: "{{ .labels.html }}",
    constructor: "x",
    nothing: null,
    number: 9007199254740993n.toString(),
    nested: { a: [1, { b: 2 }] },
    large: "z".repeat(100_000),
  };
  const body = { labels: { ...labels, ["__proto__"]: "polluted" } };
  await platform.gone(await platform.send({ body, notifications: [subscriptionOf("ann@example.com")] }));
  const [mail] = platform.smtp.mails;
  assert.equal(mail?.parsed.subject, "About a \"b\" 'c' Bcc: eve@example.com");
  assert.equal(mail?.parsed.headers.has("bcc"), false);
  assert.match(mail?.parsed.text ?? "", /braces=\{\{ \.labels\.html \}\}/);
  assert.ok(!(mail?.parsed.html || "").includes("<script>"));
});

test("a missing template parks the message, and it is delivered at once when the template is created", async (t) => {
  const platform = await startPlatform(t);
  const name = await platform.send(GOOD);
  const waiting = await platform.inPhase(name, "Processing");
  assert.deepEqual(reasonsOf(waiting), ["TemplateNotFound"]);
  assert.match(
    waiting.conditions[0]?.message ?? "",
    /NotificationTemplate "change" does not exist in namespace "cpaas-system"/,
  );
  await platform.apply(HELLO);
  await platform.gone(name);
  assert.equal(platform.smtp.mails.length, 1);
});

test("a broken template names part, line and column, and mending it delivers what waits", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(templateOf("Hello\n{{ if }}"));
  const name = await platform.send(GOOD);
  const waiting = await platform.inPhase(name, "Processing", /^TemplateInvalid/);
  assert.deepEqual(reasonsOf(waiting), ["TemplateInvalid"]);
  assert.match(waiting.conditions[0]?.message ?? "", /"cpaas-system\/change": content:2:\d+/);
  await platform.apply(HELLO);
  await platform.gone(name);
});

test("a template that fails while it renders names the field, and mending it delivers what waits", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(templateOf("Hello", "{{ .labels.name.x.y }}"));
  const name = await platform.send(GOOD);
  const { conditions } = await platform.inPhase(name, "Processing", /^RenderFailed/);
  assert.match(conditions[0]?.message ?? "", /"cpaas-system\/change": subject:1:\d+/);
  await platform.apply(HELLO);
  await platform.gone(name);
});

test("what the schema rules out is refused when it is applied, with the field", async (t) => {
  const platform = await startPlatform(t);
  for (const [spec, told] of [
    ["text", /spec in body must be of type object: "string"/],
    [{ notifications: [] }, /spec\.notifications in body should have at least 1 items/],
    [
      { notifications: [{ receivers: "ann@example.com" }] },
      /spec\.notifications\[0\]\.receivers in body must be of type array/,
    ],
  ] as const) {
    await assert.rejects(platform.send(spec), told);
  }
});

test("a template without e-mail part is TemplateInvalid and says what it holds", async (t) => {
  const platform = await startPlatform(t);
  const template = { ...HELLO, spec: { templates: [{ type: "Sms", content: "x" }] } };
  await platform.apply(template);
  const { conditions } = await platform.inPhase(await platform.send(GOOD), "Processing", /^TemplateInvalid/);
  assert.match(conditions[0]?.message ?? "", /spec\.templates holds only Sms: add an entry \{type: Email/);
});

test("a Secret that is missing or wrong parks the message with the key, and mending it delivers at once", async (t) => {
  const platform = await startPlatform(t, { secret: null });
  await platform.apply(HELLO);
  const name = await platform.send(GOOD);
  const missing = await platform.inPhase(name, "Processing", /^ServerNotConfigured/);
  assert.match(missing.conditions[0]?.message ?? "", /Secret "cpaas-system\/platform-email-server" does not exist/);

  const { host, port } = platform.smtp;
  for (const [keys, told] of [
    [{ host, port: "abc" }, /^ServerNotConfigured: .*data\.port/],
    [{ host: "", port: `${port}` }, /^ServerNotConfigured: .*data\.host/],
    [{ host, port: `${port}`, sslEnabled: "yes" }, /^ServerNotConfigured: .*data\.sslEnabled/],
  ] as const) {
    await platform.apply(emailServer(keys));
    const next = await platform.send(GOOD);
    await platform.inPhase(next, "Processing", told);
  }
  await platform.apply(emailServer({ host, port: `${port}`, sslEnabled: "false" }));
  await platform.gone(name);
  assert.equal((await platform.smtp.received(4)).length, 4);
});

test("one recipient of three that the server refuses fails alone", async (t) => {
  const recipient = (address: string) => (address.startsWith("bob") ? "550 No such user here" : undefined);
  const platform = await startPlatform(t, { smtp: { recipient } });
  await platform.apply(HELLO);
  const name = await platform.send({
    body: {},
    notifications: [subscriptionOf("ann@example.com", "bob@example.com", "cy@example.com")],
  });
  const { conditions } = await platform.inPhase(name, "Failed");
  assert.deepEqual(
    conditions.map(({ addresses, reason }) => [addresses, reason]),
    [
      [["ann@example.com", "cy@example.com"], "Delivered"],
      [["bob@example.com"], "RecipientRejected"],
    ],
  );
  assert.deepEqual(
    platform.smtp.mails.map(({ to }) => to),
    [["ann@example.com", "cy@example.com"]],
  );
});

test("data that the server refuses for good fails the task with its words", async (t) => {
  const platform = await startPlatform(t, { smtp: { mail: () => "554 5.7.1 Rejected by policy" } });
  await platform.apply(HELLO);
  const { conditions } = await platform.inPhase(await platform.send(GOOD), "Failed");
  assert.equal(conditions[0]?.reason, "MailRejected");
  assert.match(conditions[0]?.message ?? "", /Rejected by policy/);
});

test("a refused login parks every message behind one circuit until the Secret changes", async (t) => {
  const login = (_username: string, password: string) =>
    password === "right" ? undefined : "535 5.7.8 Bad credentials";
  const platform = await startPlatform(t, {
    smtp: { auth: "clear", login },
    secret: { username: "user", password: "wrong" },
  });
  await platform.apply(HELLO);
  const names = [await platform.send(GOOD), await platform.send(GOOD), await platform.send(GOOD)];
  for (const name of names) {
    const { conditions } = await platform.inPhase(name, "Processing", /^AuthenticationFailed/);
    assert.ok(!JSON.stringify(conditions).includes("wrong"));
  }
  const { host, port } = platform.smtp;
  await platform.apply(emailServer({ host, port: `${port}`, username: "user", password: "right" }));
  for (const name of names) await platform.gone(name);
  assert.equal(platform.smtp.mails.length, 3);
});

test("a server that refuses connections is waited for, and what waits is delivered when it is back", async (t) => {
  const platform = await startPlatform(t, { secret: { port: "1" } });
  await platform.apply(HELLO);
  const name = await platform.send(GOOD);
  await platform.inPhase(name, "Processing", /^ServerUnavailable/);
  await platform.apply(emailServer({ host: platform.smtp.host, port: `${platform.smtp.port}` }));
  await platform.gone(name);
});

test("a message of the older group is delivered too", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(HELLO, { ...messageOf("older", GOOD), apiVersion: "aiops.alauda.io/v1beta1" });
  await platform.smtp.received(1);
});

test("the log has the guide's lines, word for word", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(HELLO);
  const to = "platform-operator@example.com";
  await platform.gone(await platform.send({ body: {}, notifications: [subscriptionOf(to)] }));
  const log = platform.logs.join("");
  for (const line of [
    'Try to exec {"tasks": 1}',
    'Email begin {"from": ["user@example.com"], "to": ["platform-operator@example.com"]}',
    'Email end {"from": ["user@example.com"], "to": ["platform-operator@example.com"]}',
    '"status":{"conditions":[{"method":"Email","addresses":["platform-operator@example.com"],"type":"Ready","status":"True"}],"phase":"Done"}',
  ]) {
    assert.ok(log.includes(line), line);
  }
});
