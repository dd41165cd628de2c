import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FUNCTION_NAMES_WITH_SAFE_HTML } from "../../src/template/functions/registry.ts";
import { compileTemplate, type TemplateDialect, TemplateError, type TemplateMode } from "../../src/template/index.ts";

/** Compiles and renders; anything but a text or a TemplateError is a bug, and so is taking long. */
function survives(source: string, data: unknown, mode: TemplateMode, dialect: TemplateDialect): void {
  const start = performance.now();
  try {
    assert.equal(
      typeof compileTemplate(source, {
        name: "content",
        mode,
        dialect,
        limits: { renderMs: 200 },
        allowSafeHtml: true,
      }).render(data),
      "string",
    );
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    assert.ok(error.message.startsWith("content:"), error.message);
  }
  assert.ok(performance.now() - start < 2000, `takes too long: ${source}`);
}

const RUNS = { numRuns: 1500 };
const mode = fc.constantFrom<TemplateMode>("text", "html");
const data = fc.jsonValue({ maxDepth: 4 });

const KEYS = ["a", "b", "items", "constructor", "__proto__", "toString", "length"];
const knownData = fc.record(
  Object.fromEntries(KEYS.filter((key) => key !== "__proto__").map((key) => [key, fc.jsonValue({ maxDepth: 3 })])),
  { requiredKeys: [] },
);

const literal = fc.oneof(
  fc.constantFrom(
    "nil",
    "true",
    "1",
    "-2.5",
    "1e3",
    "0x1p4",
    "'x'",
    "2i",
    "9223372036854775808",
    '"\\xff%d"',
    "`<a>`",
    '"2006-01-02"',
    '"UTC"',
  ),
  fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
);
const operand = fc.oneof(
  literal,
  fc.constantFrom(".", "$", "$x", "$y.a"),
  fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 3 }).map((keys) => `.${keys.join(".")}`),
);

const { pipe } = fc.letrec<{ pipe: string; command: string; operand: string }>((tie) => ({
  operand: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    operand,
    tie("pipe").map((inner) => `(${inner})`),
    tie("pipe").map((inner) => `(${inner}).a`),
  ),
  command: fc.oneof(
    tie("operand"),
    fc
      .tuple(fc.constantFrom(...FUNCTION_NAMES_WITH_SAFE_HTML), fc.array(tie("operand"), { maxLength: 3 }))
      .map(([name, args]) => [name, ...args].join(" ")),
  ),
  pipe: fc.array(tie("command"), { minLength: 1, maxLength: 2 }).map((commands) => commands.join(" | ")),
}));

const MARKUP = [
  "<p>",
  "</p>",
  '<a href="',
  "<p title='",
  '">',
  "'>",
  "<script>",
  "</script>",
  "<style>",
  "<!--",
  "-->",
  " ",
  "\n",
  "&amp;",
  "x=",
  "<textarea>",
  "{",
  "é😀",
  "?",
];

const { body } = fc.letrec<{ body: string; node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...MARKUP),
    pipe.map((inner) => `{{${inner}}}`),
    pipe.map((inner) => `{{- $x = ${inner} -}}`),
    fc
      .tuple(
        fc.constantFrom("if", "with", "range", "range $x :=", "range $x, $y :=", "if $x :="),
        pipe,
        tie("body"),
        tie("body"),
      )
      .map(([head, inner, yes, no]) => `{{${head} ${inner}}}${yes}{{else}}${no}{{end}}`),
    pipe.map((inner) => `{{template "t" ${inner}}}`),
    fc.constantFrom("{{break}}", "{{continue}}", "{{end}}", "{{else}}", '{{block "b" .}}x{{.}}{{end}}', "{{", "}}"),
  ),
  body: fc.array(tie("node"), { maxLength: 4 }).map((nodes) => nodes.join("")),
}));

const program = body.map((inner) => `{{define "t"}}[{{.}}]{{end}}{{$x := 1}}{{$y := .}}${inner}`);

test("any text as a Go template renders or fails as a TemplateError", () => {
  const source = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(
        fc.constantFrom(
          "{{",
          "}}",
          "-",
          " ",
          ".",
          "$",
          '"',
          "`",
          "'",
          "/*",
          "*/",
          "(",
          ")",
          "|",
          "if",
          "end",
          "range",
          "1",
          "\n",
          "\\",
          "a",
        ),
        { maxLength: 20 },
      )
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(source, data, mode, (text, value, kind) => survives(text, value, kind, "go")),
    RUNS,
  );
});

test("any program of the language renders or fails as a TemplateError", () => {
  fc.assert(
    fc.property(program, fc.oneof(knownData, data), mode, (source, value, kind) => survives(source, value, kind, "go")),
    RUNS,
  );
});

test("any text as a Handlebars template renders or fails as a TemplateError", () => {
  const source = fc
    .array(
      fc.constantFrom(
        "{{",
        "}}",
        "{{{",
        "}}}",
        "#",
        "/",
        "each",
        "if",
        "with",
        " ",
        "this",
        "..",
        "@index",
        "a",
        ".b",
        "else",
        "as |x|",
        "lookup",
        "__proto__",
        "constructor",
        "(",
        ")",
        '"s"',
        "~",
        ">",
        "*inline",
        "\n",
      ),
      { maxLength: 14 },
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(source, data, mode, (text, value, kind) => survives(text, value, kind, "handlebars")),
    RUNS,
  );
});

test("no rendering changes its data or the global objects", () => {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  fc.assert(
    fc.property(program, knownData, (source, value) => {
      const copy = JSON.stringify(value);
      survives(source, value, "text", "go");
      assert.equal(JSON.stringify(value), copy);
    }),
    { numRuns: 300 },
  );
  assert.equal(Object.getOwnPropertyNames(Object.prototype).length, before);
});
