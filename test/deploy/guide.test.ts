import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { UPDATE_REQUEST } from "../../src/generator/update-request.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { type WatchEvent, watchResource } from "../../src/kube/watch-resource.ts";
import { CONFIG_MAP, NOTIFICATION_MESSAGE, type ResourceType, SECRET } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { startSmtpServer, type TestSmtpServer } from "../support/smtp-server.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { type CourierProcess, startCourier } from "./courier-process.ts";
import { kustomize, type Manifest, ROOT, readManifests } from "./manifests.ts";

const kubeconfig = process.env["COURIER_TEST_KUBECONFIG"];
const CLUSTER_POLICY: ResourceType = {
  group: "kyverno.io",
  version: "v1",
  kind: "ClusterPolicy",
  plural: "clusterpolicies",
  namespaced: false,
};
const SOURCE = { namespace: "app-team-a", name: "app-notification-source" };

/** The example Secret as an operator would edit it. */
function emailServer(smtp: TestSmtpServer): Manifest[] {
  return readManifests("deploy/examples/platform-email-server.example.yaml").map((secret) => ({
    ...secret,
    stringData: { host: smtp.host, port: String(smtp.port), from: "user@example.com" },
  }));
}

function configMap(name: string): Manifest {
  const metadata = { name, namespace: SOURCE.namespace };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "1" } } as Manifest;
}

/** The guide's policy for another ConfigMap of app-team-a, with its targets in another namespace. */
function policyFor(configMapName: string, targetNamespace: string): Manifest {
  const text = readFileSync(join(ROOT, "deploy/examples/policy.yaml"), "utf8")
    .replace("name: generate-notificationmessage-on-configmap-change", `name: ${configMapName}`)
    .replace("- app-notification-source", `- ${configMapName}`)
    .replace("namespace: cpaas-system", `namespace: ${targetNamespace}`);
  return parse(text) as Manifest;
}

/** Waits for an object whose JSON contains every one of `texts`. */
async function appeared(
  client: KubeClient,
  type: ResourceType,
  texts: string[],
  signal: AbortSignal,
): Promise<KubeObject> {
  const found = new AbortController();
  let object: KubeObject | undefined;
  const onEvent = (event: WatchEvent) => {
    if (event.type === "Synced" || !texts.every((text) => JSON.stringify(event.object).includes(text))) return;
    object = event.object;
    found.abort();
  };
  await watchResource(client, type, {}, { onEvent }, AbortSignal.any([found.signal, signal]));
  if (object === undefined) throw new Error(`no ${type.kind} with ${texts.join(", ")} appeared`);
  return object;
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

  test("neither service was refused anything", () => {
    const refused = [...serve.lines, ...generate.lines].filter((line) => /forbidden|403/i.test(line));
    assert.deepEqual(refused, []);
  });

  test("a target that the rights do not cover becomes an UpdateRequest that says so", {
    timeout: 30_000,
  }, async (t) => {
    t.after(() => cluster.admin.delete(CLUSTER_POLICY, { namespace: "", name: "out-of-reach" }));
    t.after(() => cluster.admin.delete(CONFIG_MAP, { ...SOURCE, name: "out-of-reach" }));
    await cluster.install([configMap("out-of-reach"), policyFor("out-of-reach", "default")]);
    await appeared(
      cluster.admin,
      CLUSTER_POLICY,
      ['"name":"out-of-reach"', '"type":"Ready"', '"status":"True"'],
      t.signal,
    );
    const change = { data: { a: String(Date.now()) } };
    const { metadata } = await cluster.admin.mergePatch(CONFIG_MAP, { ...SOURCE, name: "out-of-reach" }, change);
    const texts = [`"uid":"${metadata.uid}"`, '"state":"Failed"'];
    const { status } = await appeared(cluster.admin, UPDATE_REQUEST, texts, t.signal);
    const { message } = status as { message: string };
    assert.match(message, /cannot create resource "notificationmessages" .* in the namespace "default"/);
  });

  test("both end cleanly", async () => {
    assert.deepEqual(await Promise.all([serve.stop(), generate.stop()]), [0, 0]);
  });
});
