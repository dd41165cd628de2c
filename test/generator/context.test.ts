import assert from "node:assert/strict";
import test from "node:test";
import { evaluateRule } from "../../src/generator/evaluate-rule.ts";
import type { Rule } from "../../src/generator/rule-model.ts";
import type { Json } from "../../src/resources/object.ts";
import { change, configMap, noCluster, policyOf } from "./objects.ts";

const REQUEST = change("CREATE", configMap("1", { a: "x" }));

/** Runs a rule whose target's data is `{{ x }}` of the context, and gives that data or the error's text. */
async function resultOf(context: string, use = "x", policyKind = {}): Promise<Json | string> {
  const policy = policyOf(
    `context: ${context}\ngenerate: {apiVersion: v1, kind: ConfigMap, namespace: app-team-a, name: t, data: {result: "{{ ${use} }}"}}`,
    policyKind,
  );
  const inputs = noCluster();
  const found = new Map([["shared/settings", { data: { team: "a" }, metadata: {} }]]);
  inputs.source.configMap = async (namespace, name) => found.get(`${namespace}/${name}`);
  inputs.source.apiCall = async (path) => {
    if (path.includes("missing")) throw new Error("404");
    return { path, items: [1, 2] };
  };
  try {
    const verdict = await evaluateRule(policy, policy.rules[0] as Rule, REQUEST, inputs);
    return verdict.outcome === "generate" ? (verdict.targets[0]?.["result"] as Json) : verdict.outcome;
  } catch (error) {
    return (error as Error).message;
  }
}

const VALUES: [string, Json, string?][] = [
  ["[{name: x, variable: {value: 5}}]", 5],
  ["[{name: x, variable: {value: '{{ request.object.data.a }}'}}]", "x"],
  ["[{name: x, variable: {value: {a: [1, 2]}, jmesPath: 'a[1]'}}]", 2],
  ["[{name: x, variable: {jmesPath: request.object.data}}]", { a: "x" }],
  ["[{name: x, variable: {jmesPath: request.object.absent, default: none}}]", "none"],
  ["[{name: x, variable: {value: null, default: '{{ request.operation }}'}}]", "CREATE"],
  ["[{name: y, variable: {value: 1}}, {name: x, variable: {value: '{{ add(y, `1`) }}'}}]", 2],
  ["[{name: x, configMap: {name: settings, namespace: shared}}]", "a", "x.data.team"],
  ["[{name: x, apiCall: {urlPath: '/api/v1/namespaces/{{ request.namespace }}', jmesPath: 'length(items)'}}]", 2],
  ["[{name: x, apiCall: {urlPath: /api/v1/missing, default: []}}]", []],
  ["[{name: unused, apiCall: {urlPath: /api/v1/missing}}, {name: x, variable: {value: 1}}]", 1],
];

for (const [context, value, use] of VALUES) {
  test(`${context} gives ${JSON.stringify(value)}`, async () => assert.deepEqual(await resultOf(context, use), value));
}

const OWN = { kind: "Policy", namespace: "app-team-a" };
const ERRORS: [string, RegExp, object?][] = [
  ["[{name: x, variable: {jmesPath: request.object.absent}}]", /Unknown key "absent"/],
  ["[{name: x, variable: {value: null}}]", /is null and has no default/],
  ["[{name: x, configMap: {name: settings}}]", /ConfigMap default\/settings does not exist/],
  [
    "[{name: x, configMap: {name: settings, namespace: \"{{ 'shared' }}\"}}]",
    /a Policy reads only in its own namespace/,
    OWN,
  ],
  ["[{name: x, apiCall: {urlPath: /api/v1/missing}}]", /GET \/api\/v1\/missing failed/],
  ["[{name: x, apiCall: {urlPath: 'http://evil'}}]", /must be a path of the cluster's API/],
  ["[{name: x, apiCall: {urlPath: /healthz}}]", /must be a path of the cluster's API/],
  ["[{name: x, apiCall: {urlPath: /api/v1/namespaces/a/../b}}]", /must be a path of the cluster's API/],
  ["[{name: x, apiCall: {urlPath: /api/v1/namespaces/a/services/s/proxy/}}]", /must be a path of the cluster's API/],
  [
    "[{name: x, apiCall: {urlPath: \"/api/v1/namespaces/{{ 'other' }}/secrets\"}}]",
    /only paths below \/namespaces\/app-team-a/,
    OWN,
  ],
  ["[{name: x, apiCall: {urlPath: /api/v1/namespaces/other/x/namespaces/app-team-a/y}}]", /only paths below/, OWN],
  ["[{name: x, apiCall: {urlPath: \"/apis/apps/v1/{{ 'deployments' }}\"}}]", /only paths below/, OWN],
];

for (const [context, error, policyKind] of ERRORS) {
  test(`${context} is an error where it is used`, async () =>
    assert.match(String(await resultOf(context, "x", policyKind)), error));
}

test("an entry whose error nobody mentions at the time is no error", async () => {
  const policy = policyOf(`
context: [{name: x, apiCall: {urlPath: /api/v1/missing}}]
preconditions: {any: [{key: 1, operator: Equals, value: 1}, {key: "{{ x }}", operator: Equals, value: 1}]}`);
  const verdict = await evaluateRule(policy, policy.rules[0] as Rule, REQUEST, noCluster());
  assert.equal(verdict.outcome, "generate");
});
