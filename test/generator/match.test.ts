import assert from "node:assert/strict";
import test from "node:test";
import { matchGlob } from "../../src/generator/glob.ts";
import { matchesKind, parseKindSelector } from "../../src/generator/kind-selector.ts";
import { type MatchSubject, matchRule } from "../../src/generator/match.ts";
import { planScopes } from "../../src/generator/reach.ts";
import type { Rule } from "../../src/generator/rule-model.ts";
import { CONFIG_MAP, NAMESPACE } from "../../src/resources/kinds.ts";
import { configMap, policyOf } from "./objects.ts";

test("globs", async (t) => {
  const rows: [string, string, boolean][] = [
    ["*", "", true],
    ["*", "abc", true],
    ["?", "", false],
    ["?", "😀", true],
    ["a*c", "abbc", true],
    ["a*c", "abb", false],
    ["a**b?", "axxbc", true],
    ["", "", true],
    ["", "a", false],
    ["a.c", "abc", false],
    ["A", "a", false],
    ["*-system", "kube-system", true],
  ];
  for (const [pattern, text, result] of rows)
    await t.test(`"${pattern}" ${result ? "is" : "is not"} "${text}"`, () =>
      assert.equal(matchGlob(pattern, text), result),
    );
});

test("a glob of many stars takes no exponential time", () => {
  const started = performance.now();
  assert.equal(matchGlob("*a".repeat(50), `${"a".repeat(5_000)}b`), false);
  assert.ok(performance.now() - started < 1_000);
});

test("kinds", async (t) => {
  const deployment = { group: "apps", version: "v1", kind: "Deployment" };
  const rows: [string, boolean | RegExp][] = [
    ["Deployment", true],
    ["*", true],
    ["*/*", true],
    ["v1/Deployment", true],
    ["*/Deployment", true],
    ["v1beta1/Deployment", false],
    ["apps/v1/Deployment", true],
    ["apps/*/Deploy*", true],
    ["*/v1/Deployment", true],
    ["extensions/v1/Deployment", false],
    ["deployment", false],
    ["Deployment/scale", /subresource "scale"/],
    ["Deployment.status", /subresource "status"/],
    ["apps/v1/Deployment/scale", /subresource "scale"/],
    ["v1/Pod/exec", /subresource "exec"/],
    ["*/scale", /subresource "scale"/],
    ["", /must name a kind/],
  ];
  for (const [text, result] of rows) {
    await t.test(`"${text}"`, () => {
      const selector = parseKindSelector(text);
      if (result instanceof RegExp) assert.match(String(selector), result);
      else assert.equal(typeof selector === "object" && matchesKind(selector, deployment), result);
    });
  }
});

/** The match or exclude block of a rule, and whether it wants an UPDATE of the guide's ConfigMap. */
const BLOCKS: [string, boolean | RegExp][] = [
  ["match: {any: [{resources: {kinds: [ConfigMap], names: ['app-*'], namespaces: ['app-team-?']}}]}", true],
  ["match: {any: [{resources: {kinds: [Secret]}}, {resources: {kinds: [ConfigMap]}}]}", true],
  [
    "match: {all: [{resources: {kinds: [ConfigMap]}}, {resources: {names: ['other']}}]}",
    /names \[other\] do not match/,
  ],
  ["match: {all: [{resources: {kinds: [ConfigMap]}}, {resources: {names: ['app*']}}]}", true],
  ["match: {resources: {kinds: [ConfigMap], name: app-notification-source}}", true],
  ["match: {resources: {kinds: [ConfigMap], operations: [CREATE]}}", /operations \[CREATE\] do not include UPDATE/],
  ["match: {resources: {kinds: [ConfigMap], annotations: {'a*': 'v?'}}}", true],
  ["match: {resources: {kinds: [ConfigMap], annotations: {'a*': 'w'}}}", /annotations/],
  ["match: {resources: {kinds: [ConfigMap], selector: {matchLabels: {team: a}}}}", true],
  ["match: {resources: {kinds: [ConfigMap], selector: {matchLabels: {'t*': '?'}}}}", true],
  ["match: {resources: {kinds: [ConfigMap], selector: {matchLabels: {team: b}}}}", /selector does not match/],
  ["match: {resources: {kinds: [ConfigMap], selector: {}}}", true],
  [
    "match: {resources: {kinds: [ConfigMap], selector: {matchExpressions: [{key: team, operator: In, values: [a, b]}]}}}",
    true,
  ],
  [
    "match: {resources: {kinds: [ConfigMap], selector: {matchExpressions: [{key: x, operator: NotIn, values: [a]}]}}}",
    true,
  ],
  ["match: {resources: {kinds: [ConfigMap], selector: {matchExpressions: [{key: x, operator: Exists}]}}}", /selector/],
  ["match: {resources: {kinds: [ConfigMap], selector: {matchExpressions: [{key: x, operator: DoesNotExist}]}}}", true],
  ["match: {resources: {kinds: [ConfigMap], namespaceSelector: {matchLabels: {env: prod}}}}", true],
  [
    "match: {resources: {kinds: [ConfigMap], namespaceSelector: {matchLabels: {env: dev}}}}",
    /namespaceSelector does not match/,
  ],
  ["match: {any: [{resources: {kinds: [ConfigMap]}, subjects: [{kind: User, name: x}]}]}", true],
  ["exclude: {any: [{resources: {namespaces: [app-team-a]}}]}", /is excluded/],
  ["exclude: {any: [{resources: {namespaces: [other]}}]}", true],
  ["exclude: {all: [{resources: {namespaces: [app-team-a]}}, {resources: {names: [other]}}]}", true],
  ["exclude: {resources: {names: ['app*']}}", /is excluded/],
  ["exclude: {any: [{subjects: [{kind: User, name: x}]}]}", true],
  ["exclude: {any: [{resources: {}}]}", true],
];

const OBJECT = configMap("2", {}, { annotations: { ab: "v1" }, labels: { team: "a" } });
const SUBJECT: MatchSubject = {
  operation: "UPDATE",
  type: CONFIG_MAP,
  object: OBJECT,
  namespaceLabels: { env: "prod" },
};

for (const [yaml, result] of BLOCKS) {
  test(`${yaml}`, () => {
    const policy = policyOf(yaml);
    const found = matchRule(policy, policy.rules[0] as Rule, SUBJECT);
    if (result === true) assert.deepEqual(found, { matched: true });
    else assert.match(found.matched ? "matched" : found.because, result as RegExp);
  });
}

test("namespaces of a filter are names for the kind Namespace, and its namespaceSelector never matches", () => {
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: "app-team-a", uid: "n" } };
  const subject: MatchSubject = { ...SUBJECT, type: NAMESPACE, object };
  const byName = policyOf("match: {resources: {kinds: [Namespace], namespaces: [app-team-a]}}");
  assert.deepEqual(matchRule(byName, byName.rules[0] as Rule, subject), { matched: true });
  const bySelector = policyOf("match: {resources: {kinds: [Namespace], namespaceSelector: {}}}");
  assert.equal(matchRule(bySelector, bySelector.rules[0] as Rule, subject).matched, false);
});

test("a Policy matches in its own namespace only", () => {
  const policy = policyOf("match: {resources: {kinds: [ConfigMap]}}", { kind: "Policy", namespace: "other" });
  const found = matchRule(policy, policy.rules[0] as Rule, SUBJECT);
  assert.match(found.matched ? "" : found.because, /reaches only its own namespace "other"/);
});

test("watches are as narrow as the rules allow", async (t) => {
  const rows: [string, string[], object[]][] = [
    ["one namespace and name", ["{namespaces: [a], names: [x]}"], [{ namespace: "a", name: "x" }]],
    [
      "two names in one namespace",
      ["{namespaces: [a], names: [x]}", "{namespaces: [a], names: [y]}"],
      [{ namespace: "a", name: "" }],
    ],
    [
      "two namespaces",
      ["{namespaces: [b, a]}"],
      [
        { namespace: "a", name: "" },
        { namespace: "b", name: "" },
      ],
    ],
    ["a wildcard", ["{namespaces: [a]}", "{namespaces: ['b*']}"], [{ namespace: "", name: "" }]],
    ["one name everywhere", ["{names: [x]}"], [{ namespace: "", name: "x" }]],
  ];
  for (const [title, filters, scopes] of rows) {
    await t.test(title, () => {
      const rules = filters.map((filter) => {
        const policy = policyOf(`match: {resources: ${filter.replace("{", "{kinds: [ConfigMap], ")}}`);
        return { policy, rule: policy.rules[0] as Rule };
      });
      assert.deepEqual(planScopes(rules, CONFIG_MAP), scopes);
    });
  }
});
