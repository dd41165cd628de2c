import assert from "node:assert/strict";
import test from "node:test";
import { holds } from "../../src/generator/operators/index.ts";
import type { Operator } from "../../src/generator/rule-model.ts";
import type { Json } from "../../src/resources/object.ts";

type Row = [key: Json, value: Json, result: boolean];

/** Rows hold for the operator; where a second operator stands in the title, it is the opposite for the same rows. */
const TABLES: Partial<Record<Operator, Row[]>> = {
  Equals: [
    [true, true, true],
    [true, "true", false],
    [null, null, false],
    [1, 1, true],
    [42, "42", true],
    [42, "4.2e1", true],
    ["42", 42, false],
    [1, [1], false],
    ["1h", "60m", true],
    ["1h", 3600, true],
    ["90s", 90.9, true],
    ["1h", "2h", false],
    ["0", "0", true],
    ["1Gi", "1024Mi", true],
    ["1024", "1Ki", true],
    ["1Gi", "x", false],
    ["prod-eu", "prod-*", true],
    ["prod-*", "prod-eu", false],
    ["ab", "a?", true],
    ["a", "a?", false],
    ["", "", true],
    [{ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, true],
    [[1, 2], [2, 1], false],
    [{}, {}, true],
    [{}, "x", false],
    [[], {}, false],
  ],
  NotEquals: [
    [null, "x", false],
    [null, null, false],
    ["1Gi", "", true],
    ["1Gi", "x", true],
    ["a", "b", true],
    ["prod-eu", "prod-*", false],
    [{ a: "1" }, { a: "2" }, true],
    [{ a: "1" }, { a: "1" }, false],
    [{}, { a: "1" }, true],
    [1, true, true],
  ],
  GreaterThan: [
    [2, 1, true],
    [1, 1, false],
    [2, "1.5", true],
    [7200, "1h", true],
    ["2h", "1h", true],
    ["2h", 3600, true],
    ["2Gi", "1024Mi", true],
    ["10", 9, true],
    ["1.10.0", "1.9.0", true],
    ["1.0.0", "1.0.0-rc.1", true],
    ["1.0.0-rc.10", "1.0.0-rc.9", true],
    ["b", "a", false],
    [true, false, false],
    [null, 0, false],
    [{}, {}, false],
    [1, "x", false],
  ],
  GreaterThanOrEquals: [
    [1, 1, true],
    ["1h", "60m", true],
    ["1.0.0", "1.0.1", false],
  ],
  LessThan: [
    [1, 2, true],
    ["1Mi", "1Gi", true],
    [2, 2, false],
    ["x", "y", false],
  ],
  LessThanOrEquals: [
    [2, 2, true],
    ["1.0.0-alpha", "1.0.0-alpha.1", true],
    ["1.0.0-1", "1.0.0-a", true],
  ],
  DurationGreaterThan: [
    ["2h", "1h", true],
    [61.9, "1m", true],
    [60.9, "1m", false],
    ["x", "1h", false],
  ],
  DurationGreaterThanOrEquals: [["1h", 3600, true]],
  DurationLessThan: [["59s", "1m", true]],
  DurationLessThanOrEquals: [[60, "1m", true]],
  AnyIn: [
    ["a", ["a", "b"], true],
    ["prod-eu", ["prod-*"], true],
    ["prod-*", ["prod-eu"], true],
    [5, [5], true],
    [1_000_000, ["1000000"], true],
    ["a", "a*", true],
    ["a", '["a","b"]', true],
    ["c", '["a","b"]', false],
    ["5", "1-10", true],
    ["11", "1-10", false],
    ["1.5Gi", "1Gi-2Gi", true],
    ["90s", "1m-2m", true],
    ["-5", "-10--1", true],
    ["4", "5", false],
    [["a", "x"], ["a", "b"], true],
    [["x"], ["a", "b"], false],
    [[], ["a"], false],
    [["a"], "a", true],
    [["a", "b"], '["b"]', true],
    [["1"], 1, true],
    [null, ["a"], false],
    [{}, ["a"], false],
  ],
  AllIn: [
    ["a", ["a"], true],
    [["a", "b"], ["a", "b", "c"], true],
    [["a", "x"], ["a"], false],
    [[], ["a"], true],
    [["2", "3"], "1-5", true],
    [["2", "9"], "1-5", false],
    [["1"], 1, false],
  ],
  AnyNotIn: [
    ["x", ["a"], true],
    ["a", ["a"], false],
    ["4", "5", false],
    ["4", "true", false],
    ["x", "a", true],
    [["a", "x"], ["a"], true],
    [["a"], ["a"], false],
    [[], ["a"], false],
    [["2", "9"], "1-5", true],
    [["a"], { a: 1 }, false],
  ],
  AllNotIn: [
    [["x", "y"], ["a"], true],
    [["a", "y"], ["a"], false],
    [[], ["a"], true],
    [["8", "9"], "1-5", true],
    [["2", "9"], "1-5", false],
    ["x", ["a"], true],
    [null, ["a"], false],
  ],
  In: [
    ["a", ["a"], true],
    ["a", "a*", true],
    ["a", '["a"]', true],
    ["5", "1-10", false],
    [["a"], ["a", "b"], true],
    [["a", "x"], ["a"], false],
    [["a*"], ["ab"], false],
    [["a"], "a", true],
  ],
  NotIn: [
    ["x", ["a"], true],
    [["a", "x"], ["a"], true],
    [["a"], ["a"], false],
    [["a"], "a", true],
  ],
};

for (const [operator, rows] of Object.entries(TABLES) as [Operator, Row[]][]) {
  for (const [key, value, result] of rows) {
    test(`${JSON.stringify(key)} ${operator} ${JSON.stringify(value)} is ${result}`, () =>
      assert.equal(holds(operator, key, value), result));
  }
}

test("Equal and NotEqual are Equals and NotEquals", () => {
  for (const [key, value, result] of TABLES.Equals ?? []) assert.equal(holds("Equal", key, value), result);
  for (const [key, value, result] of TABLES.NotEquals ?? []) assert.equal(holds("NotEqual", key, value), result);
});
