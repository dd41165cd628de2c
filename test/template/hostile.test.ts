import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate, TemplateError } from "../../src/template/index.ts";

const SIZE = 256 * 1024;
const filled = (part: string, before = "", after = ""): string =>
  before + part.repeat(Math.floor((SIZE - before.length - after.length) / part.length)) + after;

/** Sources and values made to cost more than they look. */
const HOSTILE: Record<string, [source: string, data?: unknown]> = {
  "as many actions as fit": [filled("{{.}}")],
  "as many loops as the tokens allow": ["{{range .l}}{{.}}{{end}}".repeat(2700), { l: [1] }],
  "as many values as the tokens allow": ["{{.a.b}}".repeat(7400), { a: { b: "x" } }],
  "jumps in a row": [filled("{{if .a}}{{break}}{{end}}", "{{range .l}}", "{{end}}"), { l: [1] }],
  "calls in one another": [`{{${"print (".repeat(1100)}1${")".repeat(1100)}}}`],
  "a hundred thousand fields": [`{{${".a".repeat(100_000)}}}`],
  "a long hexadecimal number": [`{{0x${"f".repeat(200_000)}}}`],
  "a long complex number": [`{{1${"+1".repeat(100_000)}i}}`],
  "quotes in a script": [filled("'", "<script>")],
  "near end tags in a script": [filled("</scrip", "<script>")],
  "addresses in a style": [filled("url( ", "<style>")],
  "blanks in a script": [filled(" ", "<script>a", "b</script>")],
  "wide verbs in a loop": ['{{range 100000}}{{printf "%900000d" 1}}{{end}}'],
  "a precision of a million": ['{{printf "%.999999f" 1.5}}'],
  "bytes of a long text": [
    "{{range $i, $_ := .l}}{{index $.s $i}}{{end}}",
    { s: "é".repeat(200_000), l: Array.from({ length: 20_000 }, () => 1) },
  ],
  "blanks inside a text": ["{{trim .s}}", { s: `a${" ".repeat(300_000)}a` }],
  "tags taken out in a loop": [
    '{{$h := safeHtml .s}}{{range 100000}}<p title="{{$h}}">{{end}}',
    { s: "<a><b c=d>".repeat(100_000) },
  ],
  "long styles refused in a loop": ['{{range 100000}}<p style="{{$.s}}">{{end}}', { s: "\\".repeat(1_000_000) }],
  "data nested deeply": ["{{.}}", JSON.parse("[".repeat(20_000) + "]".repeat(20_000))],
};

for (const [name, [source, data]] of Object.entries(HOSTILE)) {
  for (const mode of ["text", "html"] as const) {
    test(`${name} cannot hold up the process (${mode})`, () => {
      const start = performance.now();
      try {
        compileTemplate(source, { name: "content", mode, allowSafeHtml: true }).render(data);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
      }
      const ms = performance.now() - start;
      assert.ok(ms < 5000, `took ${Math.round(ms)} ms`);
    });
  }
}
