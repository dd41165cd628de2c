import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type LogFormat } from "../../src/observe/logger.ts";
import type { FieldStyle } from "../../src/observe/text-format.ts";

function logTo(format: LogFormat, fieldStyle: FieldStyle = "object") {
  const lines: string[] = [];
  const logger = createLogger({
    format,
    level: "info",
    fieldStyle,
    destination: { write: (line) => lines.push(line) },
  });
  return { logger, lines };
}

test("the text format prints the guide's lines", () => {
  const { logger, lines } = logTo("text");
  logger.info({ tasks: 1 }, "Try to exec");
  logger.info({ from: ["user@example.com"], to: ["platform-operator@example.com"] }, "Email begin");
  logger.info({ status: { conditions: [{ method: "Email" }], phase: "Done" } }, "Update status");
  assert.ok(lines[0]?.includes('Try to exec {"tasks": 1}\n'));
  assert.ok(
    lines[1]?.includes('Email begin {"from": ["user@example.com"], "to": ["platform-operator@example.com"]}\n'),
  );
  assert.ok(lines[2]?.includes('"status":{"conditions":[{"method":"Email"}],"phase":"Done"}'));
});

test("the pairs style prints the guide's generator line", () => {
  const { logger, lines } = logTo("text", "pairs");
  logger.info({ target: "v1/Kind/ns/name", note: "two words" }, "created generate target resource");
  assert.ok(lines[0]?.includes('created generate target resource target=v1/Kind/ns/name note="two words"\n'));
});

test("the JSON format has the same message and fields", () => {
  const { logger, lines } = logTo("json");
  logger.info({ tasks: 1 }, "Try to exec");
  const { ts, ...record } = JSON.parse(lines[0] ?? "");
  assert.deepEqual(record, { level: "info", msg: "Try to exec", tasks: 1 });
  assert.ok(Number.isFinite(Date.parse(ts)));
});

test("a value from outside cannot forge a second line", () => {
  const { logger, lines } = logTo("text");
  logger.warn({ error: "x\n2026 INFO Email end" }, "a\r\nb\u2028c");
  assert.equal(lines.join("").split("\n").length, 2);
});

test("a value from outside can neither command a terminal nor turn a line around", () => {
  const { logger, lines } = logTo("text");
  logger.warn({ error: "\u001b[2J \u009b2J \u202egnp" }, "a");
  assert.match(lines.join(""), /"\\u001b\[2J \\u009b2J \\u202egnp"/);
});

test("credentials are hidden wherever they stand", () => {
  for (const format of ["json", "text"] as const) {
    const { logger, lines } = logTo(format);
    logger.info({ password: "s3cret", server: { password: "s3cret", token: "s3cret", host: "mail" } }, "x");
    logger.info({ token: "s3cret" }, "x");
    logger.child({ auth: "s3cret", server: { pass: "s3cret" } }).info({ a: 1 }, "x");
    logger.error({ error: Object.assign(new Error("refused"), { auth: "s3cret" }) }, "x");
    logger.error(Object.assign(new Error("refused"), { clientSecret: "s3cret" }));
    assert.ok(!lines.join("").includes("s3cret"), lines.join(""));
    assert.equal(lines.join("").match(/\[hidden\]/g)?.length, 8);
    assert.match(lines[0] ?? "", /mail/);
    assert.match(lines[3] ?? "", /refused/);
  }
});

/** Records of all shapes: what the text says must not depend on whether they are plain. */
const RECORDS: [fields: Record<string, unknown>, expected: string][] = [
  [
    { a: "b", n: 1.5, yes: true, list: ["x", "y"] },
    '{"about": "it", "a": "b", "n": 1.5, "yes": true, "list": ["x", "y"]}',
  ],
  [{ a: undefined, n: Number.NaN, nothing: null }, '{"about": "it", "n": null, "nothing": null}'],
  [{ about: "other", when: new Date(0) }, '{"about": "other", "when": "1970-01-01T00:00:00.000Z"}'],
  [{ list: [undefined, new Date(0)] }, '{"about": "it", "list": [null, "1970-01-01T00:00:00.000Z"]}'],
  [{ list: [1, { b: 2 }], object: { c: [3] } }, '{"about": "it", "list": [1, {"b":2}], "object":{"c":[3]}}'],
];

for (const [fields, expected] of RECORDS)
  test(`text of ${expected}`, () => {
    const { logger, lines } = logTo("text");
    logger.child({ about: "it" }).info(fields, "what");
    assert.equal(lines[0]?.slice(25), `INFO  what ${expected}\n`);
    assert.ok(Number.isFinite(Date.parse(lines[0]?.slice(0, 24) ?? "")));
  });

test("an error is told by its message and stack, and a text with arguments is put together", () => {
  const { logger, lines } = logTo("text");
  logger.error(new Error("refused"));
  logger.info("%s of %d", "one", 2);
  assert.match(
    lines[0] ?? "",
    /ERROR refused \{"error":\{"type":"Error","message":"refused","stack":"Error: refused\\n/,
  );
  assert.match(lines[1] ?? "", /INFO {2}one of 2\n/);
});

test("a record that holds itself is a line all the same", () => {
  const { logger, lines } = logTo("text");
  const ring: Record<string, unknown> = { a: 1 };
  logger.info({ ring: Object.assign(ring, { ring }) }, "what");
  assert.match(lines[0] ?? "", /INFO {2}what \{"ring":\{"a":1,"ring":"\[Circular\]"\}\}/);
});
