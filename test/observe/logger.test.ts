import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type FieldStyle, type LogFormat } from "../../src/observe/logger.ts";

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
  const { logger, lines } = logTo("json");
  logger.info({ password: "s3cret", server: { password: "s3cret", token: "s3cret" } }, "x");
  assert.ok(!lines.join("").includes("s3cret"));
});
