/** `courier render` on the objects of a cluster: the sandbox's API server, over TCP. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { applyManifests } from "../../src/app/manifests.ts";
import { connect } from "../../src/kube/connect.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { courier } from "./command.ts";

const TEMPLATE: KubeObject = {
  apiVersion: "ait.alauda.io/v1beta1",
  kind: "NotificationTemplate",
  metadata: { name: "change", namespace: "cpaas-system" },
  spec: {
    templates: [
      { type: "Email", subject: "{{ .labels.name }} changed", content: "Count: {{ .count }} {{ .labels.enabled }}\n" },
    ],
  },
};
const MESSAGE: KubeObject = {
  apiVersion: "aitextensions.alauda.io/v1beta1",
  kind: "NotificationMessage",
  metadata: { name: "hello", namespace: "cpaas-system" },
  spec: {
    body: { labels: { name: "payment", enabled: "yes" }, count: 42 },
    notifications: [
      {
        name: "mail",
        ephemeral: { methods: ["Email"], template: "change" },
        receivers: [{ destination: "ann@example.com" }],
      },
    ],
  },
};

let directory = "";
let stop: () => Promise<void>;
const render = (...args: string[]) => courier(["render", "--kubeconfig", join(directory, "kubeconfig"), ...args]);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  const server = await startApiServer({});
  stop = () => server.close();
  await server.writeKubeconfig(join(directory, "kubeconfig"));
  const client = await connect({ kubeconfig: join(directory, "kubeconfig") });
  await applyManifests(client, ["deploy/namespace.yaml", "deploy/crds", TEMPLATE, MESSAGE]);
  await client.close();
});
after(async () => {
  await stop();
  await rm(directory, { recursive: true });
});

test("a message of the cluster is rendered with the template that it names", async () => {
  const { code, stdout, stderr } = await render("nfm/hello");
  assert.equal(stderr, "");
  assert.match(stdout, /^Subject: payment changed$/m);
  assert.match(stdout, /^To: ann@example\.com$/m);
  assert.match(stdout, /^Count: 42 yes$/m);
  assert.equal(code, 0);
});

test("a template of the cluster is rendered with the data that is given", async () => {
  const { stdout } = await render("notificationtemplates/change", "-n", "cpaas-system", "--set", "labels.name=orders");
  assert.match(stdout, /^Subject: orders changed$/m);
});

test("a message of the cluster is rendered with the template of a file where one is given", async () => {
  const file = join(directory, "template.yaml");
  const mended = JSON.stringify(TEMPLATE).replace("changed", "is mended");
  await writeFile(file, mended);
  const { stdout } = await render("nfm/hello", "-f", file);
  assert.match(stdout, /^Subject: payment is mended$/m);
});

test("an object that is not there is told with its namespace", async () => {
  const { code, stderr } = await render("nft/absent");
  assert.match(stderr, /^There is no NotificationTemplate "absent" in namespace "cpaas-system" of https:/);
  assert.equal(code, 1);
});

test("a name that is no reference is told how to write one", async () => {
  const { code, stderr } = await render("change");
  assert.match(stderr, /^Cannot render "change": name objects of the cluster as nft\/NAME or nfm\/NAME/);
  assert.equal(code, 1);
});
