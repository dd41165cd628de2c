import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate, parseData, TemplateError } from "../../src/template/index.ts";

const GUIDE = `The watched ConfigMap was updated.

Namespace: {{ .labels.namespace }}
Name: {{ .labels.name }}
Resource version: {{ .labels.resourceVersion }}
Application: {{ .labels.application }}
Owner: {{ .labels.owner }}
Severity: {{ .labels.severity }}`;

const text = (source: string, data: unknown = {}): string =>
  compileTemplate(source, { name: "content", mode: "text" }).render(data);

function failure(run: () => unknown): TemplateError {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

test("the guide's template renders the message's labels", () => {
  const labels = {
    namespace: "app-team-a",
    name: "app-notification-source",
    resourceVersion: "7",
    application: "payment",
    owner: "platform-ops",
  };
  const out = text(GUIDE, { labels });
  assert.match(out, /^Namespace: app-team-a$/m);
  assert.match(out, /^Owner: platform-ops$/m);
  assert.match(out, /^Severity: <no value>$/m);
});

test("one compiled template renders many messages without a trace of the one before", () => {
  const template = compileTemplate("{{$x := .a}}{{range .l}}{{$x = .}}{{end}}{{$x}}", {
    name: "content",
    mode: "text",
  });
  assert.equal(template.render({ a: "1", l: ["2"] }), "2");
  assert.equal(template.render({ a: "3", l: [] }), "3");
});

test("a parse error names part, line and column and suggests the nearest function", () => {
  const error = failure(() => text("ok\n  {{ printff .x }}"));
  assert.equal(error.stage, "parse");
  assert.equal(error.message, 'content:2:6: unknown function "printff"; did you mean "printf"?');
  assert.equal(error.goMessage, 'template: content:2: function "printff" not defined');
});

test("an error while rendering names part, line and column", () => {
  const error = failure(() => text("a\n{{.x.y}}", { x: "s" }));
  assert.deepEqual([error.stage, error.line, error.column], ["exec", 2, 5]);
});

test("names of JavaScript's prototypes are plain missing keys", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "__defineGetter__"]) {
    assert.equal(text(`{{.${name}}}`, { a: 1 }), "<no value>");
    assert.equal(text(`{{index . "${name}"}}`, { a: 1 }), "<no value>");
    assert.equal(text(`{{.${name}.constructor}}`, { a: 1 }), "<no value>");
  }
});

test("a key named like a prototype's is read from the data alone", () => {
  const data = parseData('{"__proto__":"p","constructor":{"name":"c"}}');
  assert.equal(text("{{.__proto__}} {{.constructor.name}}", data), "p c");
});

test("integers beyond 2^53 and floats keep what the message says", () => {
  assert.equal(
    text("{{.a}} {{.b}} {{.c}}", parseData('{"a":9007199254740993,"b":1.0,"c":1e6}')),
    "9007199254740993 1 1e+06",
  );
});

test("every bound is a TemplateError of stage limit and the next rendering works", () => {
  const bounded = (source: string, limits: object, data: unknown = {}) =>
    failure(() => compileTemplate(source, { name: "content", mode: "text", limits }).render(data));
  assert.equal(bounded("x".repeat(2000), { sourceBytes: 1000 }).stage, "limit");
  assert.equal(bounded("{{range 100}}0123456789{{end}}", { outputBytes: 500 }).stage, "limit");
  assert.equal(bounded("{{range 11}}{{end}}", { iterations: 10 }).stage, "limit");
  assert.equal(bounded('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', {}).stage, "limit");
  assert.equal(bounded("{{if 1}}".repeat(200) + "{{end}}".repeat(200), {}).stage, "limit");
  assert.equal(
    bounded("{{range 90000}}{{range $}}{{end}}{{end}}", { renderMs: 5, iterations: 1e9 }, [1, 2, 3]).stage,
    "limit",
  );
  assert.equal(text("{{.a}}", { a: 1 }), "1");
});

test("a template that doubles its text at every step is stopped", () => {
  const doubling = Array.from(
    { length: 40 },
    (_, n) => `{{define "t${n}"}}{{template "t${n + 1}"}}{{template "t${n + 1}"}}{{end}}`,
  ).join("");
  assert.equal(failure(() => text(`${doubling}{{define "t40"}}x{{end}}{{template "t0"}}`)).stage, "limit");
  assert.equal(failure(() => text('{{$s := "x"}}{{range 60}}{{$s = print $s $s}}{{end}}')).stage, "limit");
});

test("values in HTML are escaped", () => {
  const template = compileTemplate("<p>{{.x}}</p>", { name: "content", mode: "html" });
  assert.equal(template.render({ x: "<b>&'\"" }), "<p>&lt;b&gt;&amp;&#39;&#34;</p>");
});
