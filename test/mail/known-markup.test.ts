import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { alternativesOf, sanitizeMail } from "../../src/mail/html.ts";
import { knowingMarkup } from "../../src/mail/known-markup.ts";

/** Counts its calls; drops `<title>` with its text as sanitizers do. */
function countingSanitizer() {
  const calls: string[] = [];
  const sanitize = (html: string) => {
    calls.push(html);
    return html.replace(/<title>.*?<\/title>/g, "").replaceAll("<script>", "");
  };
  return { calls, sanitize: knowingMarkup(sanitize) };
}

describe("HTML whose markup is known", () => {
  test("is put together from the third mail on, without sanitizing it again", () => {
    const { calls, sanitize } = countingSanitizer();
    for (const name of ["a", "b", "c", "d"])
      assert.equal(sanitize(`<p>${name} <script>changed</p>`), `<p>${name} changed</p>`);
    assert.deepEqual(calls, ["<p>a <script>changed</p>", "<p>b <script>changed</p>", "<p>\ue000<script>\ue000</p>"]);
  });

  test("is sanitized as a whole where a text is lost, a tag is unusual or a character is escaped", () => {
    for (const html of [
      "<title>lost</title><p>kept</p>",
      "<p>1 &amp; 2</p>",
      "<p>1 > 2</p>",
      "<p title='single'>text</p>",
      '<p title=">text" onclick="evil">text</p>',
      "<p>1 < 2</p>",
      "<p>\ue000</p>",
      '<p title="\ue000">text</p>',
      "<!-- > -->text",
      `<p>${"<b>".repeat(6_000)}</p>`,
    ]) {
      const { calls, sanitize } = countingSanitizer();
      for (let time = 0; time < 5; time += 1) sanitize(html);
      assert.equal(calls.filter((each) => each === html).length, 5, html.slice(0, 60));
    }
  });

  test("is forgotten when a tenant makes new markup with each mail, and learned again", () => {
    const { calls, sanitize } = countingSanitizer();
    const write = () => sanitize("<p>text</p>");
    write();
    write();
    for (let index = 0; index < 100; index += 1) sanitize(`<p title="${index}">text</p>`);
    calls.length = 0;
    write();
    assert.deepEqual(calls, ["<p>text</p>"]);
  });

  test("is kept while its mails go on, however much other markup comes between them", () => {
    const { calls, sanitize } = countingSanitizer();
    for (let index = 0; index < 200; index += 1) {
      sanitize("<p>text</p>");
      sanitize(`<p title="${index}">text</p>`);
    }
    assert.equal(calls.filter((html) => html === "<p>text</p>").length, 2);
  });

  test("a hostile text cannot leave its place, whatever the markup around it", () => {
    const page = (text: string) =>
      alternativesOf(`<p><a href="https://a.example/?q=">x ${text} y</a></p>`, "Html").html;
    for (const text of ["plain", "plain", "plain"]) page(text);
    const hostile = page('" onmouseover="alert(1)" javascript:');
    assert.equal(hostile, '<p><a href="https://a.example/?q=">x " onmouseover="alert(1)" javascript: y</a></p>');
    assert.equal(page("<script>alert(1)</script>"), '<p><a href="https://a.example/?q=">x  y</a></p>');
    assert.equal(page("&lt;b> &amp;"), '<p><a href="https://a.example/?q=">x &lt;b&gt; &amp; y</a></p>');
  });

  test("gives what sanitizing alone gives, for any markup and any texts in it", () => {
    const markup = fc.constantFrom(
      ...["<p>", "</p>", "<b>", "</b>", "<table><tr><td>", "</td></tr></table>", "<br>", "<br/>", "<div>", "</div>"],
      ...['<a href="https://a.example">', '<a href="javascript:x">', "</a>", '<p style="color:red;position:fixed">'],
      ...['<p title=">', '<p title="', '">', "'>", '<p title="x" ', "<!--", "-->", "<!-- x -->", "<![CDATA[", "]]>"],
      ...["<title>", "</title>", "<script>", "</script>", "<style>", "</style>", "<textarea>", "</textarea>", "<xmp>"],
      ...["<noscript>", "</noscript>", "<iframe>", "</iframe>", "<svg>", "</svg>", "<plaintext>", "<", ">", "</", "<p"],
      ...[
        "<unknown>",
        "</unknown>",
        "<!doctype html>",
        "<?xml?>",
        "<P CLASS=a>",
        "<img src=x onerror=y>",
        "&lt",
        "&#60;",
      ],
    );
    const text = fc.oneof(
      fc.constantFrom(
        "",
        "a",
        "\n",
        " ",
        '"',
        "'",
        "=",
        "a b",
        "javascript:",
        "--",
        "]]",
        "/",
        "on",
        "\u00a0",
        "\ue000",
      ),
      fc.constantFrom("<", ">", "&", "&amp;", "<b>", '" onclick="x'),
      fc.string(),
    );
    const places = fc.array(fc.oneof({ weight: 2, arbitrary: markup }, { weight: 3, arbitrary: fc.constant(null) }), {
      maxLength: 12,
    });
    const sanitize = knowingMarkup(sanitizeMail);
    fc.assert(
      fc.property(
        places,
        fc.array(fc.array(text, { minLength: 12, maxLength: 12 }), { minLength: 3 }),
        (shape, mails) => {
          const bodies = mails.map((texts) => shape.map((part, index) => part ?? texts[index]).join(""));
          for (const body of bodies) assert.equal(sanitize(body), sanitizeMail(body));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
