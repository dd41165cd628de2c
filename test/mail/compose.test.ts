import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { composeMail, type Sender } from "../../src/mail/compose.ts";
import { draftWith, GUIDE_DRAFT } from "./drafts.ts";

const SENDER: Sender = {
  from: { address: "user@example.com", name: "" },
  displayNames: { en: "Platform notifications", zh: "平台通知" },
};
const DATE = new Date("2026-11-22T16:00:00Z");

function compose(changes = {}, sender: Sender = SENDER) {
  return composeMail(draftWith(changes), sender, DATE);
}

function headersOf(content: Buffer): string {
  return content.toString().split("\r\n\r\n")[0] ?? "";
}

function headerOf(changes: object, name: string, sender: Sender = SENDER): string | undefined {
  const unfolded = headersOf(compose(changes, sender).content).replace(/\r\n[ \t]/g, " ");
  return unfolded.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
}

/**
 * Line ends are git's business in a file, and a test's below. Set COURIER_UPDATE_GOLDEN=1 to write the files anew, and
 * read what changed.
 */
function assertGolden(name: string, content: Buffer): void {
  const file = new URL(`golden/${name}`, import.meta.url);
  const text = content.toString().replaceAll("\r\n", "\n");
  if (process.env["COURIER_UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

test("the guide's mail is this, byte for byte", () => {
  assertGolden("guide.golden.eml", compose().content);
});

test("a Chinese mail is this, byte for byte", () => {
  const body = '<h1>告警</h1><p>命名空间 <b>应用</b> <a href="https://example.com/a?b=1&amp;c=2">详情</a></p>';
  assertGolden("chinese.golden.eml", compose({ language: "ZH", subject: "告警：应用 🎉", body }).content);
});

suite("the body", () => {
  test("of a Text template is its text part, and is escaped in the HTML part", async () => {
    const body = 'a < b & "c"\n\n  <script>alert(1)</script>\n';
    const mail = await simpleParser(compose({ body, bodyType: "Text" }).content);
    assert.equal(mail.text, body);
    assert.match(String(mail.html), /a &lt; b &amp; &quot;c&quot;<br>\n<br>\n&nbsp; ?&lt;script&gt;/);
  });

  test("of an Html template without elements keeps its lines in both parts, entities read", async () => {
    const mail = await simpleParser(compose({ body: "one &lt;two&gt;\n\n  three &amp; <none>" }).content);
    assert.equal(mail.text, "one <two>\n\n  three & <none>");
    assert.match(String(mail.html), /one &lt;two&gt;<br>\n<br>\n&nbsp; three &amp; &lt;none&gt;/);
  });

  test("of an Html template is its HTML part, and the text part is derived from it", async () => {
    const body = '<h2>Alert</h2><p>See <a href="https://example.com/x">the runbook</a></p><ul><li>one<li>two</ul>';
    const mail = await simpleParser(compose({ body }).content);
    assert.equal(mail.text, "Alert\n\nSee the runbook <https://example.com/x>\n\n * one\n * two");
    assert.match(String(mail.html), /<h2>Alert<\/h2>/);
  });

  test("keeps what mail templates use: font colours, tables, styles, pictures", async () => {
    const body =
      '<font color="red">bad</font><table border="1"><tr><td colspan="2" style="color:red">x</td></tr></table>' +
      '<img src="https://example.com/logo.png" alt="logo">';
    const html = String((await simpleParser(compose({ body }).content)).html);
    assert.match(html, /<font color="red">bad<\/font>/);
    assert.match(html, /<td colspan="2" style="color:red">x<\/td>/);
    assert.match(html, /<img src="https:\/\/example\.com\/logo\.png" alt="logo" \/>/);
  });

  const hostile = [
    "<script>alert(1)</script>",
    "<p onclick=alert(1)>x</p>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,alert">x</a>',
    '<a href="//evil.example/alert">x</a>',
    "<iframe src=https://evil.example/alert></iframe>",
    "<form action=https://evil.example/alert><input name=alert></form>",
    '<p style="background:url(https://evil.example/alert)">x</p>',
    '<img src="http://evil.example/alert.gif">',
    "<svg onload=alert(1)></svg>",
    "<style>@import url(https://evil.example/alert)</style>",
    "<link rel=stylesheet href=https://evil.example/alert>",
    "<base href=https://evil.example/alert>",
    '<meta http-equiv=refresh content="0;url=https://evil.example/alert">',
    "<!--[if mso]><p>alert</p><![endif]-->",
  ];
  for (const body of hostile)
    test(`loses ${body}`, async () => {
      const mail = await simpleParser(compose({ body: `<p>before</p>${body}<p>after</p>` }).content);
      assert.doesNotMatch(String(mail.html), /alert|\bonclick|iframe|<form/i);
      assert.match(String(mail.html), /before.*after/s);
    });

  for (const [link, shown] of [
    ["https://example.com/a@b?c=%20d#e@f", "https://example.com/a@b?c=%20d#e@f"],
    ["https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"],
    ["https://b%c3%bccher.example", "https://xn--bcher-kva.example/"],
    ["https://example.com@evil.example/", "https://evil.example/"],
    ["HTTPS:\\\\evil.example\\@example.com", "https://evil.example/@example.com"],
    ["ht\ntps://example.com@evil.example", "https://evil.example/"],
    ["https://a%zz.example", undefined],
  ] as const) {
    test(`shows of the link ${JSON.stringify(link)} where it leads: ${shown}`, async () => {
      const { html } = await simpleParser(compose({ body: `<a href="${link}">x</a>`, bodyType: "Html" }).content);
      assert.equal(/href="([^"]*)"/.exec(html || "")?.[1], shown);
    });
  }

  test("of ten thousand nested elements is composed", () => {
    assert.ok(compose({ body: `${"<div>".repeat(10_000)}x` }).content.length < 100_000);
  });

  test("names its language", () => {
    const cases = { EN: "en", ZH: "zh", zh_CN: "zh-CN", "pt-br": "pt-BR" };
    for (const [label, tag] of Object.entries(cases))
      assert.equal(headerOf({ language: label }, "Content-Language"), tag);
    assert.equal(headerOf({ language: "EN\r\nX: y" }, "Content-Language"), undefined);
  });
});

suite("the subject", () => {
  const subjectOf = async (subject: string) => (await simpleParser(compose({ subject }).content)).subject;

  test("is one line without control and bidi characters", async () => {
    assert.equal(await subjectOf(" a\r\nBcc: b@example.com\t\u0000c \u202ed\u2066e "), "a Bcc: b@example.com c de");
  });

  test("has no characters that hide, and keeps those that emoji and scripts are made with", async () => {
    assert.equal(await subjectOf("p\u200ba\u00ady\u{e0041}\u3164 \u2060x"), "pay x");
    assert.equal(await subjectOf("👩\u200d💻 ❤\ufe0f می\u200cخواهم"), "👩\u200d💻 ❤\ufe0f می\u200cخواهم");
  });

  test("ends in … when it is longer than 200 characters", async () => {
    const subject = (await subjectOf("x".repeat(300))) ?? "";
    assert.equal(subject, `${"x".repeat(199)}…`);
    assert.equal(await subjectOf("x".repeat(200)), "x".repeat(200));
  });

  test("is cut between graphemes", async () => {
    const family = "👨‍👩‍👧‍👦";
    assert.equal(await subjectOf(family.repeat(40)), `${family.repeat(28)}…`);
  });

  test("that looks like an encoded word is shown as it is", async () => {
    assert.equal(await subjectOf("=?UTF-8?B?SGk=?="), "=?UTF-8?B?SGk=?=");
  });

  test("that is empty says so", async () => {
    assert.equal(await subjectOf(" \n "), "(no subject)");
  });
});

suite("the headers", () => {
  test("show the sender in the mail's language", () => {
    assert.equal(headerOf({ language: "EN" }, "From"), '"Platform notifications" <user@example.com>');
    assert.match(headerOf({ language: "ZH" }, "From") ?? "", /^=\?UTF-8\?B\?.*\?= <user@example.com>$/);
    const named: Sender = { from: { address: "user@example.com", name: 'A "B"' }, displayNames: { en: "", zh: "" } };
    assert.equal(headerOf({}, "From", named), '"A \\"B\\"" <user@example.com>');
    const bare: Sender = { from: { address: "user@example.com", name: "" }, displayNames: { en: "", zh: "" } };
    assert.equal(headerOf({}, "From", bare), "user@example.com");
  });

  test("name the recipient when there is one, and nobody when there are more", () => {
    assert.equal(headerOf({ to: ["ann@example.com"] }, "To"), "ann@example.com");
    assert.equal(headerOf({ to: ["ann@example.com", "bob@example.com"] }, "To"), "undisclosed-recipients:;");
  });

  test("thread mail about one source, and leave other mail alone", () => {
    const first = headerOf({ source: "ConfigMap/a/b" }, "References");
    const again = headerOf(
      { source: "ConfigMap/a/b", message: { ...GUIDE_DRAFT.message, uid: "other" } },
      "References",
    );
    assert.equal(first, again);
    assert.notEqual(first, headerOf({ source: "ConfigMap/a/c" }, "References"));
    assert.equal(headerOf({ source: undefined }, "References"), undefined);
  });

  test("keep the Message-ID for whoever is left of the recipients, at any time", () => {
    const first = compose({ to: ["ann@example.com", "bob@example.com"] });
    const later = composeMail(draftWith({ to: ["bob@example.com"] }), SENDER, new Date(DATE.getTime() + 60_000));
    assert.equal(first.messageId, later.messageId);
    assert.match(first.messageId, /^<[\w.]+@example\.com>$/);
  });

  test("give every message and every task a Message-ID of its own", () => {
    const ids = [{}, { taskId: "other" }, { message: { ...GUIDE_DRAFT.message, uid: "other" } }];
    assert.equal(new Set(ids.map((changes) => compose(changes).messageId)).size, 3);
  });
});

suite("whatever is given", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc
      .array(fc.constantFrom("\r\n", "\n", "\r", " ", "x".repeat(90), "通", "=?", "<b>", "&amp;", ".", "From ", "\0"))
      .map((parts) => parts.join("")),
  );
  const anyDraft = fc.record({
    subject: anyText,
    body: anyText,
    bodyType: fc.constantFrom("Html", "Text"),
    language: anyText,
    source: anyText,
    taskId: anyText,
  });
  const known =
    /^(?:From|To|Subject|Date|Message-ID|In-Reply-To|References|Auto-Submitted|X-Auto-Response-Suppress|Content-Language|MIME-Version|Content-Type):(?: |$)/;

  test("no header is added, split or longer than a line may be", () => {
    fc.assert(
      fc.property(anyDraft, anyText, (changes, name) => {
        const content = compose(changes, {
          from: { address: "user@example.com", name },
          displayNames: { en: name, zh: "" },
        });
        for (const line of headersOf(content.content).split("\r\n")) {
          assert.match(line, line.startsWith(" ") ? /^ \S/ : known);
          assert.match(line, /^[\x20-\x7e]*$/);
        }
      }),
    );
  });

  test("lines end in CRLF and have at most 998 bytes", () => {
    fc.assert(
      fc.property(anyDraft, (changes) => {
        const text = compose(changes).content.toString();
        assert.doesNotMatch(text, /[^\r]\n|\r[^\n]/);
        for (const line of text.split("\r\n")) assert.ok(Buffer.byteLength(line) <= 998);
      }),
    );
  });

  test("a text body arrives as it was, but for control characters", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (body) => {
        const mail = await simpleParser(compose({ body, bodyType: "Text" }).content);
        const plain = body
          .toWellFormed()
          .replace(/\r\n?/g, "\n")
          .replace(/[^\P{Cc}\t\n]|[\u202a-\u202e]/gu, "");
        assert.equal(mail.text?.replace(/^\n$/, ""), plain.replace(/^\n$/, "")); // mailparser makes the one of the other
      }),
      { numRuns: 50 },
    );
  });
});
