import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { CONFIG_MAP, NOTIFICATION_MESSAGE, SECRET } from "../../src/resources/kinds.ts";
import { startSmtpServer, type TestSmtpServer } from "../support/smtp-server.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { type CourierProcess, startCourier } from "./courier-process.ts";
import { kustomize, type Manifest, readManifests } from "./manifests.ts";

const kubeconfig = process.env["COURIER_TEST_KUBECONFIG"];
const SOURCE = { namespace: "app-team-a", name: "app-notification-source" };

/** The example Secret as an operator would edit it. */
function emailServer(smtp: TestSmtpServer): Manifest[] {
  return readManifests("deploy/examples/platform-email-server.example.yaml").map((secret) => ({
    ...secret,
    stringData: { host: smtp.host, port: String(smtp.port), from: "user@example.com" },
  }));
}

async function ready(courier: CourierProcess): Promise<void> {
  const address = /http:\/\/[\d.:]+/.exec(await courier.line("Listening"))?.[0];
  for (let tries = 0; tries < 300; tries += 1) {
    const { ok } = await fetch(`${address}/readyz`);
    if (ok) return;
    await pause(100);
  }
  throw new Error(`not ready after 30 s: ${await (await fetch(`${address}/readyz`)).text()}`);
}

describe("the guide on a real API server, each service with its ServiceAccount's own token and rights", {
  skip: kubeconfig === undefined && "COURIER_TEST_KUBECONFIG names no cluster",
  timeout: 120_000,
}, () => {
  let cluster: Cluster;
  let smtp: TestSmtpServer;
  let serve: CourierProcess;
  let generate: CourierProcess;

  before(async () => {
    smtp = await startSmtpServer();
    cluster = await openCluster(kubeconfig as string);
    await cluster.install([...kustomize("deploy"), ...kustomize("deploy/generator")]);
    await cluster.admin.delete(SECRET, { namespace: "cpaas-system", name: "platform-email-server" });
    await cluster.install([...emailServer(smtp), ...kustomize("deploy/examples")]);
    const start = async (command: string, account: string) =>
      startCourier([command, "--kubeconfig", await cluster.kubeconfigOf(account), "--http-listen", "127.0.0.1:0"]);
    serve = await start("serve", "courier-api");
    generate = await start("generate", "courier-generator");
    await Promise.all([ready(serve), ready(generate)]);
  });
  after(async () => {
    await Promise.all([serve?.stop(), generate?.stop(), smtp?.close(), cluster?.close()]);
  });

  test("a change of labels alone sends nothing; the guide's patch sends one mail", async () => {
    await cluster.admin.mergePatch(CONFIG_MAP, SOURCE, { metadata: { labels: { changed: String(Date.now()) } } });
    const patched = await cluster.admin.mergePatch(CONFIG_MAP, SOURCE, { data: { severity: "critical" } });
    const version = patched.metadata.resourceVersion;
    const [mail, ...more] = await smtp.received(1);

    assert.deepEqual(more, []);
    assert.equal(mail?.from, "user@example.com");
    assert.deepEqual(mail?.to, ["platform-operator@example.com"]);
    assert.equal(mail?.parsed.subject, "ConfigMap app-team-a/app-notification-source changed");
    assert.equal(
      mail?.parsed.text?.trim(),
      [
        "The watched ConfigMap was updated.",
        "",
        "Namespace: app-team-a",
        "Name: app-notification-source",
        `Resource version: ${version}`,
        "Application: payment",
        "Owner: platform-ops",
        "Severity: critical",
      ].join("\n"),
    );
  });

  test("the logs hold the guide's lines", async () => {
    const fromTo = '{"from": ["user@example.com"], "to": ["platform-operator@example.com"]}';
    const target = "aitextensions.alauda.io/v1beta1/NotificationMessage/cpaas-system/cm-change-app-team-a-app-";
    await generate.line(`created generate target resource target=${target}notification-source-`);
    await serve.line('Try to exec {"tasks": 1}');
    await serve.line(`Email begin ${fromTo}`);
    await serve.line(`Email end ${fromTo}`);
    await serve.line(
      '"status":{"conditions":[{"method":"Email","addresses":["platform-operator@example.com"],"type":"Ready","status":"True"}],"phase":"Done"}',
    );
  });

  test("the message is consumed", async () => {
    const line = await generate.line("created generate target resource");
    const name = /cm-change-[\w-]+/.exec(line)?.[0] ?? "";
    const key = { namespace: "cpaas-system", name };
    for (let tries = 0; tries < 100 && (await cluster.admin.get(NOTIFICATION_MESSAGE, key)); tries += 1) {
      await pause(50);
    }
    assert.equal(await cluster.admin.get(NOTIFICATION_MESSAGE, key), undefined);
    assert.equal(generate.lines.filter((each) => each.includes("created generate target resource")).length, 1);
  });

  test("neither service was refused anything, and both end cleanly", async () => {
    assert.deepEqual(await Promise.all([serve.stop(), generate.stop()]), [0, 0]);
    const refused = [...serve.lines, ...generate.lines].filter((line) => /forbidden|403/i.test(line));
    assert.deepEqual(refused, []);
  });
});
