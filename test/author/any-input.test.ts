/** Whatever the files hold, validating and rendering say something and throw nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isScalar, parseDocument, type Scalar, stringify } from "yaml";
import { splitHtml } from "../../src/author/html-source.ts";
import { readManifests } from "../../src/author/manifest.ts";
import { previewMails } from "../../src/author/preview.ts";
import { formatFinding, formatGithub } from "../../src/author/report.ts";
import { mapScalar } from "../../src/author/scalar-offsets.ts";
import { SourceFile } from "../../src/author/source-file.ts";
import { validate } from "../../src/author/validate.ts";
import { ROOT } from "./command.ts";

const MANIFESTS = [
  "templates/configmap-change-email-template.yaml",
  "templates/default-email-template.yaml",
  "deploy/examples/policy.yaml",
  "deploy/examples/platform-email-server.example.yaml",
].map((path) => readFileSync(join(ROOT, path), "utf8"));

const FRAGMENTS = [
  ...[
    "{{",
    "}}",
    "{{ if .x }}",
    "{{ end }}",
    "{{ range .labels }}",
    "|",
    ">-",
    "\n",
    "\n  ",
    "- ",
    ": ",
    "&a ",
    "*a",
    "!!str ",
  ],
  ...[
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "#",
    "---\n",
    "\t",
    "<b>",
    "</b>",
    "<",
    ">",
    "null",
    "1e999",
    "é",
    "😀",
    "\r\n",
    "\u0000",
    "<<: *a\n",
  ],
];

/** A real manifest with pieces cut out and put in. */
const mangled = fc
  .tuple(
    fc.constantFrom(...MANIFESTS),
    fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(12),
        fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string()),
      ),
      {
        maxLength: 4,
      },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((before, [place, cut, put]) => {
      const at = Math.floor(place * before.length);
      return before.slice(0, at) + put + before.slice(at + cut);
    }, text),
  );

function useAll(texts: string[]): void {
  const sources = texts.map((text, index) => new SourceFile(`${index}.yaml`, text));
  const { findings } = validate(sources);
  for (const finding of findings) {
    assert.ok(finding.line >= 1 && finding.column >= 1 && finding.message !== "");
    formatFinding(finding, { excerpts: true, paint: (_style, text) => text });
    assert.ok(!formatGithub(finding).includes("\n"));
  }
  const manifests = sources.flatMap((source) => readManifests(source).manifests);
  previewMails(manifests, { changeBody: (body) => body, date: new Date(0) });
}

test("mangled manifests end in findings", () => {
  fc.assert(fc.property(fc.array(mangled, { minLength: 1, maxLength: 3 }), useAll), { numRuns: 400 });
});

test("any text ends in findings", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 200 }), { maxLength: 2 }), useAll));
});

test("objects of our kinds with any fields end in findings", () => {
  const kinds = fc.constantFrom("NotificationTemplate", "NotificationMessage", "ClusterPolicy", "Policy", "Secret");
  const object = fc.record({
    kind: kinds,
    apiVersion: fc.anything(),
    metadata: fc.json(),
    spec: fc.json(),
    stringData: fc.json(),
  });
  const text = object.map(({ kind, metadata, spec, stringData }) =>
    JSON.stringify({
      kind,
      type: "NotificationServer",
      metadata: JSON.parse(metadata),
      spec: JSON.parse(spec),
      stringData: JSON.parse(stringData),
    }),
  );
  fc.assert(fc.property(fc.array(text, { maxLength: 3 }), useAll));
});

for (const [what, text] of [
  ["nesting beyond the stack", `kind: NotificationMessage\nspec: ${"[".repeat(20_000)}`],
  ["block nesting beyond the stack", Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ["a body nested deeply", `kind: NotificationMessage\nspec: {body: ${'{"a":'.repeat(3000)}1${"}".repeat(3000)}}`],
  ["an alias to what is around it", "kind: NotificationMessage\nspec: &a {body: *a}"],
  [
    "a billion laughs",
    `a: &a [x]\n${[..."bcdefghij"].map((name, index) => `${name}: &${name} [${`*${"abcdefghi"[index]},`.repeat(10)}]`).join("\n")}\nkind: NotificationMessage`,
  ],
  [
    "keys of the prototype",
    "kind: NotificationMessage\n__proto__: {a: 1}\nspec: {constructor: 1, body: {toString: 1}}",
  ],
  ["a kind of the prototype", "kind: constructor\nmetadata: {name: __proto__}"],
] as const) {
  test(`${what} ends in findings`, () => {
    useAll([text]);
  });
}

test("templates that call one another in all ways are walked to an end", { timeout: 10_000 }, () => {
  const names = Array.from({ length: 60 }, (_, index) => `t${index}`);
  const define = (name: string, next = "t0") =>
    `{{ define "${name}" }}{{ if .x }}{{ template "${next}" .x }}{{ template "${next}" .y }}{{ end }}{{ end }}`;
  const source = `${names.map((name, index) => define(name, names[index + 1])).join("")}{{ template "t0" . }}`;
  const spec = { templates: [{ type: "Email", subject: source, content: source }] };
  const body = { x: { x: { y: 1 } } };
  const ephemeral = { methods: ["Email"], template: "calls" };
  const notifications = [{ name: "mail", ephemeral, receivers: [{ destination: "ann@example.com" }] }];
  useAll([
    JSON.stringify({ kind: "NotificationTemplate", metadata: { name: "calls" }, spec }),
    JSON.stringify({ kind: "NotificationMessage", metadata: { name: "m" }, spec: { body, notifications } }),
  ]);
});

test("HTML of the largest size and of the oddest attributes ends in findings", { timeout: 20_000 }, () => {
  const odd = `<p a( [x]=1 *y="${"<".repeat(20_000)}" style="\\(">x</p>`;
  for (const content of [odd, "<b>".repeat(9000), "<b>{{ if .x }}".repeat(90), "</i>".repeat(9000)])
    useAll([JSON.stringify({ kind: "NotificationTemplate", ...html, spec: { email: { subject: "x", content } } })]);
});
const html = { metadata: { name: "html", labels: { "cpaas.io/template.email.body.type": "Html" } } };

test("splitting HTML takes linear time", { timeout: 10_000 }, () => {
  for (const unit of ["<b ", "<a x='", "{{ ", "<!--", "<style>", "{{/*", "<a b=c ", '{{ "'])
    splitHtml(unit.repeat(30_000));
});

test("each character of a scalar is found where the file has it, in every style", () => {
  const words = fc.array(fc.constantFrom("alpha", "b", "变更", "😀", "it's", 'say "x"', "a\\b", "tab\there"), {
    minLength: 1,
    maxLength: 12,
  });
  const text = fc
    .array(words, { minLength: 1, maxLength: 6 })
    .map((lines) => lines.map((line) => line.join(" ")).join("\n"));
  const style = fc.constantFrom(
    "BLOCK_LITERAL",
    "BLOCK_FOLDED",
    "QUOTE_DOUBLE",
    "QUOTE_SINGLE",
    "PLAIN",
  ) as fc.Arbitrary<Scalar.Type>;
  fc.assert(
    fc.property(text, style, fc.boolean(), (value, defaultStringType, windows) => {
      const lf = stringify({ a: [{ b: value }] }, { defaultStringType, lineWidth: 40 });
      const yaml = windows ? lf.replaceAll("\n", "\r\n") : lf;
      const scalar = parseDocument(yaml).getIn(["a", 0, "b"], true);
      assert.ok(isScalar(scalar));
      assert.equal(scalar.value, value);
      const offsetOf = mapScalar(scalar, yaml);
      for (const [index, character] of value.split("").entries())
        if (/[a-z变]/.test(character) && value[index - 1] !== "\\")
          assert.equal(yaml[offsetOf(index)], character, JSON.stringify({ yaml, value, index }));
    }),
    { numRuns: 500 },
  );
});
