/** A tenant's message against the mail server and the reader: what goes over the wire is one mail, in courier's own words. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { emailServer, messageOf, type Platform, startPlatform, templateOf } from "../support/platform.ts";
import { everythingSaid } from "./said.ts";
import { tapWire, type Wiretap } from "./wiretap.ts";

const HTML = { "cpaas.io/template.email.body.type": "Html" };

/** courier-api with the bytes that it sends to the mail server in view. */
async function tapped(t: TestContext): Promise<{ platform: Platform; wire: Wiretap }> {
  const platform = await startPlatform(t);
  const wire = await tapWire(t, platform.smtp.port);
  await platform.apply(emailServer({ host: "127.0.0.1", port: `${wire.port}` }));
  return { platform, wire };
}

function subscription(destinations: string[], name = "ops") {
  const receivers = destinations.map((destination) => ({ destination }));
  return { name, ephemeral: { methods: ["Email"], template: "change" }, receivers };
}

/** The commands of a connection, with each mail as the one word of its final dot. */
function commandsOf(wire: string): string[] {
  return wire
    .replace(/(?<=\r\nDATA\r\n)[\s\S]*?\r\n\.\r\n/g, ".\r\n")
    .split("\r\n")
    .filter((line) => line !== "");
}

const COMMANDS = "x@example.com>\r\nRCPT TO:<eve@example.net>\r\nDATA\r\n";
const SMUGGLED = ["\r\n.\r\nMAIL FROM:<eve@example.net>\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "..\r\n.x"].join(
  "",
);
const HEADERS =
  "a\r\nBcc: eve@example.net\nX-Evil: 1\rTo: eve@example.net\u2028Cc: eve@example.net\u0085Reply-To: eve@example.net";

test("no field of a message adds a command or a header, or ends a mail early", async (t) => {
  const { platform, wire } = await tapped(t);
  await platform.apply(templateOf("{{ .labels.smuggled }}{{ .labels.headers }}", "{{ .labels.headers }}"));
  const destinations = [
    "ann@example.com",
    COMMANDS,
    HEADERS,
    "eve@example.net>",
    "<eve@example.net>",
    "a@b@c",
    "-oQ/tmp",
  ];
  const message = messageOf("attack", {
    body: { labels: { smuggled: SMUGGLED, headers: HEADERS } },
    notifications: [subscription(destinations, HEADERS)],
  });
  await platform.apply(message);
  const { conditions } = await platform.inPhase("attack", "Failed");
  assert.deepEqual(
    conditions.map(({ reason, addresses }) => [reason, addresses.length]),
    [["Delivered", 1], ...Array.from({ length: 6 }, () => ["RecipientRejected", 1])],
  );

  const [sent = "", ...more] = wire.sent();
  assert.deepEqual(more, []);
  assert.doesNotMatch(sent, /[^\r]\n|\r[^\n]/, "no bare CR or LF for servers to disagree about");
  assert.deepEqual(
    commandsOf(sent).map((line) => line.replace(/^(EHLO) .*| BODY=8BITMIME| SIZE=\d+/g, "$1")),
    ["EHLO", "MAIL FROM:<user@example.com>", "RCPT TO:<ann@example.com>", "DATA", "."],
  );
  const [mail] = platform.smtp.mails;
  assert.deepEqual([...(mail?.parsed.headers.keys() ?? [])].sort(), [
    ...["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"],
    "x-auto-response-suppress",
  ]);
  assert.equal(
    mail?.parsed.subject,
    "a Bcc: eve@example.net X-Evil: 1 To: eve@example.net Cc: eve@example.net Reply-To: eve@example.net",
  );
  assert.equal(mail?.parsed.text?.includes("\n.\nMAIL FROM:<eve@example.net>\n"), true, "the text itself arrives");
  assert.doesNotMatch(await everythingSaid(platform), /\r|^Bcc:/m, "and no line of a log or page is forged");
});

const EVIL_HTML = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "<svg/onload=alert(1)>",
  "<iframe srcdoc='<script>alert(1)</script>'>",
  "</title></style><script>alert(1)</script>",
  "<!--><script>alert(1)</script>-->",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<form action=https://evil.example><input name=password>",
  "<meta http-equiv=refresh content=0;url=https://evil.example>",
  "<base href=https://evil.example/>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
].join("\n");

test("values in an Html mail are text wherever they stand, in the text, an attribute or a link", async (t) => {
  const platform = await startPlatform(t);
  const content = [
    "<p>{{ .labels.html }}</p>",
    '<p title="{{ .labels.html }}" class={{ .labels.html }}>x</p>',
    "{{ range .labels.links }}<a href='{{ . }}'>link</a>{{ end }}",
    '<p style="color: {{ .labels.style }}">y</p>',
  ].join("\n");
  await platform.apply(templateOf(content, "{{ .labels.html }}", HTML));
  const links = [
    "javascript:alert(1)",
    "JaVa\tScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
  ];
  const labels = { html: EVIL_HTML, links, style: "red; background: url(https://evil.example/x) expression(alert(1))" };
  await platform.gone(await platform.send({ body: { labels }, notifications: [subscription(["ann@example.com"])] }));

  const html = (platform.smtp.mails[0]?.parsed.html || assert.fail()).replace(/<title>.*?<\/title>/s, (title) =>
    title.replace(/^<title>[^<>]*<\/title>$/, ""),
  );
  const tags = [...html.matchAll(/<[/!]?([a-z]+)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)];
  assert.deepEqual([...new Set(tags.map(([, name]) => name))].sort(), [
    "a",
    "body",
    "doctype",
    "head",
    "html",
    "meta",
    "p",
    "table",
    "td",
    "tr",
  ]);
  for (const [, name, attributes = ""] of tags) {
    const outside = attributes.replace(/"[^"]*"/g, '""');
    assert.doesNotMatch(outside, /\bon\w+\s*=/i, `${name}${attributes}`);
    assert.doesNotMatch(attributes, /(?:href|src)="(?!https?:|mailto:|#)[^"]/i, `${name}${attributes}`);
  }
  assert.doesNotMatch(html, /url\s*\(|expression\s*\(alert/i);
});

test("look-alike and hidden characters show what they are", async (t) => {
  const platform = await startPlatform(t);
  const content = "<p>{{ .labels.file }}</p>{{ range .labels.links }}<a href='{{ . }}'>link</a> {{ end }}";
  await platform.apply(templateOf(content, "{{ .labels.subject }}", HTML));
  const subject = "pay\u200b\u00adpal\u2060 \u202egnp.exe\u202c \u{e0041}\u3164👩‍💻 ok";
  const labels = {
    subject,
    file: "invoice\u202egnp.exe",
    links: ["https://bаnk.example/a", "https://bank.example@evil.example/b", "https://ok.example/ü?q=a@b"],
  };
  const destinations = ["ann@bаnk.example", "ann\u202e@example.com", "ann@exam\u200bple.com"]; // the first а is Cyrillic
  const { conditions } = await platform.inPhase(
    await platform.send({ body: { labels }, notifications: [subscription(destinations)] }),
    "Failed",
  );
  assert.deepEqual(
    conditions.flatMap(({ addresses }) => addresses),
    ["ann@xn--bnk-6cd.example", "ann?@example.com", "ann@exam?ple.com"],
  );
  const [mail] = platform.smtp.mails;
  assert.equal(mail?.parsed.subject, "paypal gnp.exe 👩‍💻 ok");
  const html = mail?.parsed.html || assert.fail();
  assert.match(html, /<p>invoicegnp\.exe<\/p>/);
  assert.deepEqual(
    [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href),
    ["https://xn--bnk-6cd.example/a", "https://evil.example/b", "https://ok.example/%c3%bc?q=a@b"],
  );
  assert.match(mail?.parsed.text ?? "", /<https:\/\/xn--bnk-6cd\.example\/a>/);
  assert.doesNotMatch(await everythingSaid(platform), /[\u200b\u202e]/);
});
