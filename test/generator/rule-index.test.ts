import assert from "node:assert/strict";
import test from "node:test";
import { mayMatch, planScopes } from "../../src/generator/reach.ts";
import { RuleIndex } from "../../src/generator/rule-index.ts";
import { CONFIG_MAP, NAMESPACE, type ResourceType } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { configMap, policyOf } from "./objects.ts";

const MATCHES = [
  "{any: [{resources: {kinds: [ConfigMap], namespaces: [team-a], names: [one]}}]}",
  "{any: [{resources: {kinds: [ConfigMap], names: [one, two]}}]}",
  "{any: [{resources: {kinds: [ConfigMap], namespaces: [team-a, team-b]}}]}",
  "{any: [{resources: {kinds: [ConfigMap], namespaces: ['team-*']}}]}",
  "{any: [{resources: {kinds: [ConfigMap], namespaces: [team-b]}}, {resources: {kinds: [Secret], namespaces: [team-a]}}]}",
  "{any: [{resources: {kinds: ['*'], names: ['o*']}}]}",
  "{all: [{resources: {kinds: [ConfigMap], namespaces: [team-a]}}, {resources: {names: [two]}}]}",
  "{any: [{resources: {kinds: [Namespace], names: [team-a]}}]}",
  "{any: [{resources: {kinds: [Namespace], namespaces: [team-b]}}]}",
  "{any: [{resources: {kinds: [ConfigMap], selector: {matchLabels: {a: b}}}}]}",
];

test("the index of rules finds exactly those that may match, in declaration order", () => {
  const rules = [
    ...MATCHES.map((match) => policyOf(`match: ${match}`)),
    policyOf(`match: ${MATCHES[1]}`, { kind: "Policy", namespace: "team-b" }),
  ].flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })));
  const objects: [ResourceType, KubeObject][] = [
    ...["team-a", "team-b", "else"].flatMap((namespace) =>
      ["one", "two", "three"].map((name): [ResourceType, KubeObject] => [
        CONFIG_MAP,
        configMap("1", {}, { namespace, name }),
      ]),
    ),
    ...["team-a", "team-b"].map((name): [ResourceType, KubeObject] => [
      NAMESPACE,
      { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    ]),
  ];
  for (const [type, object] of objects) {
    const expected = rules.filter((rule) => mayMatch(rule, type, object));
    assert.deepEqual(new RuleIndex(rules, type).rulesFor(object), expected, JSON.stringify(object.metadata));
    assert.ok(expected.length > 0);
  }
});

test("a rule with thousands of namespaces and names is planned at once, as one wide watch", () => {
  const many = (prefix: string) => JSON.stringify(Array.from({ length: 5_000 }, (_, index) => `${prefix}${index}`));
  const match = `{any: [{resources: {kinds: [ConfigMap], namespaces: ${many("n")}, names: ${many("c")}}}]}`;
  const policy = policyOf(`match: ${match}`);
  const rules = policy.rules.map((rule) => ({ policy, rule }));
  assert.deepEqual(planScopes(rules, CONFIG_MAP), [{ namespace: "", name: "" }]);
  const index = new RuleIndex(rules, CONFIG_MAP);
  assert.equal(index.rulesFor(configMap("1", {}, { namespace: "n7", name: "c9" })).length, 1);
  assert.equal(index.rulesFor(configMap("1", {}, { namespace: "n7", name: "d9" })).length, 0);
});
