import assert from "node:assert/strict";
import test from "node:test";
import { isFunction } from "../../../src/generator/jmespath/functions/index.ts";
import { interpret } from "../../../src/generator/jmespath/interpret.ts";
import { parseExpression } from "../../../src/generator/jmespath/parse.ts";
import type { Json } from "../../../src/resources/object.ts";

const DOCUMENT: Json = {
  a: { b: "x", n: null, list: [{ k: 1 }, { k: 2, m: "two" }, {}], "dashed-key": 5, empty: "" },
  words: ["c", "a", "b"],
  zero: 0,
};
const evaluate = (expression: string, document: Json = DOCUMENT) =>
  interpret(parseExpression(expression, isFunction), document, { now: () => new Date(0), spent: { steps: 0 } });

const VALUES: [string, Json][] = [
  ["a.b", "x"],
  ['a."dashed-key"', 5],
  ["a.n.deep.er", null],
  ["a.b.c", null],
  ["a.missing || 'd'", "d"],
  ["'d' || a.missing", "d"],
  ["a.missing || a.absent", null],
  ["zero || 'd'", 0],
  ["a.empty || 'd'", "d"],
  ["`{}` || 'd'", "d"],
  ["a.missing == `null`", true],
  ["a.missing != 'x'", true],
  ["!(a.missing)", true],
  ["!a.b", null],
  ["a.missing && 'x'", null],
  ["a.missing | 'x'", "x"],
  ["a | missing", null],
  ["[a.missing, zero]", [null, 0]],
  ["{x: a.missing}", { x: null }],
  ["a.list[].k", [1, 2]],
  ["a.list[*].m", ["two"]],
  ["a.list[?k > `1`].m", ["two"]],
  ["a.list[?m == 'two'] | [0].k", 2],
  ["a.missing[*].x", null],
  ["a.list[9]", null],
  ["a.list[-1]", {}],
  ["words[1:]", ["a", "b"]],
  ["words[::-1]", ["b", "a", "c"]],
  ["words[:-1]", ["c", "a"]],
  ["a.*.k", []],
  ["length(a.list)", 3],
  ["not_null(a.missing, 'x')", "x"],
  ['`{"x": [1]}`.x', [1]],
  ["'it\\'s \\d'", "it's \\d"],
  ["'\\\\d'", "\\\\d"],
  ["a.n", null],
  ["zero == `0`", true],
  ['`"1"` == `1`', false],
  ["zero < 'x'", null],
];

for (const [expression, value] of VALUES) {
  test(`${expression} is ${JSON.stringify(value)}`, () => assert.deepEqual(evaluate(expression), value));
}

const ERRORS: [string, RegExp][] = [
  ["missing", /Unknown key "missing" in path/],
  ["a.missing", /Unknown key "missing" in path/],
  ["a.missing.deeper", /Unknown key "missing" in path/],
  ["'x' && a.missing", /Unknown key/],
  ["a.__proto__", /Unknown key "__proto__"/],
  ["a.constructor.name", /Unknown key "constructor"/],
  ["a.", /Cannot parse expression/],
  ["'open", /a ' is not closed/],
  ["a.dashed-key", /double quotes/],
  ["a ? b : c", /no the ternary operator|Cannot use/],
  ["$.a", /no \$/],
  ["let $x = a in $x", /Cannot use/],
  ["nothing(a)", /there is no function nothing\(\)/],
  [`${"(".repeat(70)}a${")".repeat(70)}`, /nested deeper than 64/],
  ["a".repeat(20_000), /at most 16384/],
  [Array.from({ length: 1_500 }, () => "a").join("."), /tokens/],
];

for (const [expression, error] of ERRORS) {
  test(`${expression.slice(0, 60)} is refused`, () => assert.throws(() => evaluate(expression), error));
}

test("an expression that doubles its value again and again is stopped", () => {
  const expression = Array.from({ length: 40 }, () => "[@, @]").join(" | ");
  assert.throws(() => evaluate(expression), /steps|too large/);
});

test("a key named __proto__ is a key like others", () => {
  const result = evaluate("{x: @}", JSON.parse('{"__proto__": {"polluted": true}}')) as { x: Json };
  assert.deepEqual(Object.keys(result.x as object), ["__proto__"]);
  assert.equal(
    (evaluate("merge(@, `{}`)", JSON.parse('{"__proto__": {"polluted": true}}')) as { polluted?: true }).polluted,
    undefined,
  );
});

test("a function on a long text for each item of a long list is stopped", () => {
  const expression = `map(&regex_match('x', '${"a".repeat(10_000)}'), @)`;
  const started = performance.now();
  assert.throws(
    () =>
      evaluate(
        expression,
        Array.from({ length: 100_000 }, () => 1),
      ),
    /more than 2000000 steps/,
  );
  assert.ok(performance.now() - started < 10_000);
});
