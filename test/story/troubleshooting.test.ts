/** Each of the guide's causes, brought about; docs/troubleshooting.md has what courier then says, word for word. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { applyManifests, readManifests } from "../../src/app/manifests.ts";
import { type Sandbox, startSandbox } from "../../src/app/sandbox.ts";
import { playGuide } from "../../src/cli/play-guide.ts";
import { waitFor } from "../../src/cli/wait-for.ts";
import { defaultConfig, type SandboxConfig } from "../../src/config/config.ts";
import { CONFIG_MAP, NOTIFICATION_MESSAGE, NOTIFICATION_TEMPLATE, SECRET } from "../../src/resources/kinds.ts";
import { parseNotificationMessage } from "../../src/resources/notification-message.ts";

const documentation = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
const SOURCE = { namespace: "app-team-a", name: "app-notification-source" };
const PATIENCE_MS = 20_000;

interface Story {
  sandbox: Sandbox;
  /** Resolves with the first line, from now on, that holds `part`. */
  logged(part: string): Promise<string>;
  change(data: Record<string, string>): Promise<unknown>;
  /** The first condition of the next message that waits or has failed. */
  told(): Promise<string>;
}

async function playedGuide(t: TestContext, overrides: Partial<SandboxConfig> = {}): Promise<Story> {
  const stateDir = await mkdtemp(join(tmpdir(), "courier-test-"));
  const listeners = new Set<(line: string) => void>();
  const sandbox = await startSandbox(
    defaultConfig("sandbox", { stateDir, logLevel: "debug", ...overrides }),
    (_w, line) => {
      for (const listener of listeners) listener(line);
    },
  );
  t.after(async () => {
    await sandbox.stop();
    await rm(stateDir, { recursive: true });
  });
  const write = t.mock.method(process.stdout, "write", () => true);
  await playGuide(sandbox, AbortSignal.timeout(PATIENCE_MS)).finally(() => write.mock.restore());
  return {
    sandbox,
    logged: (part) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing was logged with ${part}`)), PATIENCE_MS);
        const listener = (line: string) => {
          if (!line.includes(part)) return;
          clearTimeout(timer);
          listeners.delete(listener);
          resolve(line);
        };
        listeners.add(listener);
      }),
    change: (data) => sandbox.client.mergePatch(CONFIG_MAP, SOURCE, { data }),
    told: () =>
      waitFor(
        sandbox.client,
        NOTIFICATION_MESSAGE,
        { namespace: "cpaas-system" },
        (event) => {
          if (event.type === "Synced" || event.type === "Deleted") return undefined;
          return parseNotificationMessage(event.object).conditions[0]?.message;
        },
        AbortSignal.timeout(PATIENCE_MS),
      ),
  };
}

function assertDocumented(words: string): void {
  assert.ok(documentation.includes(words), `docs/troubleshooting.md lacks:\n${words}`);
}

test("a change of another operation says that the operation did not match", async (t) => {
  const { sandbox, logged } = await playedGuide(t);
  const line = logged("rule not matched");
  await sandbox.client.delete(CONFIG_MAP, SOURCE);
  const sources = await readManifests("deploy/examples/source.yaml");
  await applyManifests(sandbox.client, sources);
  const because = /because="([^"]+)"/.exec(await line)?.[1] ?? "";
  assert.match(because, /do not include (CREATE|DELETE)$/);
  assertDocumented(because.replace("DELETE", "CREATE"));
});

test("a change of metadata alone says that the precondition was not met, with both sides", async (t) => {
  const { sandbox, logged } = await playedGuide(t);
  const line = logged("preconditions not met");
  await sandbox.client.mergePatch(CONFIG_MAP, SOURCE, { metadata: { labels: { touched: "yes" } } });
  const [head = "", trace = ""] = (await line).replace(/^\S+ +\w+ +/, "").split(/ policy=.*\n/);
  const preconditions = trace.slice(trace.indexOf("        preconditions")).trimEnd();
  assertDocumented(`${head} …\n${preconditions}`.replaceAll(/\{.*?\}/g, "{…}"));
});

test("a kind that is not served says how to install it", async (t) => {
  const { sandbox, logged, change } = await playedGuide(t);
  const definitions = { group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition" };
  const type = { ...definitions, plural: "customresourcedefinitions", namespaced: false };
  await sandbox.client.delete(type, { namespace: "", name: "notificationmessages.aitextensions.alauda.io" });
  const line = logged("failed to create generate target resource");
  await change({ severity: "again" });
  assertDocumented(/error="([^"]+)"/.exec(await line)?.[1] ?? "");
});

test("a name that is too long says how to shorten it", async (t) => {
  const { sandbox, logged, change } = await playedGuide(t);
  const [policy] = await readManifests("deploy/examples/policy.yaml");
  assert.ok(policy);
  const rules = structuredClone((policy.spec as { rules: { generate: { name: string } }[] }).rules);
  const [rule] = rules;
  assert.ok(rule);
  rule.generate.name = "n".repeat(264);
  const ready = logged("policy status written");
  await applyManifests(sandbox.client, [
    { ...policy, metadata: { name: "long" }, spec: { ...(policy.spec as object), rules } },
  ]);
  await ready;
  const line = logged("failed to create generate target resource");
  await change({ severity: "again" });
  const told = /(generate\.name gives.*truncate\(\)) \(/.exec(await line)?.[1] ?? "nothing";
  assertDocumented(`${told} (…)`);
});

test("a missing template says where it was looked for", async (t) => {
  const { sandbox, told, change } = await playedGuide(t);
  const key = { namespace: "cpaas-system", name: "configmap-change-email-template" };
  await sandbox.client.delete(NOTIFICATION_TEMPLATE, key);
  await change({ severity: "again" });
  assertDocumented(await told());
});

test("a mail server that is not configured, or not available, is named with what to check", async (t) => {
  const { sandbox, told, change } = await playedGuide(t);
  const key = { namespace: "cpaas-system", name: "platform-email-server" };
  const data = (text: Record<string, string>) =>
    Object.fromEntries(Object.entries(text).map(([name, value]) => [name, Buffer.from(value).toString("base64")]));
  await sandbox.client.mergePatch(SECRET, key, { data: data({ host: "127.0.0.1", port: "1" }) });
  await change({ severity: "again" });
  assertDocumented(await told());
  await sandbox.client.delete(SECRET, key);
  await change({ severity: "and again" });
  await waitFor(
    sandbox.client,
    NOTIFICATION_MESSAGE,
    { namespace: "cpaas-system" },
    (event) => {
      if (event.type === "Synced" || event.type === "Deleted") return undefined;
      const [condition] = parseNotificationMessage(event.object).conditions;
      if (condition?.reason !== "ServerNotConfigured") return undefined;
      assertDocumented(condition.message ?? "nothing");
      return true;
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
});
