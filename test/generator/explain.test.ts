import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { explainChange } from "../../src/generator/explain.ts";
import { connect } from "../../src/kube/connect.ts";
import { CONFIG_MAP, NAMESPACE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { courier } from "../author/command.ts";
import { change, configMap, noCluster, policyOf } from "./objects.ts";

const GUIDE_POLICY = fileURLToPath(new URL("../../deploy/examples/policy.yaml", import.meta.url));
const UID = "5d1f3d0e-0c52-4f6e-9d43-3a7c0d0a6f11";

const DATA = { application: "payment", owner: "platform-ops", severity: "warning" };
const CRITICAL = { ...DATA, severity: "critical" };
const BEFORE = configMap("1041", DATA, { uid: UID });
const AFTER = configMap("1057", CRITICAL, { uid: UID });
const elsewhere = (object: KubeObject) => ({ ...object, metadata: { ...object.metadata, namespace: "app-team-b" } });

const FILES: Record<string, KubeObject> = {
  "before.yaml": BEFORE,
  "after.yaml": AFTER,
  "labelled.yaml": configMap("1057", DATA, { uid: UID, labels: { team: "payments" } }),
  "other-namespace-before.yaml": elsewhere(BEFORE),
  "other-namespace-after.yaml": elsewhere(AFTER),
};

/** A directory with the guide's policy, its ConfigMap before and after, and what else is given. */
async function directoryWith(t: TestContext, more: Record<string, string> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "courier-explain-"));
  t.after(() => rm(directory, { recursive: true }));
  await copyFile(GUIDE_POLICY, join(directory, "policy.yaml"));
  for (const [name, object] of Object.entries(FILES)) await writeFile(join(directory, name), stringify(object));
  for (const [name, text] of Object.entries(more)) await writeFile(join(directory, name), text);
  return directory;
}

const shownInDocs = async () => {
  const text = await readFile(new URL("../../docs/explain.md", import.meta.url), "utf8");
  return [...text.matchAll(/```text\n(.*?)\n```/gs)].map(([, block]) => block);
};

const CASES: [title: string, args: string[], code: number][] = [
  ["changed data: the message is generated", ["--old", "before.yaml", "--new", "after.yaml"], 0],
  ["changed metadata alone: nothing is generated", ["--old", "before.yaml", "--new", "labelled.yaml"], 1],
  [
    "the wrong namespace: nothing is generated",
    ["--old", "other-namespace-before.yaml", "--new", "other-namespace-after.yaml"],
    1,
  ],
];

for (const [title, args, code] of CASES) {
  test(`of the guide, ${title}, and docs/explain.md shows it`, async (t) => {
    const cwd = await directoryWith(t);
    const ended = await courier(["explain", "-f", "policy.yaml", ...args], { cwd });
    assert.deepEqual([ended.code, ended.stderr], [code, ""]);
    assert.ok((await shownInDocs()).includes(ended.stdout.trimEnd()), ended.stdout);
  });
}

test("as JSON, the verdict has every part and both sides", async (t) => {
  const cwd = await directoryWith(t);
  const args = ["explain", "-f", "policy.yaml", "--old", "before.yaml", "--new", "after.yaml", "--format", "json"];
  const { code, stdout } = await courier(args, { cwd });
  assert.equal(code, 0);
  const told = JSON.parse(stdout);
  const { outcome, match, preconditions, targets } = told.rules[0];
  assert.deepEqual([told.generated, told.trigger.operation, outcome], [1, "UPDATE", "generate"]);
  assert.deepEqual(match.filters[0].attributes[3], {
    attribute: "namespaces",
    wanted: ["app-team-a"],
    seen: "app-team-a",
    matched: true,
  });
  assert.deepEqual([preconditions[0].key, preconditions[0].value], [CRITICAL, DATA]);
  assert.equal(targets[0].metadata.name, "cm-change-app-team-a-app-notification-source-1057");
});

const BROKEN_POLICY = `# a comment
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: broken}
spec: {rules: [{name: r, match: {any: [{resources: {kinds: [ConfigMap]}}]}, generate: {kind: ConfigMap, apiVersion: v1, name: "{{ nothing( }}", data: {}}}]}
`;

const UNREADABLE: [title: string, args: string[], said: RegExp][] = [
  [
    "a policy that cannot run",
    ["-f", "broken.yaml", "--new", "after.yaml"],
    /^broken\.yaml:2 .*cannot run: spec\.rules\[0\]/,
  ],
  ["a policy file that is absent", ["-f", "none.yaml", "--new", "after.yaml"], /none\.yaml/],
  ["a file without policies", ["-f", "after.yaml", "--new", "after.yaml"], /no ClusterPolicy or Policy/],
  ["an object file that is no YAML", ["-f", "policy.yaml", "--new", "torn.yaml"], /^torn\.yaml:2 /],
  [
    "an object file without an object",
    ["-f", "policy.yaml", "--new", "list.yaml"],
    /^list\.yaml:1 .*no Kubernetes object/,
  ],
  [
    "sides of two objects",
    ["-f", "policy.yaml", "--old", "before.yaml", "--new", "other-namespace-after.yaml"],
    /one change is of one object/,
  ],
  ["no object at all", ["-f", "policy.yaml"], /give --old, --new, or --object/],
  ["a missing flag", ["--new", "after.yaml"], /-f, --filename/],
];

for (const [title, args, said] of UNREADABLE) {
  test(`${title} ends with exit code 2 and says where`, async (t) => {
    const cwd = await directoryWith(t, { "broken.yaml": BROKEN_POLICY, "torn.yaml": "a: b\nc: [", "list.yaml": "[1]" });
    const { code, stdout, stderr } = await courier(["explain", ...args], { cwd });
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, said);
  });
}

test("an object of the cluster is the side that no file gives", async (t) => {
  const cwd = await directoryWith(t);
  const server = await startApiServer();
  t.after(() => server.close());
  await server.writeKubeconfig(join(cwd, "kubeconfig"));
  const client = await connect({ kubeconfig: join(cwd, "kubeconfig") });
  t.after(() => client.close());
  await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "app-team-a" } });
  const { uid: _, resourceVersion: __, ...metadata } = BEFORE.metadata;
  await client.create(CONFIG_MAP, { ...BEFORE, metadata });
  const live = ["--object", "app-team-a/app-notification-source", "--kind", "cm", "--kubeconfig", "kubeconfig"];
  const updated = await courier(["explain", "-f", "policy.yaml", ...live, "--new", "after.yaml"], { cwd });
  assert.equal(updated.code, 0, updated.stderr);
  assert.match(updated.stdout, /^UPDATE of ConfigMap app-team-a\/app-notification-source \(.* of the cluster → after/);
  const deleted = await courier(["explain", "-f", "policy.yaml", ...live, "--operation", "DELETE"], { cwd });
  assert.deepEqual([deleted.code, deleted.stdout.split(" ")[0]], [1, "DELETE"]);
  const absent = ["--object", "app-team-a/absent", "--kubeconfig", "kubeconfig"];
  const { code, stderr } = await courier(["explain", "-f", "policy.yaml", ...absent], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /There is no ConfigMap app-team-a\/absent/);
});

const explainRule = async (rule: string, request = change("UPDATE", AFTER, BEFORE)) => {
  const [explained] = await explainChange([policyOf(rule)], request, noCluster());
  assert.ok(explained);
  return explained;
};

test("conditions behind the one that decided are told as not looked at", async () => {
  const { outcome, preconditions, notLookedAt } = await explainRule(`
    preconditions:
      all:
        - {key: "{{ request.operation }}", operator: Equals, value: CREATE}
        - {key: a, operator: Equals, value: a}`);
  assert.equal(outcome, "preconditions not met");
  assert.deepEqual(
    preconditions.map(({ key, value, met }) => [key, value, met]),
    [["UPDATE", "CREATE", false]],
  );
  assert.deepEqual(notLookedAt, ["spec.rules[0].preconditions.all[1]"]);
});

test("an expression that cannot be resolved is told, beside the context as far as it loads", async () => {
  const { outcome, because, context } = await explainRule(`
    context:
      - {name: who, variable: {jmesPath: request.object.data.owner}}
      - {name: team, variable: {jmesPath: request.object.metadata.labels.team}}
      - {name: unused, variable: {value: 1}}
    preconditions:
      all: [{key: "{{ who }} {{ team }}", operator: Equals, value: x}]`);
  assert.equal(outcome, "failed");
  assert.match(because ?? "", /Unknown key "labels"/);
  assert.deepEqual(
    context.map(({ name, value, error }) => [name, value, error !== undefined]),
    [
      ["who", "platform-ops", false],
      ["team", undefined, true],
    ],
  );
});

test("a copy is told without its source being read, and a change that ends it with what it deletes", async () => {
  const rule = `
    match: {any: [{resources: {kinds: [ConfigMap], selector: {matchLabels: {copy: "yes"}}}}]}
    generate:
      {apiVersion: v1, kind: Secret, namespace: out, name: copy, synchronize: true, clone: {namespace: vault, name: origin}}`;
  const marked = configMap("1050", DATA, { labels: { copy: "yes" } });
  const copied = await explainRule(rule, change("CREATE", marked));
  assert.equal(copied.outcome, "generate");
  assert.deepEqual(
    copied.targets.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name]),
    [["Secret", "out", "copy"]],
  );
  const ended = await explainRule(rule, change("UPDATE", AFTER, marked));
  assert.equal(ended.outcome, "stopped matching");
  assert.match(ended.because ?? "", /deleted/);
});

test("an exclude that holds is told attribute by attribute", async () => {
  const { outcome, exclude } = await explainRule(`
    exclude:
      any:
        - resources: {names: [app-*], selector: {matchLabels: {team: payments}}}
        - resources: {namespaces: [app-team-*]}`);
  assert.equal(outcome, "not matched");
  assert.deepEqual(
    exclude?.filters.map(({ matched, attributes }) => [matched, ...attributes.map((part) => part.matched)]),
    [
      [false, true, false],
      [true, true],
    ],
  );
});

test("labels of a namespace are told once they were read", async () => {
  const rule = `
    match: {any: [{resources: {kinds: [ConfigMap], namespaceSelector: {matchLabels: {tier: gold}}}}]}`;
  const inputs = noCluster();
  const source = { ...inputs.source, namespaceLabels: async () => ({ tier: "silver" }) };
  const [explained] = await explainChange([policyOf(rule)], change("CREATE", AFTER), { ...inputs, source });
  assert.deepEqual(explained?.match.filters[0]?.attributes[1]?.seen, { tier: "silver" });
  const unread = await explainRule(rule.replace("[ConfigMap]", "[Secret]"));
  assert.equal(unread.match.filters[0]?.attributes[1]?.matched, undefined);
});

test("with applyRules: One, rules behind the one that applied are not evaluated", async () => {
  const { rules, ...policy } = policyOf("preconditions: {}");
  const [first] = rules;
  assert.ok(first);
  const both = { ...policy, applyFirstRuleOnly: true, rules: [first, { ...first, name: "second" }] };
  const explained = await explainChange([both], change("UPDATE", AFTER, BEFORE), noCluster());
  assert.deepEqual(
    explained.map(({ outcome }) => outcome),
    ["generate", "not evaluated"],
  );
});
