import assert from "node:assert/strict";
import test from "node:test";
import { leftOutByDefault } from "../../src/generator/default-filters.ts";
import { evaluateRule } from "../../src/generator/evaluate-rule.ts";
import { change, configMap, noCluster, policyOf } from "./objects.ts";

function reasonFor(kind: string, namespace: string, name = "x"): string | undefined {
  const type = { group: "", version: "v1", kind, plural: "", namespaced: namespace !== "" };
  const metadata = { name, ...(namespace === "" ? {} : { namespace }) };
  return leftOutByDefault({ type, object: { apiVersion: "v1", kind, metadata } });
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

test("the reason names the namespace or the kind", () => {
  assert.match(reasonFor("ConfigMap", "kube-system") ?? "", /namespace "kube-system"/);
  assert.match(reasonFor("Event", "app-team-a") ?? "", /kind Event/);
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
