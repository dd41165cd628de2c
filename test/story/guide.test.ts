/** The guide from end to end, as a newcomer runs it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readManifests } from "../../src/app/manifests.ts";
import { startSandbox } from "../../src/app/sandbox.ts";
import { platformObjects } from "../../src/app/sandbox-platform.ts";
import { playGuide } from "../../src/cli/play-guide.ts";
import { defaultConfig } from "../../src/config/config.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const COURIER = fileURLToPath(new URL("../../bin/courier.js", import.meta.url));

async function stateDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

test("courier sandbox --once plays the guide, shows its lines and its mail, and exits 0", async (t) => {
  const directory = await stateDirectory(t);
  const child = spawn(process.execPath, [COURIER, "sandbox", "--once", "--state-dir", directory], {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  for (const line of [
    "created generate target resource target=aitextensions.alauda.io/v1beta1/NotificationMessage/cpaas-system/cm-change-app-team-a-app-notification-source-",
    'Try to exec {"tasks": 1}',
    'Email begin {"from": ["user@example.com"], "to": ["platform-operator@example.com"]}',
    'Email accepted {"messageId": "<',
    'Email end {"from": ["user@example.com"], "to": ["platform-operator@example.com"]}',
    '"status":{"conditions":[{"method":"Email","addresses":["platform-operator@example.com"],"type":"Ready","status":"True"}],"phase":"Done"}',
    "Subject: ConfigMap app-team-a/app-notification-source changed",
    "Severity: critical",
  ]) {
    assert.ok(stdout.includes(line), `${line}\nis not in\n${stdout}`);
  }
  assert.deepEqual(await readdir(directory), []);
});

test("a sandbox whose reader goes away ends without a stack and leaves nothing behind", async (t) => {
  const directory = await stateDirectory(t);
  const child = spawn(process.execPath, [COURIER, "sandbox", "--state-dir", directory]);
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.stdout.once("data", () => child.stdout.destroy());
  const [stderr] = await Promise.all([text(child.stderr), closed]);
  assert.equal(stderr, "");
  assert.deepEqual(await readdir(directory), []);
});

test("a sandbox whose mail server is away says what the message waits for", async (t) => {
  const directory = await stateDirectory(t);
  const config = defaultConfig("sandbox", { stateDir: directory, smtp: { host: "127.0.0.1", port: 1 } });
  const sandbox = await startSandbox(config, () => {});
  t.after(() => sandbox.stop());
  t.mock.method(process.stdout, "write", () => true);
  await assert.rejects(
    playGuide(sandbox, AbortSignal.timeout(2000)),
    /The mail did not arrive: cm-change-\S+ is there, and its status is Processing \(ServerUnavailable: Cannot reach 127\.0\.0\.1:1/,
  );
});

test("the kubeconfig is for its owner alone", async (t) => {
  const directory = await stateDirectory(t);
  const sandbox = await startSandbox(defaultConfig("sandbox", { stateDir: directory }), () => {});
  t.after(() => sandbox.stop());
  assert.equal((await stat(sandbox.kubeconfig)).mode & 0o777, 0o600);
});

test("a change of metadata alone generates nothing", async (t) => {
  const directory = await stateDirectory(t);
  const lines: string[] = [];
  const config = defaultConfig("sandbox", { stateDir: directory, logLevel: "debug" });
  const sandbox = await startSandbox(config, (_workload, line) => void lines.push(line));
  t.after(() => sandbox.stop());
  const write = t.mock.method(process.stdout, "write", () => true);
  await playGuide(sandbox, AbortSignal.timeout(15_000));
  write.mock.restore();
  const configMaps = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
  const source = { namespace: "app-team-a", name: "app-notification-source" };
  const before = lines.length;
  await sandbox.client.mergePatch(configMaps, source, { metadata: { labels: { touched: "yes" } } });
  await sandbox.client.mergePatch(configMaps, source, { data: { severity: "info" } });
  const inbox = sandbox.inbox;
  assert.ok(inbox);
  await inbox.waitForMail(({ text: body }) => body.includes("Severity: info"), AbortSignal.timeout(15_000));
  const created = lines.slice(before).filter((line) => line.includes("created generate target resource"));
  assert.equal(created.length, 1);
  assert.equal((await inbox.messages()).length, 2);
});

test("deploy's Deployment can be applied over the sandbox's: both select the same Pods", async () => {
  const [shipped] = await readManifests("deploy/courier-api/deployment.yaml");
  const stub = platformObjects({ host: "127.0.0.1", port: 25 }).find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === "courier-api",
  );
  const selectorOf = (object: KubeObject | undefined) => (object?.spec as { selector: unknown } | undefined)?.selector;
  assert.deepEqual(selectorOf(stub), selectorOf(shipped));
});
