/** `courier validate` as a CI job runs it. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { findingAt } from "../../src/author/finding.ts";
import { formatFinding } from "../../src/author/report.ts";
import { SourceFile } from "../../src/author/source-file.ts";
import { courier } from "./command.ts";

const BROKEN = `apiVersion: ait.alauda.io/v1beta1
kind: NotificationTemplate
metadata: {name: broken}
spec:
  templates:
    - type: Email
      subject: x
      content: "{{ uper .x }}"
`;
const DOUBTFUL = BROKEN.replace("subject: x", 'subject: "{{ .title }}"').replace("uper .x", ".x");

async function directory(t: TestContext, files: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "courier-test-"));
  t.after(() => rm(path, { recursive: true }));
  await mkdir(join(path, "deep"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

test("what ships with courier is without errors and warnings", async () => {
  const { code, stdout, stderr } = await courier(["validate", "--strict", "templates", "deploy"]);
  assert.equal(stdout, "");
  assert.match(stderr, /^\d+ files, \d+ objects: 0 errors, 0 warnings$/m);
  assert.equal(code, 0);
});

test("an error makes the exit code 1, in files deep below a directory too", async (t) => {
  const cwd = await directory(t, { "deep/t.yaml": BROKEN, "readme.md": "{{" });
  const { code, stdout, stderr } = await courier(["validate", "."], { cwd });
  assert.equal(
    stdout,
    'deep/t.yaml:8:20  unknown function "uper"; did you mean "upper"? (content of NotificationTemplate "broken")\n',
  );
  assert.equal(stderr, "1 file, 1 object: 1 error, 0 warnings\n");
  assert.equal(code, 1);
});

test("a warning makes the exit code 1 with --strict only", async (t) => {
  const cwd = await directory(t, { "t.yaml": DOUBTFUL });
  const { code, stdout } = await courier(["validate", "t.yaml"], { cwd });
  assert.match(stdout, /^t\.yaml:7:16 {2}warning: the subject can be empty/);
  assert.equal(code, 0);
  assert.equal((await courier(["validate", "--strict", "t.yaml"], { cwd })).code, 1);
});

test("a path that cannot be read makes the exit code 2, and the others are still validated", async (t) => {
  const cwd = await directory(t, { "t.yaml": BROKEN });
  const { code, stdout, stderr } = await courier(["validate", "t.yaml", "absent.yaml", "deep"], { cwd });
  assert.match(stdout, /^t\.yaml:8:20/);
  assert.match(stderr, /Cannot read "absent\.yaml": there is no such file or directory/);
  assert.match(stderr, /Cannot read "deep": there is no \.yaml, \.yml or \.json file in it/);
  assert.equal(code, 2);
});

test("--format json has every finding in fields", async (t) => {
  const cwd = await directory(t, { "t.yaml": BROKEN });
  const { stdout } = await courier(["validate", "--format", "json", "t.yaml"], { cwd });
  const place = { file: "t.yaml", line: 8, column: 20 };
  const message = 'unknown function "uper"; did you mean "upper"? (content of NotificationTemplate "broken")';
  assert.deepEqual(JSON.parse(stdout), {
    findings: [{ severity: "error", rule: "template-syntax", message, ...place }],
  });
});

test("--format github annotates the line", async (t) => {
  const cwd = await directory(t, { "a,b.yaml": BROKEN, "w.yaml": DOUBTFUL });
  const { stdout } = await courier(["validate", "--format", "github", "."], { cwd });
  const [first, second] = stdout.split("\n");
  assert.match(
    first ?? "",
    /^::error file=a%2Cb\.yaml,line=8,col=20,title=courier%3A template-syntax::unknown function "uper"/,
  );
  assert.match(second ?? "", /^::warning file=w\.yaml,line=7,col=16,title=courier%3A empty-subject::/);
});

test("a JSON file is read like a YAML file", async (t) => {
  const object = { apiVersion: "ait.alauda.io/v1beta1", kind: "NotificationTemplate", metadata: { name: "j" } };
  const json = JSON.stringify(
    { ...object, spec: { email: { subject: "x", content: "a\n{{ uper .x }}" } } },
    null,
    "\t",
  );
  const cwd = await directory(t, { "t.json": json });
  const { stdout } = await courier(["validate", "t.json"], { cwd });
  assert.match(stdout, /^t\.json:10:22 {2}unknown function "uper"/);
});

const plain = { excerpts: true, paint: (_style: string, text: string) => text };
const fact = { severity: "error", rule: "html", message: "wrong" } as const;

test("the caret stands under the place, also behind wide characters and in long lines", () => {
  const excerpt = (text: string, at: number) => formatFinding(findingAt(new SourceFile("f", text), at, fact), plain);
  assert.equal(excerpt("ab<c", 2), "f:1:3  wrong\n  1 | ab<c\n    |   ^");
  assert.equal(excerpt("变更<c", 2), "f:1:3  wrong\n  1 | 变更<c\n    |     ^");
  assert.equal(excerpt("\tx", 1), "f:1:2  wrong\n  1 |  x\n    |  ^");
  const [, line = "", caret = ""] = excerpt(`${"a".repeat(500)}<${"b".repeat(500)}`, 500).split("\n");
  assert.ok(line.length < 130);
  assert.equal(line[caret.indexOf("^")], "<");
});
