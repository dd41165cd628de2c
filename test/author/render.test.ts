/** `courier render` as its users run it. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { simpleParser } from "mailparser";
import { courier, ROOT, startCourier } from "./command.ts";

const TEMPLATE = `apiVersion: ait.alauda.io/v1beta1
kind: NotificationTemplate
metadata:
  name: change
  labels:
    cpaas.io/template.email.body.type: Html
spec:
  templates:
    - type: Email
      subject: "{{ .labels.name }} changed"
      content: |-
        <p>Owner: <b>{{ .labels.owner }}</b></p>
`;
const MESSAGE = `apiVersion: aitextensions.alauda.io/v1beta1
kind: NotificationMessage
metadata:
  name: hello
  namespace: cpaas-system
spec:
  body:
    labels: {name: payment, owner: "Ann & Bob"}
  notifications:
    - name: mail
      ephemeral: {methods: [Email], template: change}
      receivers: [{destination: ann@example.com}, {destination: bob@example.com}]
`;

async function workspace(t: TestContext, files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  t.after(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

test("render shows subject, text and HTML of a message with the template it names", async (t) => {
  const cwd = await workspace(t, { "template.yaml": TEMPLATE, "message.yaml": MESSAGE });
  const { code, stdout, stderr } = await courier(["render", "-f", "template.yaml", "-f", "message.yaml"], { cwd });
  assert.equal(stderr, "");
  assert.match(stdout, /^Subject: payment changed$/m);
  assert.match(stdout, /^To: ann@example\.com, bob@example\.com$/m);
  assert.match(stdout, /^Owner: Ann & Bob$/m);
  assert.match(stdout, /^<p>Owner: <b>Ann &amp; Bob<\/b><\/p>$/m);
  assert.match(stdout, /^<!doctype html>$/m);
  assert.equal(code, 0);
});

test("integers of the body come through whole, as the API server hands them out", async (t) => {
  const template = TEMPLATE.replace(".labels.owner", ".count");
  const message = MESSAGE.replace("  body:", "  body:\n    count: 9007199254740993");
  const cwd = await workspace(t, { "template.yaml": template, "message.yaml": message });
  const { stdout } = await courier(["render", "-f", "."], { cwd });
  assert.match(stdout, /^Owner: 9007199254740993$/m);
});

test("a body is read as kubectl reads it", async (t) => {
  const template = TEMPLATE.replace(".labels.owner", ".a .b .c .d .e").replace("{{ .a", "{{ print .a");
  const message = MESSAGE.replace(
    "  body:",
    "  body:\n    a: yes\n    b: 017\n    c: 1_000\n    d: 2026-11-22\n    e: 1:30",
  );
  const cwd = await workspace(t, { "template.yaml": template, "message.yaml": message });
  const { stdout } = await courier(["render", "-f", "."], { cwd });
  assert.match(stdout, /^Owner: true 15 10002026-11-221:30$/m);
});

test("a template without data shows what Go shows, and the variables it uses are told", async (t) => {
  const cwd = await workspace(t, { "template.yaml": TEMPLATE });
  const { code, stdout, stderr } = await courier(["render", "-f", "template.yaml"], { cwd });
  assert.match(stdout, /^Subject: <no value> changed$/m);
  assert.match(stderr, /no value here for variables of change: \.labels\.name \.labels\.owner\n.*--set labels\.name=/);
  assert.equal(code, 0);
});

test("--set and --data give the body, --set last", async (t) => {
  const data = '{"labels": {"name": "from-file", "owner": "file"}}';
  const cwd = await workspace(t, { "template.yaml": TEMPLATE, "body.json": data });
  const args = ["render", "-f", "template.yaml", "--data", "body.json", "--set", "labels.name=a=b"];
  const { stdout, stderr } = await courier(args, { cwd });
  assert.match(stdout, /^Subject: a=b changed$/m);
  assert.match(stdout, /^Owner: file$/m);
  assert.equal(stderr, "");
});

test("a key of --set may hold escaped dots, and reaches no prototype", async (t) => {
  const template = TEMPLATE.replace(".labels.name", "index .labels `app.kubernetes.io/name`");
  const cwd = await workspace(t, { "template.yaml": template });
  const sets = ["--set", "labels.app\\.kubernetes\\.io/name=x", "--set", "__proto__.owner=y"];
  const { stdout } = await courier(["render", "-f", "template.yaml", ...sets], { cwd });
  assert.match(stdout, /^Subject: x changed$/m);
  assert.match(stdout, /^Owner:$/m);
});

test("a mistake in a template is told with file, line, column and the line itself", async (t) => {
  const cwd = await workspace(t, {
    "template.yaml": TEMPLATE.replace("{{ .labels.owner }}", "{{ uper .labels.owner }}"),
  });
  const { code, stdout, stderr } = await courier(["render", "-f", "template.yaml"], { cwd });
  const [head, line, caret] = stderr.split("\n");
  assert.match(head ?? "", /^template\.yaml:12:25 {2}unknown function "uper"; did you mean "upper"\? \(content of /);
  assert.equal(line, "  12 |         <p>Owner: <b>{{ uper .labels.owner }}</b></p>");
  assert.equal(caret?.indexOf("^"), line?.indexOf("uper"));
  assert.equal(stdout, "");
  assert.equal(code, 1);
});

test("a mistake that shows only when it is rendered has its place too", async (t) => {
  const template = TEMPLATE.replace("{{ .labels.owner }}", "{{ .labels.owner.name }}");
  const cwd = await workspace(t, { "template.yaml": template, "message.yaml": MESSAGE });
  const { code, stderr } = await courier(["render", "-f", "template.yaml", "-f", "message.yaml"], { cwd });
  assert.match(stderr, /^template\.yaml:12:\d+ {2}\.labels\.owner\.name: can't evaluate field name/);
  assert.equal(code, 1);
});

test("a message whose template is not among the files is told, with the nearest name", async (t) => {
  const message = MESSAGE.replace("template: change", "template: chnage");
  const cwd = await workspace(t, { "template.yaml": TEMPLATE, "message.yaml": message });
  const { code, stderr } = await courier(["render", "-f", "."], { cwd });
  assert.match(
    stderr,
    /^message\.yaml:11:47 {2}NotificationTemplate "chnage" is not among the files: did you mean "change"\?/m,
  );
  assert.equal(code, 1);
});

test("--eml writes the whole mail", async (t) => {
  const cwd = await workspace(t, { "template.yaml": TEMPLATE, "message.yaml": MESSAGE });
  const files = ["-f", "template.yaml", "-f", "message.yaml"];
  const { stderr } = await courier(["render", ...files, "--eml"], { cwd });
  assert.equal(stderr, "Wrote change.eml\n");
  await courier(["render", ...files, "--eml", "named.eml"], { cwd });
  for (const name of ["change.eml", "named.eml"]) {
    const mail = await simpleParser(await readFile(join(cwd, name)));
    assert.equal(mail.subject, "payment changed");
    assert.equal(mail.text?.trim(), "Owner: Ann & Bob");
    assert.equal(mail.headers.get("auto-submitted"), "auto-generated");
  }
});

test("--open writes the HTML and hands it to the desktop", async (t) => {
  const opener = '#!/bin/sh\necho "$1" > "$OPENED"\n';
  const cwd = await workspace(t, { "template.yaml": TEMPLATE, "xdg-open": opener, opened: "" });
  await chmod(join(cwd, "xdg-open"), 0o755);
  const env = { PATH: `${cwd}${delimiter}${process.env["PATH"]}`, OPENED: join(cwd, "opened") };
  const { stderr } = await courier(["render", "-f", "template.yaml", "--set", "labels.owner=Ann", "--open"], {
    cwd,
    env,
  });
  const [, file = ""] = /^Opening (.+)$/m.exec(stderr) ?? [];
  t.after(() => rm(join(file, ".."), { recursive: true }));
  assert.match(await readFile(file, "utf8"), /<b>Ann<\/b>/);
});

test("--watch renders again when a file is replaced, and ends on SIGINT", { timeout: 20_000 }, async (t) => {
  const cwd = await workspace(t, { "template.yaml": TEMPLATE });
  const child = startCourier(["render", "-f", "template.yaml", "--watch"], { cwd });
  t.after(() => child.kill("SIGKILL"));
  const shows = async (stream: "stdout" | "stderr", text: string) => {
    let seen = "";
    const source = child[stream];
    assert.ok(source);
    await new Promise<void>((resolve) => {
      const read = (chunk: Buffer) => {
        seen += chunk;
        if (!seen.includes(text)) return;
        source.off("data", read);
        resolve();
      };
      source.on("data", read);
    });
  };
  await shows("stderr", "Watching for changes");
  const broken = shows("stderr", "unknown function");
  await writeFile(join(cwd, "new"), TEMPLATE.replace(".labels.name", "nme"));
  await rename(join(cwd, "new"), join(cwd, "template.yaml"));
  await broken;
  const mended = shows("stdout", "Subject: mended");
  await writeFile(join(cwd, "template.yaml"), TEMPLATE.replace("{{ .labels.name }}", "mended"));
  await mended;
  const code = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGINT");
  assert.equal(await code, 0);
});

test("a directory is rendered whole", async () => {
  const { code, stdout } = await courier(["render", "-f", join(ROOT, "templates")]);
  assert.match(stdout, /configmap-change-email-template/);
  assert.match(stdout, /default-email-template/);
  assert.equal(code, 0);
});

test("nothing to render is an error that says what to give", async () => {
  const { code, stderr } = await courier(["render"]);
  assert.match(stderr, /give files with -f, or name objects of the cluster/);
  assert.equal(code, 1);
});
