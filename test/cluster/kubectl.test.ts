import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { create, MERGE_PATCH, patch } from "./client.ts";
import { makeNamespace, makeWidgets, uniqueName, type Widgets } from "./fixtures.ts";
import { target } from "./target.ts";

const execute = promisify(execFile);
const directory = await mkdtemp(join(tmpdir(), "courier-kubectl-"));
after(() => rm(directory, { recursive: true }));

const environment = {
  ...process.env,
  KUBECONFIG: target.kubeconfig,
  KUBECACHEDIR: join(directory, "cache"),
  HOME: directory,
};
const hasKubectl = await execute("kubectl", ["version", "--client"]).then(
  () => true,
  () => false,
);
const options = { skip: !hasKubectl && "kubectl is not on PATH" };

/** Runs kubectl in a namespace; rejects with its stderr where it fails. */
async function kubectl(namespace: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute("kubectl", ["-n", namespace, ...args], { env: environment, timeout: 30_000 });
  return stdout;
}

const forgetDiscovery = () => rm(join(directory, "cache"), { recursive: true, force: true });

async function manifest(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const configMap = (value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  labels: {app: courier}\ndata:\n  key: "${value}"\n`;

test("kubectl applies, gets, patches, describes and deletes", options, async (t) => {
  const { name } = await makeNamespace(t);
  const file = await manifest("one.yaml", configMap("1"));
  assert.match(await kubectl(name, "apply", "-f", file), /configmap\/one created/);
  assert.match(await kubectl(name, "apply", "-f", file), /configmap\/one unchanged/);
  await manifest("one.yaml", configMap("2"));
  assert.match(await kubectl(name, "apply", "-f", file), /configmap\/one configured/);
  assert.equal(await kubectl(name, "get", "cm", "one", "-o", "jsonpath={.data.key}"), "2");
  assert.match(await kubectl(name, "get", "cm", "-l", "app=courier"), /NAME +DATA +AGE\none +1 +\d+s/);
  await kubectl(name, "patch", "configmap", "one", "--type=merge", "-p", '{"data":{"key":"3"}}');
  await kubectl(name, "patch", "configmap", "one", "-p", '{"data":{"more":"4"}}');
  await kubectl(name, "patch", "configmap", "one", "--type=json", "-p", '[{"op":"remove","path":"/data/more"}]');
  assert.match(await kubectl(name, "describe", "configmap", "one"), /Name: +one[\s\S]*key:\n----\n3\n/);
  assert.match(await kubectl(name, "label", "cm", "one", "app=other", "--overwrite"), /labeled/);
  assert.match(await kubectl(name, "delete", "cm", "one"), /configmap "one" deleted/);
  await assert.rejects(kubectl(name, "get", "cm", "one"), /NotFound/);
});

test("kubectl applies on the server's side and shows conflicts", options, async (t) => {
  const { name } = await makeNamespace(t);
  const file = await manifest("ssa.yaml", configMap("1"));
  const apply = (manager: string) => kubectl(name, "apply", "--server-side", `--field-manager=${manager}`, "-f", file);
  assert.match(await apply("m1"), /configmap\/one serverside-applied/);
  await manifest("ssa.yaml", configMap("2"));
  await assert.rejects(apply("m2"), /conflict with "m1": \.data\.key/);
});

test("kubectl edit writes what the editor left", options, async (t) => {
  const { name } = await makeNamespace(t);
  await kubectl(name, "create", "configmap", "one", "--from-literal=key=before");
  const editor = await manifest("editor.sh", '#!/bin/sh\nsed -i s/before/after/ "$1"\n');
  await execute("chmod", ["+x", editor]);
  const env = { ...environment, EDITOR: editor, KUBE_EDITOR: editor };
  const { stdout } = await execute("kubectl", ["-n", name, "edit", "configmap", "one"], { env, timeout: 30_000 });
  assert.match(stdout, /configmap\/one edited/);
  assert.equal(await kubectl(name, "get", "cm", "one", "-o", "jsonpath={.data.key}"), "after");
});

const text = { type: "string" };

const widgetsOf = (t: TestContext, category = "gadgets"): Promise<Widgets> =>
  makeWidgets(t, {
    names: { shortNames: ["wdg"], categories: [category] },
    schema: {
      type: "object",
      description: "A widget is what this suite makes.",
      properties: {
        spec: {
          type: "object",
          required: ["name"],
          properties: { name: { ...text, description: "How it is called." } },
        },
        status: { type: "object", properties: { phase: text } },
      },
    },
    version: {
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: "Phase", type: "string", jsonPath: ".status.phase" }],
    },
  });

test("kubectl works with a kind it learns of by discovery", options, async (t) => {
  const widgets = await widgetsOf(t);
  const { namespace, group } = widgets;
  const head = `apiVersion: ${group}/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n`;
  const file = await manifest("widget.yaml", `${head}  name: x\n`);
  assert.match(await kubectl(namespace, "apply", "-f", file), /widget\.\S+\/a created/);
  await patch(`${widgets.path}/a/status`, MERGE_PATCH, { status: { phase: "Done" } });
  assert.match(await kubectl(namespace, "get", `widgets.${group}`), /NAME +PHASE\na +Done/);
  assert.match(await kubectl(namespace, "get", `wdg.${group}`, "-o", "name"), /widget\.\S+\/a/);
  assert.match(await kubectl(namespace, "describe", `widgets.${group}`, "a"), /Kind: +Widget[\s\S]*Phase: +Done/);
  const bad = await manifest("bad.yaml", `${head}  name: 5\n`);
  await assert.rejects(
    kubectl(namespace, "apply", "--validate=false", "-f", bad),
    /spec\.name.* must be of type string/,
  );
  assert.match(await kubectl(namespace, "delete", `widgets.${group}`, "--all"), /widget\.\S+ "a" deleted/);
});

test("kubectl explains a kind", options, async (t) => {
  const { namespace, group } = await widgetsOf(t);
  const explain = () => kubectl(namespace, "explain", `widgets.spec.name`, `--api-version=${group}/v1`);
  // A real server publishes a new kind's schema some moments after the kind itself
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await explain().catch((error: Error) => error.message);
    if (answer.includes("How it is called.") || Date.now() > deadline) {
      assert.match(answer, /How it is called\./);
      break;
    }
    await forgetDiscovery();
  }
  assert.match(await kubectl(namespace, "explain", "configmap.data"), /Data contains the configuration data/);
});

test("kubectl compares, waits, replaces and lists by category", options, async (t) => {
  const category = uniqueName("gadgets");
  const widgets = await widgetsOf(t, category);
  const { namespace, group } = widgets;
  const file = await manifest("many.yaml", configMap("1"));
  await kubectl(namespace, "apply", "-f", file);
  await manifest("many.yaml", configMap("2"));
  await assert.rejects(kubectl(namespace, "diff", "-f", file), ({ code, stdout }: { code: number; stdout: string }) => {
    assert.equal(code, 1);
    assert.match(stdout, /- {2}key: "1"\n\+ {2}key: "2"/);
    return true;
  });
  assert.match(await kubectl(namespace, "replace", "-f", file), /configmap\/one replaced/);
  await create(widgets.path, widgets.make("a", { spec: { name: "x" } }));
  await forgetDiscovery(); // a category that kubectl does not know yet is no reason for it to ask again
  assert.match(await kubectl(namespace, "get", category, "-o", "name"), /widget\.\S+\/a/);
  assert.match(
    await kubectl(namespace, "api-resources", `--api-group=${group}`),
    /widgets +wdg +\S+\/v1 +true +Widget/,
  );
  assert.match(await kubectl(namespace, "auth", "can-i", "create", "configmaps"), /^yes/);
  const waiting = kubectl(namespace, "wait", "--for=delete", `widgets.${group}/a`, "--timeout=20s");
  await Promise.all([
    kubectl(namespace, "delete", `widgets.${group}`, "a"),
    waiting.catch((error: Error) => assert.match(error.message, /NotFound/)), // it may have come too late to wait
  ]);
});

/** The watching process' next lines, as they come. */
async function nextLine(child: ChildProcess, pattern: RegExp): Promise<void> {
  let seen = "";
  assert.ok(child.stdout);
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    seen += chunk;
    if (pattern.test(seen)) return;
  }
  assert.match(seen, pattern);
}

test("kubectl get -w shows changes as they happen", options, async (t) => {
  const widgets = await widgetsOf(t);
  await create(widgets.path, widgets.make("a", { spec: { name: "x" } }));
  const args = ["-n", widgets.namespace, "get", `widgets.${widgets.group}`, "-w"];
  const child = spawn("kubectl", args, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  await nextLine(child, /NAME +PHASE\na/);
  await patch(`${widgets.path}/a/status`, MERGE_PATCH, { status: { phase: "Done" } });
  await nextLine(child, /a +Done/);
});

test("kubectl is told when it is not let in", options, async () => {
  const args = ["get", "cm", "--token=nobody", `--server=${target.server}`, "--insecure-skip-tls-verify"];
  const empty = await manifest("empty.yaml", "apiVersion: v1\nkind: Config\n");
  await assert.rejects(
    execute("kubectl", args, { env: { ...environment, KUBECONFIG: empty }, timeout: 30_000 }),
    /Unauthorized|must be logged in/,
  );
});
