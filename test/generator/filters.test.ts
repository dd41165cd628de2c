import assert from "node:assert/strict";
import test from "node:test";
import { evaluateRule } from "../../src/generator/evaluate-rule.ts";
import { leaveOut } from "../../src/generator/resource-filters.ts";
import { DEFAULT_RESOURCE_FILTERS, parseResourceFilters } from "../../src/resources/resource-filter.ts";
import { change, configMap, noCluster, policyOf } from "./objects.ts";

function reasonFor(kind: string, namespace: string, name = "x", text = DEFAULT_RESOURCE_FILTERS): string | undefined {
  const type = { group: "", version: "v1", kind, plural: "", namespaced: namespace !== "" };
  const metadata = { name, ...(namespace === "" ? {} : { namespace }) };
  return leaveOut(parseResourceFilters(text))({ type, object: { apiVersion: "v1", kind, metadata } });
}

/** Kind, namespace, name → whether changes of it never trigger. */
const ROWS: [kind: string, namespace: string, name: string, leftOut: boolean][] = [
  ["ConfigMap", "app-team-a", "x", false],
  ["ConfigMap", "kube-system", "x", true],
  ["ConfigMap", "kube-public", "x", true],
  ["ConfigMap", "kube-node-lease", "x", true],
  ["ConfigMap", "kube-systems", "x", false],
  ["ConfigMap", "kyverno", "x", true],
  ["Secret", "cpaas-system", "x", false],
  ["Namespace", "", "kube-system", true],
  ["Namespace", "", "kyverno", true],
  ["Namespace", "", "app-team-a", false],
  ["ConfigMap", "app-team-a", "kube-system", false],
  ["ClusterRole", "", "kube-system", false],
  ["Event", "app-team-a", "x", true],
  ["Node", "", "worker-1", true],
  ["APIService", "", "v1", true],
  ["ReplicaSet", "app-team-a", "x", true],
  ["Deployment", "app-team-a", "x", false],
  ["Binding", "app-team-a", "x", true],
  ["RoleBinding", "app-team-a", "x", false],
  ["TokenReview", "", "x", true],
  ["SubjectAccessReview", "", "x", true],
  ["SelfSubjectAccessReview", "", "x", true],
  ["LocalSubjectAccessReview", "app-team-a", "x", true],
  ["SelfSubjectRulesReview", "", "x", true],
  ["PeerReview", "app-team-a", "x", false],
];

for (const [kind, namespace, name, leftOut] of ROWS) {
  const place = namespace === "" ? name : `${namespace}/${name}`;
  test(`a change of ${kind} ${place} ${leftOut ? "never triggers" : "may trigger"}`, () =>
    assert.equal(reasonFor(kind, namespace, name) !== undefined, leftOut));
}

test("the reason names the object and the entry", () => {
  assert.match(reasonFor("ConfigMap", "kube-system") ?? "", /namespace "kube-system".*\[\*\/\*,kube-system,\*\]/);
  assert.match(reasonFor("Event", "app-team-a") ?? "", /of Event.*\[Event,\*,\*\]/);
});

/** Filters, kind, namespace, name → whether changes of it never trigger. */
const OTHERS: [filters: string, kind: string, namespace: string, name: string, leftOut: boolean][] = [
  ["", "ConfigMap", "kube-system", "x", false],
  ["[Secret,team-a,x]", "Secret", "team-a", "x", true],
  ["[Secret,team-a,x]", "Secret", "team-a", "y", false],
  ["[Secret,team-a,x]", "Secret", "team-b", "x", false],
  ["[Secret,team-a,x]", "ConfigMap", "team-a", "x", false],
  ["[Secret][ConfigMap, team-*]", "ConfigMap", "team-a", "x", true],
  ["[Secret][ConfigMap, team-*]", "ConfigMap", "kube-system", "x", false],
  ["[v1/Secret,*,tls-?]", "Secret", "team-a", "tls-1", true],
  ["[v2/Secret,*,*]", "Secret", "team-a", "x", false],
  ["[apps/v1/Secret,*,*]", "Secret", "team-a", "x", false],
  ["[*,team-a,*]", "Namespace", "", "team-a", true],
  ["[Namespace,*,team-a]", "Namespace", "", "team-a", true],
  ["[ConfigMap,team-a,*]", "Namespace", "", "team-a", false],
  ["[Pod/binding,*,*]", "Pod", "team-a", "x", false],
  ["[ReplicaSet/*,*,*]", "ReplicaSet", "team-a", "x", true],
  ["[Node/*,*,*] [Event,*,*],\n[Pod,?,*]", "Event", "team-a", "x", true],
];

for (const [filters, kind, namespace, name, leftOut] of OTHERS)
  test(`with ${JSON.stringify(filters)}, a change of ${kind} ${namespace}/${name} ${leftOut ? "never triggers" : "may trigger"}`, () =>
    assert.equal(reasonFor(kind, namespace, name, filters) !== undefined, leftOut));

test("a list of filters that is wrong names the entry and its column", async (t) => {
  const rows: [string, RegExp][] = [
    ["[Event,*,*] kube-system", /^entry 2 at column 13 begins with "kube-syste"/],
    ["[Event,*,*] [Node,*,*", /^entry 2 at column 13 has no closing "\]"/],
    ["[Event,*,* [Node,*,*]", /^entry 1 at column 1 has no closing "\]"/],
    ["[Event,*,*,*]", /^entry 1 at column 1 is "\[Event,\*,\*,\*\]" and has 4 parts/],
    ["[Event] [,kube-system,*]", /^entry 2 at column 9 .* names no kind: write \*/],
    ["[]", /names no kind/],
  ];
  for (const [text, message] of rows)
    await t.test(text, () => assert.throws(() => parseResourceFilters(text), { name: "SyntaxError", message }));
});

test("a rule that matches everywhere is not run for a change in kube-system, but for what exists there", async () => {
  const policy = policyOf(`
    name: everywhere
    match: {any: [{resources: {kinds: [ConfigMap]}}]}
    generate: {apiVersion: v1, kind: Secret, name: copy, namespace: default, data: {}}`);
  const [rule] = policy.rules;
  assert.ok(rule);
  const object = configMap("2", { a: "b" }, { namespace: "kube-system" });
  const changed = await evaluateRule(policy, rule, change("UPDATE", object, object), noCluster());
  assert.equal(changed.outcome, "not matched");
  const existing = await evaluateRule(policy, rule, { ...change("CREATE", object), operation: "" }, noCluster());
  assert.equal(existing.outcome, "generate");
});
