import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTemplate, parseData, TemplateError } from "../../../src/template/index.ts";

const render = (source: string, json = "{}"): string =>
  compileTemplate(source, { name: "content", mode: "text" }).render(parseData(json));

/** One call, its data, and what Sprig, Alertmanager or Prometheus give for it. */
type Example = [call: string, output: string, data?: string];

const EXAMPLES: Record<string, Example[]> = {
  default: [
    ['default "x" .a', "x"],
    ['default "x" .a', "y", '{"a":"y"}'],
    ['.a | default "x"', "x", '{"a":""}'],
    ['.a | default "x"', "x", '{"a":0}'],
    ['default "x"', "x"],
  ],
  upper: [['upper "aß é"', "Aß É"]],
  lower: [['lower "ABÉ"', "abé"]],
  title: [['title "hello wide-world of_go 9lives"', "Hello Wide-World Of_go 9lives"]],
  trim: [['trim " \\t a b\\n "', "a b"]],
  trunc: [
    ['trunc 3 "hello"', "hel"],
    ['trunc -2 "hello"', "lo"],
    ['trunc 9 "hello"', "hello"],
    ['trunc -9 "hello"', "hello"],
    ["trunc .n .s", "he", '{"n":2,"s":"hello"}'],
  ],
  join: [
    ['join ", " .l', "a, 1, true", '{"l":["a",1,null,true]}'],
    ['join ", " "a"', "a"],
    ['join ", " .gone', ""],
  ],
  split: [
    ['(split "/" "a/b/c")._1', "b"],
    ['split "," "a,b"', "map[_0:a _1:b]"],
  ],
  replace: [
    ['replace "a" "o" "banana"', "bonono"],
    ['"a-b" | replace "-" "+"', "a+b"],
    ['replace "" "." "é😀"', ".é.😀."],
  ],
  contains: [['contains "an" "banana"', "true"]],
  hasPrefix: [['hasPrefix "ba" "banana"', "true"]],
  hasSuffix: [['hasSuffix "ba" "banana"', "false"]],
  quote: [['quote "a\\"b" 1 .gone true', '"a\\"b" "1" "true"']],
  indent: [['indent 2 "a\\nb"', "  a\n  b"]],
  nindent: [['nindent 2 "a\\nb"', "\n  a\n  b"]],
  toJson: [
    ["toJson .", '{"a":[1,1.5,1,null],"b":"\\u003cé\\u003e\\n"}', '{"b":"<é>\\n","a":[1,1.5,1.0,null]}'],
    ["toJson .", "[9007199254740993,1e+21,1e-7,100000000000000000000]", "[9007199254740993,1e21,1e-7,1e20]"],
    ["toJson .gone", "null"],
  ],
  toPrettyJson: [
    ["toPrettyJson .", '{\n  "a": [\n    1\n  ],\n  "b": {}\n}', '{"b":{},"a":[1]}'],
    ["toPrettyJson .", "[]", "[]"],
  ],
  date: [
    ['date "2006-01-02 15:04 MST" "2024-03-10T09:30:05+02:00"', "2024-03-10 07:30 UTC"],
    ['date "2006-01-02" 86400', "1970-01-02"],
  ],
  dateInZone: [['dateInZone "15:04 MST" "2024-07-10T09:30:05Z" "Europe/Berlin"', "11:30 CEST"]],
  humanizeDuration: [
    ["humanizeDuration 0", "0s"],
    ["humanizeDuration 0.0123", "12.3ms"],
    ["humanizeDuration 12.5", "12.5s"],
    ["humanizeDuration -61", "-1m 1s"],
    ["humanizeDuration 90061", "1d 1h 1m 1s"],
    ['humanizeDuration "3600"', "1h 0m 0s"],
  ],
  humanize1024: [
    ["humanize1024 0.5", "0.5"],
    ["humanize1024 1536", "1.5ki"],
    ["humanize1024 1073741824", "1Gi"],
    ["humanize1024 -2048", "-2ki"],
  ],
  reReplaceAll: [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's way to name a group
    ['reReplaceAll "a(x*)b" "${1}W" "-ab-axxb-"', "-W-xxW-"],
    ['reReplaceAll "a(x*)b" "$1W" "-ab-axxb-"', "---"],
    ['reReplaceAll "(?P<n>b+)" "[$n$$]" "abbc"', "a[bb$]c"],
    ['reReplaceAll "b*" "<$0>" "abbc"', "<>a<bb>c<>"],
  ],
};

for (const [name, examples] of Object.entries(EXAMPLES)) {
  test(`${name} gives what it gives elsewhere`, () => {
    for (const [call, output, data] of examples) assert.equal(render(`{{${call}}}`, data), output, call);
  });
}

test("ago tells how long ago a time was", () => {
  const past = new Date(Date.now() - 3_723_000).toISOString();
  assert.match(render("{{ago .t}}", JSON.stringify({ t: past })), /^1h2m[2-4]s$/);
});

test("wrong arguments of the extra functions are errors with a place", () => {
  const calls = [
    'date "2006" "yesterday"',
    'dateInZone "2006" "2024-03-10T09:30:05Z" "Mars"',
    'trunc "a" "b"',
    "upper .gone",
    'reReplaceAll "(" "" ""',
    "humanizeDuration .gone",
    "toJson 1i",
  ];
  for (const call of calls) {
    assert.throws(
      () => render(`a\n{{${call}}}`),
      (error) => error instanceof TemplateError && error.stage === "exec" && error.line === 2,
      call,
    );
  }
});

test("a regular expression cannot take long", () => {
  const hostile = ["(x+x+)+y", "(a|aa)+$", "(.*){1,20}z", "(a{900})|(b{900})"];
  for (const pattern of hostile) {
    const start = performance.now();
    const data = JSON.stringify({ s: "xa".repeat(100_000), p: pattern });
    try {
      render('{{reReplaceAll .p "" .s}}', data);
    } catch (error) {
      assert.ok(error instanceof TemplateError, pattern);
    }
    assert.ok(performance.now() - start < 3000, pattern);
  }
});
