import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alternativesOf, styleSheetOf } from "../../src/mail/html.ts";

const cssOf = (css: string) => styleSheetOf(`<style>${css}</style><p>x</p>`);

test("plain rules and media queries around them are kept", () => {
  const { css, dropped } = cssOf(`
    .card, td.value > b:first-child { background: #fff; color: rgb(1, 2, 3) !important }
    /* night */
    @media (prefers-color-scheme: dark) { .card { background: #111 } }
    @media only screen and (max-width: 480px) { .wide { display: block !important; width: 100% } }
    [data-ogsc] .card { color: #eee }`);
  assert.equal(
    css,
    `.card, td.value > b:first-child { background: #fff; color: rgb(1, 2, 3) !important; }
@media (prefers-color-scheme: dark) {
.card { background: #111; }
}
@media only screen and (max-width: 480px) {
.wide { display: block !important; width: 100%; }
}
[data-ogsc] .card { color: #eee; }
`,
  );
  assert.deepEqual(dropped, []);
});

for (const css of [
  "p { background: url(https://x.example/seen.png) }",
  "p { background: u\\72l(https://x.example) }",
  "p { background: ur/**/l(https://x.example/seen.png) }",
  "p { width: expression(alert(1)) }",
  "p { position: fixed }",
  "p { content: 'x' }",
  "@import 'https://x.example/a.css';",
  "@font-face { font-family: x; src: local(x) }",
  "@media screen { @media print { p { color: red } } }",
  "@media url(x) { p { color: red } }",
  "p[title^=a] { color: red }",
  "p { color: red",
  "} p { color: </style",
]) {
  test(`nothing is kept of ${css}`, () => {
    const { css: kept, dropped } = cssOf(css);
    assert.equal(kept, "");
    assert.equal(dropped.length, 1);
  });
}

test("a sheet that Gmail would drop whole is dropped whole", () => {
  const { css, dropped } = cssOf("p { color: red } ".repeat(500));
  assert.equal(css, "");
  assert.match(dropped[0] ?? "", /more than 8192 characters/);
});

test("whatever a style sheet holds, no angle bracket opens in it and nothing is fetched", () => {
  const piece = fc.constantFrom(
    "p",
    ".a",
    "{",
    "}",
    ";",
    ":",
    "color",
    "background",
    "url(",
    "u\\rl(",
    ")",
    "@media",
    "(x)",
    "@import",
    '"',
    "'",
    "<",
    "</",
    "/*",
    "*/",
    " ",
    "\n",
    "red",
    "https://x",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { css } = cssOf(pieces.join(""));
      assert.ok(!css.includes("<") && !/url\s*\(|\\|@import|https:/i.test(css), css);
    }),
    { numRuns: 2000 },
  );
});

test("the text beside a style sheet has nothing of it", () => {
  const { text, html, css } = alternativesOf("<style>p { color: red }</style><p class='a'>x</p>", "Html");
  assert.equal(text, "x");
  assert.equal(html, '<p class="a">x</p>');
  assert.equal(css, "p { color: red; }\n");
});

test("many style elements without an end take no time", { timeout: 5000 }, () => {
  assert.equal(styleSheetOf("<style>".repeat(100_000)).css, "");
});
