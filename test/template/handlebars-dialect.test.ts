import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate, parseData, TemplateError, type TemplateMode } from "../../src/template/index.ts";

const compile = (source: string, mode: TemplateMode = "text", limits = {}) =>
  compileTemplate(source, { name: "content", mode, dialect: "handlebars", limits });

test("plain Handlebars templates render", () => {
  const source =
    "{{#each items}}{{@index}}:{{name}}{{#unless @last}}, {{/unless}}{{else}}none{{/each}}{{#if on}}!{{/if}}";
  assert.equal(compile(source).render({ items: [{ name: "a" }, { name: "b" }], on: true }), "0:a, 1:b!");
});

test("values are escaped in HTML and stay as they are in text", () => {
  assert.equal(compile("<p>{{x}}</p>", "html").render({ x: "<&" }), "<p>&lt;&amp;</p>");
  assert.equal(compile("{{x}}").render({ x: "<&" }), "<&");
});

test("numbers read as the message wrote them", () => {
  assert.equal(compile("{{a}} {{b}}").render(parseData('{"a":9007199254740993,"b":1.0}')), "9007199254740993 1");
});

test("numbers side by side are not added up", () => {
  assert.equal(compile("{{a}}{{a}}").render({ a: 1 }), "11");
});

test("thousands of open blocks are refused at once", () => {
  const refused = (error: unknown): boolean => error instanceof TemplateError && error.stage === "limit";
  assert.throws(() => compile("{{#if a}}".repeat(20_000)), refused);
  assert.throws(() => compile("{{a}}".repeat(20_000)), refused);
});

test("prototypes cannot be reached", () => {
  for (const path of ["constructor", "__proto__", "toString", "a.constructor", "a.__proto__.constructor"]) {
    assert.equal(compile(`[{{${path}}}]`).render({ a: {} }), "[]");
  }
});

/** The error of compiling and rendering. */
function failure(source: string, data: unknown, mode: TemplateMode, limits = {}): TemplateError {
  try {
    compile(source, mode, limits).render(data);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

for (const mode of ["text", "html"] as const) {
  test(`errors while rendering name line and column (${mode})`, () => {
    const odd = failure("a\n{{#if on}}\n  {{x}}{{/if}}", { on: true, x: { toString: 1 } }, mode);
    assert.deepEqual([odd.stage, odd.line, odd.column], ["exec", 3, 3]);
    assert.match(odd.message, /^content:3:3: this value cannot be shown as text/);
    const turns = failure("a\n {{#each l}}x{{/each}}", { l: [1, 2, 3] }, mode, { iterations: 2 });
    assert.deepEqual([turns.stage, turns.line, turns.column], ["limit", 2, 2]);
    const long = failure("a{{s}}\n{{s}}{{s}}", { s: "x".repeat(40) }, mode, { outputBytes: 100 });
    assert.deepEqual([long.stage, long.line, long.column], ["limit", 2, 6]);
  });
}

test("a long value shown a thousand times is stopped before it is escaped a thousand times", () => {
  const start = performance.now();
  assert.equal(failure("{{s}}".repeat(1000), { s: "<".repeat(500_000) }, "html").stage, "limit");
  assert.ok(performance.now() - start < 2000);
});

test("the variables of loops can be read, and a section that is no helper says what to write", () => {
  const source = "{{#each l}}{{@index}}{{@key}}{{@first}}{{@last}}{{@root.a}} {{/each}}";
  assert.equal(compile(source).render({ l: [1, 2], a: "r" }), "00truefalser 11falsetruer ");
  assert.match(failure("{{#items}}{{/items}}", {}, "text").message, /write \{\{#each items\}\}, \{\{#if items\}\} or/);
});

test("partials, decorators, unknown helpers and raw output in HTML are refused with their place", () => {
  const refused: [string, TemplateMode][] = [
    ["x\n {{> part}}", "text"],
    ["x\n {{> (lookup . 'part')}}", "text"],
    ["x\n {{#*inline 'a'}}{{/inline}}", "text"],
    ["x\n {{lookup a b}}", "text"],
    ["x\n {{log a}}", "text"],
    ["x\n {{#items}}{{/items}}", "text"],
    ["x\n {{^items}}{{/items}}", "text"],
    ["x\n {{#if}}{{/if}}", "text"],
    ["x\n {{#each a b}}{{/each}}", "text"],
    ["x\n {{@budget.limits}}", "text"],
    ["x\n {{{a}}}", "html"],
    ["x\n {{#if}", "text"],
  ];
  for (const [source, mode] of refused) {
    assert.throws(
      () => compile(source, mode),
      (error) => error instanceof TemplateError && error.stage === "parse" && error.line === 2,
      source,
    );
  }
});

test("bounds hold and odd data is a TemplateError", () => {
  const limited = compile("{{#each l}}{{#each ../l}}x{{/each}}{{/each}}", "text", { iterations: 100 });
  assert.throws(
    () => limited.render({ l: Array.from({ length: 50 }, () => 1) }),
    (error) => error instanceof TemplateError && error.stage === "limit",
  );
  assert.throws(() => compile("{{a}}").render({ a: { toString: 1 } }), TemplateError);
});

test("values in HTML are escaped for their place, and refused where no escaping is safe", () => {
  const link = compile('<a href="{{url}}" title={{t}}>{{#each l}}<b>{{this}}</b>{{/each}}</a>', "html");
  const out = link.render({ url: "javascript:alert(1)", t: "a b", l: ["<", 1] });
  assert.equal(out, '<a href="#ZgotmplZ" title=a&#32;b><b>&lt;</b><b>1</b></a>');
  for (const source of ["\n<script>{{a}}</script>", "\n<p onclick='{{a}}'>", "\n<p {{a}}>", "\n<style>{{a}}</style>"]) {
    assert.throws(
      () => compile(source, "html"),
      (error) =>
        error instanceof TemplateError &&
        error.stage === "escape" &&
        error.line === 2 &&
        /stands in/.test(error.problem),
      source,
    );
  }
});
