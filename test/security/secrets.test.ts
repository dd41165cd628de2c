/** What must stay secret is looked for wherever courier writes: log, status, Events, pages, the printed configuration, files. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { writePrivateFile } from "../../src/sandbox/apiserver/kubeconfig.ts";
import { courier, ROOT } from "../author/command.ts";
import { emailServer, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";
import { everythingSaid } from "./said.ts";

const USERNAME = "courier-account";
const PASSWORD = "correct horse battery staple";

/** The password as it is, and as AUTH PLAIN and AUTH LOGIN carry it. */
const FORMS = [
  PASSWORD,
  Buffer.from(PASSWORD).toString("base64"),
  Buffer.from(`\0${USERNAME}\0${PASSWORD}`).toString("base64"),
];

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("a server that echoes the credentials in its replies finds them nowhere in what courier tells", async (t) => {
  const echo = `you sent ${FORMS.join(" ")}`;
  const platform = await startPlatform(t, {
    smtp: {
      auth: "clear",
      login: () => undefined,
      recipient: (address) => (address.startsWith("bob") ? `550 5.1.1 ${echo}` : undefined),
      mail: ({ to }) => (to.includes("cy@example.com") ? `554 5.7.1 ${echo}` : undefined),
    },
    secret: { username: USERNAME, password: PASSWORD },
    serve: { logLevel: "debug" },
  });
  await platform.apply(templateOf("Hello"));
  const names = [
    await platform.send({ notifications: [subscriptionOf("ann@example.com", "bob@example.com")] }),
    await platform.send({ notifications: [subscriptionOf("cy@example.com")] }),
  ];
  for (const name of names) await platform.inPhase(name, "Failed");
  platform.smtp.dropAll(); // who has logged in would go on
  platform.smtp.script.login = () => `535 5.7.8 ${echo}`;
  const { host, port } = platform.smtp;
  await platform.apply(
    emailServer({ host, port: `${port}`, username: USERNAME, password: PASSWORD, displayNameEn: "x" }),
  );
  const waiting = await platform.send({ notifications: [subscriptionOf("ann@example.com")] });
  await platform.inPhase(waiting, "Processing", /^AuthenticationFailed/);

  const said = await everythingSaid(platform);
  for (const reason of ["RecipientRejected", "MailRejected", "AuthenticationFailed"]) {
    assert.ok(said.includes(`"reason":"${reason}"`), reason);
  }
  assert.match(said, /you sent \[hidden\]/);
  for (const form of FORMS) assert.ok(!said.includes(form), form);
});

test("a Secret with a password that cannot be used says which key is wrong and not what it holds", async (t) => {
  const platform = await startPlatform(t, { secret: { username: USERNAME, password: `${PASSWORD}\nsecond line` } });
  await platform.apply(templateOf("Hello"));
  const name = await platform.send({ notifications: [subscriptionOf("ann@example.com")] });
  await platform.inPhase(name, "Processing", /^ServerNotConfigured/);
  const said = await everythingSaid(platform);
  assert.match(said, /data\.password has a line break or control character inside/);
  for (const form of [PASSWORD, "second line"]) assert.ok(!said.includes(form), form);
});

test("--print-config tells value and source of every setting, ends with 0, and masks credentials", async () => {
  const env = { COURIER_WORKERS: "8", COURIER_ADVERTISE: "https://user:hunter2@proxy.example:6443/?token=hunter3" };
  const serve = await courier(["serve", "--print-config", "--recipient-rate", "5/1h", "--namespace", "a,b"], { env });
  assert.equal(serve.code, 0);
  assert.match(serve.stdout, /^command: serve\n/);
  for (const [name, value, source] of [
    ["workers", '"8"', "environment COURIER_WORKERS"],
    ["recipient-rate", "5/1h", "flag"],
    ["namespace", "a,b", "flag"],
    ["deadline", "24h", "default"],
    ["lease-name", "courier-api", "default"],
    ["namespace-rate", "null", "unset"],
  ]) {
    assert.ok(serve.stdout.includes(`  ${name}:\n    value: ${value}\n    source: ${source}\n`), name);
  }
  const sandbox = await courier(["sandbox", "--print-config"], { env });
  assert.equal(sandbox.code, 0);
  assert.match(sandbox.stdout, /value: https:\/\/\[hidden\]@proxy\.example:6443\/\?token=\[hidden\]\n/);
  assert.ok(!/hunter/.test(sandbox.stdout + sandbox.stderr));
  const generate = await courier(["generate", "--print-config", "--policies", "a.yaml"]);
  assert.match(generate.stdout, / {2}policies:\n {4}value: a\.yaml\n/);
});

test("files that courier writes are for their owner alone, and a link in their place is not followed", async (t) => {
  const directory = await temporaryDirectory(t);
  const kubeconfig = join(directory, "made", "kubeconfig");
  await writePrivateFile(kubeconfig, "token");
  assert.deepEqual([await modeOf(kubeconfig), await modeOf(join(directory, "made"))], ["600", "700"]);
  assert.deepEqual(await readdir(join(directory, "made")), ["kubeconfig"]);

  const temporary = `${kubeconfig}.${process.pid}.tmp`;
  const victim = join(directory, "victim");
  await writePrivateFile(victim, "precious");
  await symlink(victim, temporary);
  await writePrivateFile(kubeconfig, "token 2");
  assert.equal(await readFile(victim, "utf8"), "precious");
  assert.equal(await readFile(kubeconfig, "utf8"), "token 2");

  const { code, stderr } = await courier(
    ["render", "-f", join(ROOT, "deploy/examples/template.yaml"), "--eml", join(directory, "mail.eml"), "--open"],
    { env: { PATH: directory, TMPDIR: directory } },
  );
  assert.equal(code, 0, stderr);
  const html = /Opening (.*)/.exec(stderr)?.[1] ?? assert.fail(stderr);
  assert.deepEqual(await Promise.all([join(directory, "mail.eml"), html, dirname(html)].map(modeOf)), [
    "600",
    "600",
    "700",
  ]);
});
