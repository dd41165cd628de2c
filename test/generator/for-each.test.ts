import assert from "node:assert/strict";
import test from "node:test";
import { evaluateRule } from "../../src/generator/evaluate-rule.ts";
import type { Rule } from "../../src/generator/rule-model.ts";
import { change, configMap, noCluster, policyOf } from "./objects.ts";

/** Runs a rule with these foreach entries on a ConfigMap with `data.list` and `data.x`. */
async function run(foreach: string, more = "") {
  const policy = policyOf(`${more}\ngenerate: {foreach: ${foreach}}`);
  const request = change("CREATE", configMap("1", { list: ["a", null, "b"], x: "y" }));
  const verdict = await evaluateRule(policy, policy.rules[0] as Rule, request, noCluster());
  assert.ok(verdict.outcome === "generate");
  return {
    names: verdict.targets.map(({ metadata }) => metadata.name),
    errors: verdict.errors.map(({ message }) => message),
    targets: verdict.targets,
  };
}

const entry = (fields: string) => `{apiVersion: v1, kind: ConfigMap, namespace: out, ${fields}}`;

test("each item of a list gives a target, null gives none", async () => {
  const { names, targets } = await run(
    `[${entry("list: request.object.data.list, name: 't-{{ element }}-{{ elementIndex }}'")}]`,
  );
  assert.deepEqual(names, ["t-a-0", "t-b-2"]);
  assert.equal(targets[0]?.metadata.labels?.["generate.kyverno.io/rule-name"], "r");
});

test("what is no list is one item", async () => {
  const { targets } = await run(
    `[${entry("list: request.object.data, name: t, data: {data: {v: '{{ element.x }}'}}")}]`,
  );
  assert.deepEqual(
    targets.map(({ data }) => data),
    [{ v: "y" }],
  );
});

test("an item has a context and preconditions of its own", async () => {
  const context = "context: [{name: up, variable: {value: '{{ to_upper(element) }}'}}]";
  const preconditions = "preconditions: {all: [{key: '{{ up }}', operator: NotEquals, value: A}]}";
  const { names } = await run(
    `[${entry(`list: request.object.data.list, ${context}, ${preconditions}, name: 't-{{ up | to_lower(@) }}'`)}]`,
  );
  assert.deepEqual(names, ["t-b"]);
});

test("items see the rule's context", async () => {
  const more = "context: [{name: prefix, variable: {value: p}}]";
  const { names } = await run(`[${entry("list: request.object.data.list, name: '{{ prefix }}-{{ element }}'")}]`, more);
  assert.deepEqual(names, ["p-a", "p-b"]);
});

test("a list or an item that fails leaves the others", async () => {
  const name = 'name: \'t-{{ `{"a": "ok"}`.{{ element }} }}\'';
  const { names, errors } = await run(
    `[${entry("list: request.object.absent, name: x")}, ${entry(`list: request.object.data.list, ${name}`)}]`,
  );
  assert.deepEqual(names, ["t-ok"]);
  assert.equal(errors.length, 2);
  assert.match(errors[0] ?? "", /foreach\[0\]\.list: failed to resolve.*Unknown key "absent"/);
  assert.match(errors[1] ?? "", /foreach\[1\]\.name: failed to resolve.*Unknown key "b"/);
});

test("more items than one change may generate are refused", async () => {
  const list = "split('LONG', ',')".replace("LONG", ",".repeat(1_000));
  const { names, errors } = await run(`[${entry(`list: "${list}", name: t`)}]`);
  assert.deepEqual(names, []);
  assert.match(errors[0] ?? "", /has 1001 items: at most 1000/);
});
