import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addSettings, defaultConfig, readConfig } from "../../src/config/config.ts";
import { parseAddress, parseDuration } from "../../src/config/parse.ts";

function serveWith(args: string[], environment: Record<string, string> = {}) {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    const command = addSettings(new Command().exitOverride().configureOutput({ writeErr: () => {} }), "serve");
    return readConfig(command.parse(args, { from: "user" }), "serve");
  } finally {
    process.env = before;
  }
}

test("a flag goes before the environment, and that before the default", () => {
  assert.equal(serveWith([]).workers, 64);
  assert.equal(serveWith([], { COURIER_WORKERS: "8" }).workers, 8);
  assert.equal(serveWith(["--workers", "4"], { COURIER_WORKERS: "8" }).workers, 4);
});

test("namespaces that are given replace the default", () => {
  assert.deepEqual(serveWith([]).namespace, ["cpaas-system"]);
  assert.deepEqual(serveWith(["--namespace", "a,b", "--namespace", "c"]).namespace, ["a", "b", "c"]);
});

test("an empty variable is one that was not set", () => {
  assert.deepEqual(serveWith([], { COURIER_NAMESPACE: "" }).namespace, ["cpaas-system"]);
  assert.equal(serveWith([], { KUBECONFIG: "" }).kubeconfig, undefined);
});

test("a switch whose variable says false stays off", () => {
  assert.equal(serveWith([], { COURIER_ALLOW_PLAIN_AUTH: "false" }).allowPlainAuth, false);
  assert.equal(serveWith([], { COURIER_ALLOW_PLAIN_AUTH: "true" }).allowPlainAuth, true);
});

test("the configuration cannot be changed afterwards", () => {
  assert.ok(Object.isFrozen(serveWith([])));
  assert.ok(Object.isFrozen(defaultConfig("serve", { workers: 2 })));
});

test("durations have a unit, addresses a port", () => {
  assert.equal(parseDuration("25s"), 25_000);
  assert.equal(parseDuration("7d"), 7 * 86_400_000);
  assert.throws(() => parseDuration("25"), /no duration/);
  assert.deepEqual(parseAddress(":8080"), { host: "0.0.0.0", port: 8080 });
  assert.deepEqual(parseAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.throws(() => parseAddress("8080"), /no address/);
  assert.throws(() => parseAddress("a:99999"), /no address/);
});

test("domains are compared as DNS has them, rates have a count and a time", () => {
  const { allowedRecipientDomains, recipientRate, namespaceRate } = serveWith([
    ...["--allowed-recipient-domains", "Example.com,*.bücher.example", "--recipient-rate", "20/1h"],
  ]);
  assert.deepEqual(allowedRecipientDomains, ["example.com", "*.xn--bcher-kva.example"]);
  assert.deepEqual(recipientRate, { count: 20, periodMs: 3_600_000 });
  assert.equal(namespaceRate, undefined);
  for (const rate of ["0/1h", "20", "20/0s", "20/hour", "-1/1h"]) {
    assert.throws(() => serveWith(["--namespace-rate", rate]), /is no (rate|duration): write it as/, rate);
  }
  assert.throws(() => serveWith(["--allowed-recipient-domains", "ann@example.com"]), /is no domain: write it as/);
});

test("a value that makes no sense is refused with what would", () => {
  assert.throws(() => serveWith(["--workers", "many"]), /"many" is no whole number from 1 to 1000/);
  assert.throws(() => serveWith(["--namespace", "../x"]), /no Kubernetes name/);
});
