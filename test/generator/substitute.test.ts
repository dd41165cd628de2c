import assert from "node:assert/strict";
import test from "node:test";
import { substitute } from "../../src/generator/substitute.ts";
import type { Json } from "../../src/resources/object.ts";
import { scopeOf } from "./objects.ts";

const DOCUMENT = {
  request: {
    object: {
      metadata: { name: "n", labels: { app: "pay", "n/x": "y" } },
      data: { key: "name", evil: "{{ request.secret }}" },
      count: 3,
    },
    secret: "s",
  },
  key: "app",
  index: 1,
  list: ["a", "b"],
  quote: 'it\'s "q" `b` \\',
  apostrophe: "'\\'",
  expression: "request.secret || 'x'",
  nothing: null,
};

const VALUES: [Json, Json][] = [
  ["plain", "plain"],
  ["{{ request.object.metadata.name }}", "n"],
  ["{{request.object.metadata.name}}", "n"],
  ["a-{{ request.object.metadata.name }}-{{ key }}", "a-n-app"],
  ["{{ request.object.count }}", 3],
  [" {{ request.object.count }}", " 3"],
  ["{{ request.object.metadata.labels }}", { app: "pay", "n/x": "y" }],
  ["x{{ request.object.metadata.labels }}", 'x{"app":"pay","n/x":"y"}'],
  ["x{{ nothing }}", "xnull"],
  ["{{ nothing }}", null],
  ["{{ request.object.absent || `{}` }}", {}],
  ["{{ {a: key} }}", { a: "app" }],
  ["{{ regex_match('^[a-z]{3}$', key) }}", true],
  ["\\{{ key }}", "{{ key }}"],
  ["{{ key", "{{ key"],
  ["}} {{ key }} {{", "}} app {{"],
  ["\\$(x)", "$(x)"],
  ["{{- key }}", "app"],
  ["{{ request.object.metadata.labels.{{ key }} }}", "pay"],
  ['{{ request.object.metadata.labels."{{ request.object.metadata.name }}/x" }}', "y"],
  ["{{ to_upper('{{ key }}') }}", "APP"],
  ["{{ list[{{ index }}] }}", "b"],
  ["{{ join('{{ apostrophe }}', list) }}", "a'\\'b"],
  ["{{ length(`{{ list }}`) }}", 2],
  ['{{ `{"k": "{{ quote }}"}`.k }}', 'it\'s "q" `b` \\'],
  [{ "{{ key }}": ["{{ index }}"] }, { app: [1] }],
  [{ "{{ nothing }}": 1 }, { "{{ nothing }}": 1 }],
  [5, 5],
  [null, null],
];

for (const [template, value] of VALUES) {
  test(`${JSON.stringify(template)} gives ${JSON.stringify(value)}`, () =>
    assert.deepEqual(substitute(template, scopeOf(DOCUMENT), "x"), value));
}

const ERRORS: [Json, RegExp][] = [
  [
    "{{ request.object.absent }}",
    /^x: failed to resolve \{\{ request.object.absent \}\}: Unknown key "absent" in path: correct it, or give it a default, such as \|\| ''/,
  ],
  [{ a: ["{{ absent }}"] }, /^x\.a\[0\]: failed/],
  [{ "{{ index }}": 1 }, /the key "\{\{ index \}\}" must give a string and gives 1/],
  ["{{ {{ expression }} }}", /would become part of an expression/],
  ["{{ merge({{ request.object.metadata.labels }}, `{}`) }}", /would become part of an expression/],
  ["{{ to_upper('{{ quote }}') }}", /ends in a backslash/],
];

for (const [template, error] of ERRORS) {
  test(`${JSON.stringify(template)} is an error`, () =>
    assert.throws(() => substitute(template, scopeOf(DOCUMENT), "x"), { name: "RuleError", message: error }));
}

test("what a source object says is never evaluated", () => {
  const rows: [Json, Json][] = [
    ["{{ request.object.data.evil }}", "{{ request.secret }}"],
    ["x {{ request.object.data.evil }}", "x {{ request.secret }}"],
    ["{{ request.object.data }}", { key: "name", evil: "{{ request.secret }}" }],
    ["{{ to_upper('{{ request.object.data.evil }}') }}", "{{ REQUEST.SECRET }}"],
  ];
  for (const [template, value] of rows) assert.deepEqual(substitute(template, scopeOf(DOCUMENT), "x"), value);
});

/** Documents are those of a policy that opted in to Kyverno's way. */
const EVALUATED: [Json, Json][] = [
  ["{{ request.object.data.evil }}", "{{ request.secret }}"], // a text that is the whole value stays, in Kyverno, too
  ["x {{ request.object.data.evil }}", "x s"],
  ["x {{- request.object.data.evil }}", "x {{ request.secret }}"],
  ["{{ request.object.data }}", { key: "name", evil: "s" }],
  ["{{ to_upper('{{ request.object.data.evil }}') }}", "S"],
  ["{{ {{ expression }} }}", "s"],
  ["a {{ twice }}", "a b s"],
];

for (const [template, value] of EVALUATED) {
  test(`where the policy opted in, ${JSON.stringify(template)} gives ${JSON.stringify(value)}`, () => {
    const document = { ...DOCUMENT, twice: "b {{ request.object.data.evil }}" };
    assert.deepEqual(substitute(template, scopeOf(document, true), "x"), value);
  });
}

const ENDLESS: [string, Json][] = [
  ["x {{ again }}", "{{ again }}, "],
  ["x {{ again }}", "{{ again }}{{ again }} "],
  ["{{ again }}", { a: "{{ again }}", b: "{{ again }}" }],
];

for (const [template, again] of ENDLESS) {
  test(`where the policy opted in, a value ${JSON.stringify(again)} that repeats itself ends in an error`, () => {
    const before = performance.now();
    assert.throws(() => substitute(template, scopeOf({ again }, true), "x"), { name: "RuleError" });
    assert.ok(performance.now() - before < 10_000);
  });
}

test("a value between quotes cannot end them", () => {
  const document = { evil: "a') || request.secret || ('", request: { secret: "s" } };
  const result = substitute("{{ to_lower('{{ evil }}') }}", scopeOf(document), "x");
  assert.equal(result, document.evil);
  const inKey = substitute(
    "{{ request.\"{{ key }}\" || 'none' }}",
    scopeOf({ ...document, key: 'x" || request.secret || "' }),
    "x",
  );
  assert.equal(inKey, "none");
});
