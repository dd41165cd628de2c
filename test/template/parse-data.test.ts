import assert from "node:assert/strict";
import { test } from "node:test";
import { parseData } from "../../src/template/index.ts";
import { float } from "../../src/template/values.ts";

const BIG = "12345678901234567";
const PLACES = [(token: string) => token, (token: string) => ` ${token}`];
const INSIDE: ((token: string) => string)[] = [
  (token) => `[${token}]`,
  (token) => `[ "3e", \n\t${token} ]`,
  (token) => `[0,${token}]`,
  (token) => `{"250 2.0.0":${token}}`,
  (token) => `{"a": { "b" :\r\n ${token}}}`,
];

test("wherever a number stands in the data, none of what Go tells apart is lost", () => {
  for (const place of [...PLACES, ...INSIDE]) {
    const parse = (token: string) => leafOf(parseData(place(token)));
    assert.deepEqual(parse("1.0"), float(1));
    assert.deepEqual(parse("-1e2"), float(-100));
    assert.deepEqual(parse("1E2"), float(100));
    assert.equal(parse(BIG), 12_345_678_901_234_567n);
    assert.equal(parse(`-${BIG}`), -12_345_678_901_234_567n);
    assert.ok(Object.is(parse("-0"), 0), "an int64 has no negative zero");
    assert.equal(parse("17"), 17);
  }
});

test("what looks like a number in a text stays as it is", () => {
  const texts = ["4f3e-0e2a", "250 2.0.0", ", 1.5", "[-0", `: ${BIG}`, "2026-11-22T10:00:00.5Z"];
  assert.deepEqual(parseData(JSON.stringify(texts)), texts);
});

function leafOf(value: unknown): unknown {
  if (Array.isArray(value)) return leafOf(value.at(-1));
  if (value === null || typeof value !== "object" || value instanceof float(1).constructor) return value;
  return leafOf(Object.values(value)[0]);
}
