import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig } from "../../src/config/config.ts";
import { TemplateStore } from "../../src/delivery/templates.ts";
import { alternativesOf } from "../../src/mail/html.ts";
import { stripTags } from "../../src/template/html/strip-tags.ts";
import { compileTemplate, TemplateError, type TemplateMode } from "../../src/template/index.ts";

/** The value of html/template's own table of typed contents. */
const GREETING = "Hello, <b>World</b> &amp;tc!";

const render = (source: string, x: unknown = GREETING, mode: TemplateMode = "html"): string =>
  compileTemplate(source, { name: "content", mode, allowSafeHtml: true }).render({ x });

const failsWith = (problem: RegExp) => (error: unknown) =>
  error instanceof TemplateError && problem.test(error.problem);

for (const mode of ["text", "html"] as const) {
  test(`safeHtml is refused with its place and who can allow it (${mode})`, () => {
    assert.throws(
      () => compileTemplate("<p>\n  {{ .x | safeHtml }}", { name: "content", mode }),
      (error) =>
        error instanceof TemplateError &&
        error.stage === "parse" &&
        error.message.startsWith("content:2:11: safeHtml is not allowed") &&
        error.message.includes("administrator") &&
        error.message.includes("--allow-safe-html") &&
        error.goMessage === 'template: content:2: function "safeHtml" not defined',
    );
  });
}

test("the service allows safeHtml only where it is told to", () => {
  const object = {
    apiVersion: "ait.alauda.io/v1beta1",
    kind: "NotificationTemplate",
    metadata: {
      name: "t",
      namespace: "n",
      resourceVersion: "1",
      labels: { "cpaas.io/template.email.body.type": "Html" },
    },
    spec: { templates: [{ type: "Email", subject: "{{ safeHtml .x }}", content: "<p>{{ safeHtml .x }}</p>" }] },
  };
  const lookup = (allowSafeHtml: boolean) => {
    const store = new TemplateStore({ allowSafeHtml });
    store.set(object);
    return store.find("n", "t");
  };
  const refused = lookup(defaultConfig("serve", {}).allowSafeHtml);
  assert.match(
    "reason" in refused ? refused.message : "",
    /^NotificationTemplate "n\/t": subject:1:4: safeHtml is not allowed/,
  );
  const allowed = lookup(true);
  assert.ok("template" in allowed);
  assert.equal(allowed.template.subject.render({ x: "<b>" }), "<b>");
  assert.equal(allowed.template.content.render({ x: "<b>" }), "<p><b></p>");
});

/** What html/template does with template.HTML, place by place. */
const PLACES: Record<string, [source: string, output: string]> = {
  text: ["<p>{{safeHtml .x}}</p>", `<p>${GREETING}</p>`],
  "a quoted attribute": ["<p title='{{safeHtml .x}}'>", "<p title='Hello, World &amp;tc!'>"],
  "an unquoted attribute": ["<p title={{safeHtml .x}}>", "<p title=Hello,&#32;World&#32;&amp;tc!>"],
  "a text area": [
    "<textarea>{{safeHtml .x}}</textarea>",
    "<textarea>Hello, &lt;b&gt;World&lt;/b&gt; &amp;tc!</textarea>",
  ],
  "an address's query": [
    '<a href="?q={{safeHtml .x}}">',
    '<a href="?q=Hello%2c%20%3cb%3eWorld%3c%2fb%3e%20%26amp%3btc%21">',
  ],
  "an address": ['<a href="{{safeHtml .x}}">', '<a href="Hello,%20%3cb%3eWorld%3c/b%3e%20&amp;amp;tc!">'],
  "a style": ['<p style="{{safeHtml .x}}">', '<p style="ZgotmplZ">'],
  "a comment": ["a<!-- {{safeHtml .x}} -->b", "ab"],
};

for (const [place, [source, output]] of Object.entries(PLACES)) {
  test(`marked HTML in ${place} is what Go makes of it`, () => assert.equal(render(source), output));
}

test("an address marked as HTML leads no further than any other", () => {
  assert.equal(render('<a href="{{safeHtml .x}}">', "javascript:alert(1)"), '<a href="#ZgotmplZ">');
});

test("marked HTML cannot leave the attribute it stands in", () => {
  assert.equal(render('<p title="{{safeHtml .x}}">', `"><img src=x> '`), '<p title="&#34;&gt; &#39;">');
  assert.equal(render("<p title={{safeHtml .x}}>", ""), "<p title=ZgotmplZ>");
});

test("places where no value may stand take no marked HTML either", () => {
  for (const source of ["<script>{{safeHtml .x}}</script>", "<p {{safeHtml .x}}>", "<p onclick='{{safeHtml .x}}'>"]) {
    assert.throws(() => render(source), failsWith(/ stands in/), source);
  }
});

test("the mark stays with the value through variables, blocks, templates and choices", () => {
  const sources = [
    "{{.x | safeHtml}}",
    "{{$h := safeHtml .x}}{{$h}}",
    "{{with safeHtml .x}}{{.}}{{end}}",
    '{{define "t"}}{{.}}{{end}}{{template "t" (safeHtml .x)}}',
    '{{safeHtml .x | default "none"}}',
    "{{and true (safeHtml .x)}}",
    "{{slice (safeHtml .x) 0}}",
  ];
  for (const source of sources) assert.equal(render(source), GREETING, source);
  assert.equal(render('{{if safeHtml ""}}a{{else}}b{{end}}'), "b");
});

test("a text made of marked HTML is escaped like any other", () => {
  const escaped = "Hello, &lt;b&gt;World&lt;/b&gt; &amp;amp;tc!";
  for (const call of ['printf "%s" (safeHtml .x)', "print (safeHtml .x)", "safeHtml .x | html", "html (safeHtml .x)"]) {
    assert.equal(render(`{{${call}}}`), escaped, call);
  }
  assert.equal(render("{{join `+` (safeHtml .x)}}"), escaped);
});

test("functions take marked HTML as Go's reflection lets them", () => {
  assert.equal(render('{{len (safeHtml "<é>")}} {{index (safeHtml "a") 0}} {{eq (safeHtml "a") "a"}}'), "4 97 true");
  assert.equal(render('{{printf "%T" (safeHtml "a")}} {{lt (safeHtml "a") "b"}}'), "template.HTML true");
  assert.equal(
    render("{{toJson (safeHtml .x) | safeHtml}}"),
    '"Hello, \\u003cb\\u003eWorld\\u003c/b\\u003e \\u0026amp;tc!"',
  );
  assert.throws(() => render("{{safeHtml .x | upper}}"), failsWith(/expected string; got template\.HTML/));
  assert.throws(() => render("{{(safeHtml .x).y}}"), failsWith(/can't evaluate field y in type template\.HTML/));
  assert.throws(() => render("{{range safeHtml .x}}{{end}}"), failsWith(/range can't iterate over Hello/));
  assert.throws(() => render("{{safeHtml .x}}", 1), failsWith(/expected string; got int64/));
  assert.throws(() => render("{{safeHtml .gone}}"), failsWith(/invalid value; expected string/));
});

test("in text safeHtml gives back what it is given", () => {
  assert.equal(render("{{safeHtml .x}} {{.x | safeHtml | upper}}", "<b>&", "text"), "<b>& <B>&");
});

test("the mail's own filter still takes scripts, handlers and bad links out of marked HTML", () => {
  const hostile =
    '<b onclick="steal()">bold</b><script>steal()</script><a href="javascript:steal()">link</a><iframe src="//evil"></iframe>';
  const { html } = alternativesOf(render("<p>{{safeHtml .x}}</p>", hostile), "Html");
  assert.equal(html, "<p><b>bold</b><a>link</a></p>");
});

test("only the tags of HTML are taken out of it for an attribute", () => {
  const pieces: [string, string][] = [
    ["", ""],
    ["foo&amp;bar", "foo&amp;bar"],
    ['Hello <a href="www.example.com/">World</a>!', "Hello World!"],
    ["Foo <textarea>Bar</textarea> Baz", "Foo Bar Baz"],
    ["Foo <!-- Bar --> Baz", "Foo  Baz"],
    ["<", "<"],
    ["foo < bar", "foo < bar"],
    ['Foo<script type="text/javascript">alert(1337)</script>Bar', "FooBar"],
    ['Foo<div title="1>2">Bar', "FooBar"],
    ["I <3 Ponies!", "I <3 Ponies!"],
    ["<script>foo()</script>", ""],
    ["a<b c= d>e", "ae"],
    ["a<b 'c>d", "a"],
    ["a<script>b", "a"],
  ];
  for (const [html, text] of pieces) assert.equal(stripTags(html), text, html);
});
