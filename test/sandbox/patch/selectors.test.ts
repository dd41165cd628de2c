import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFieldSelector, parseLabelSelector } from "../../../src/sandbox/apiserver/patch/index.ts";

const labels = { a: "1", b: "x", "courier.io/c": "", n: "7" };

const matching: [selector: string, matches: boolean][] = [
  ["", true],
  ["a=1", true],
  ["a==1", true],
  [" a = 1 , b ", true],
  ["a!=1", false],
  ["zz!=1", true],
  ["a", true],
  ["zz", false],
  ["!a", false],
  ["!zz,b", true],
  ["a in (1,2)", true],
  ["a in (2)", false],
  ["a notin (1)", false],
  ["a notin(2)", true],
  ["zz notin (1)", true],
  ["courier.io/c=", true],
  ["courier.io/c in ()", true],
  ["courier.io/c in (x,)", true],
  ["n>6,n<8", true],
  ["b>1", false],
  ["in", false],
  ["toString", false],
  ["constructor!=x", true],
];

for (const [selector, matches] of matching) {
  test(`the label selector ${JSON.stringify(selector)} ${matches ? "matches" : "does not match"}`, () => {
    assert.equal(parseLabelSelector(selector)(labels), matches);
  });
}

test("absent labels are no labels", () => {
  assert.equal(parseLabelSelector("!a")(undefined), true);
  assert.equal(parseLabelSelector("a")(undefined), false);
});

/** As a kube-apiserver answers them. */
const refused: [selector: string, message: string][] = [
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["=b", "found '=', expected: !, identifier, or 'end of string'"],
  [",", "found ',', expected: !, identifier, or 'end of string'"],
  ["a=b,", "found '', expected: identifier after ','"],
  ["a=b,,c", "found ',', expected: identifier after ','"],
  ["a b", "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'"],
  ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
  ["a>x", "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"],
  ["!", "unable to parse requirement: found '', expected: identifier"],
  ["a=b=c", "found '=', expected: ',' or 'end of string'"],
  ["!a=b", "found '=', expected: ',' or 'end of string'"],
  [
    "x".repeat(64),
    `unable to parse requirement: invalid label key "${"x".repeat(64)}": name part must be no more than 63 characters`,
  ],
  [
    `x=${"y".repeat(64)}`,
    `unable to parse requirement: invalid label value: "${"y".repeat(64)}": at key: "x": must be no more than 63 characters`,
  ],
  [
    "a=-",
    `unable to parse requirement: invalid label value: "-": at key: "a": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  ],
  [
    "A_/x=1",
    `unable to parse requirement: invalid label key "A_/x": prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ],
];

for (const [selector, message] of refused) {
  test(`the label selector ${JSON.stringify(selector.slice(0, 20))} is refused as a real server does`, () => {
    assert.throws(() => parseLabelSelector(selector), { code: 400, reason: "BadRequest", message });
  });
}

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);

test("a selector of any labels' own values matches those labels, and not when one is negated", () => {
  fc.assert(
    fc.property(fc.dictionary(name, name, { minKeys: 1 }), (found) => {
      const terms = Object.entries(found).map(([key, value]) => `${key} in (${value},other)`);
      assert.equal(parseLabelSelector(terms.join(", "))(found), true);
      assert.equal(parseLabelSelector(`${terms.join(",")},!${Object.keys(found)[0]}`)(found), false);
    }),
  );
});

test("any text is either a selector or refused with 400", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab=!<>(), \tin/.-"), maxLength: 30 }), (text) => {
      try {
        assert.equal(typeof parseLabelSelector(text)({}), "boolean");
      } catch (error) {
        assert.equal((error as { code?: number }).code, 400);
      }
    }),
  );
});

test("field selectors are read with both equals and escapes", () => {
  assert.deepEqual(parseFieldSelector("metadata.name=a,status.phase!=Done,x==1"), [
    { path: "metadata.name", operator: "=", value: "a" },
    { path: "status.phase", operator: "!=", value: "Done" },
    { path: "x", operator: "=", value: "1" },
  ]);
  assert.deepEqual(parseFieldSelector("a=b\\,c\\=d\\\\"), [{ path: "a", operator: "=", value: "b,c=d\\" }]);
  assert.deepEqual(parseFieldSelector(""), []);
});

test("a field selector that is none is refused as a real server does", () => {
  const refusals: [string, string][] = [
    ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ["metadata.name in (a)", "invalid selector: 'metadata.name in (a)'; can't understand 'metadata.name in (a)'"],
    ["metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"],
  ];
  for (const [text, message] of refusals) assert.throws(() => parseFieldSelector(text), { code: 400, message });
});

test("any value survives escaping in a field selector", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const escaped = value.replaceAll(/[\\,=]/g, (char) => `\\${char}`);
      assert.deepEqual(parseFieldSelector(`a=${escaped}`), [{ path: "a", operator: "=", value }]);
    }),
  );
});
