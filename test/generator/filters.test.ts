import assert from "node:assert/strict";
import test from "node:test";
import { leftOutByDefault } from "../../src/generator/default-filters.ts";

const OWN = ["cpaas-system", "kyverno"];

function reasonFor(kind: string, namespace: string, name = "x"): string | undefined {
  const type = { group: "", version: "v1", kind, plural: "", namespaced: namespace !== "" };
  const metadata = { name, ...(namespace === "" ? {} : { namespace }) };
  return leftOutByDefault({ type, object: { apiVersion: "v1", kind, metadata } }, OWN);
}

/** Kind, namespace, name → whether changes of it never trigger. */
const ROWS: [kind: string, namespace: string, name: string, leftOut: boolean][] = [
  ["ConfigMap", "app-team-a", "x", false],
  ["ConfigMap", "kube-system", "x", true],
  ["ConfigMap", "kube-public", "x", true],
  ["ConfigMap", "kube-node-lease", "x", true],
  ["ConfigMap", "kube-systems", "x", false],
  ["ConfigMap", "kyverno", "x", true],
  ["Secret", "cpaas-system", "x", true],
  ["Namespace", "", "kube-system", true],
  ["Namespace", "", "cpaas-system", true],
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
  assert.match(reasonFor("ConfigMap", "kyverno") ?? "", /the generator's own/);
  assert.match(reasonFor("Event", "app-team-a") ?? "", /kind Event/);
});
