import assert from "node:assert/strict";
import test from "node:test";
import { formatTarget, identityOf } from "../../src/generator/build.ts";
import { evaluateRule } from "../../src/generator/evaluate-rule.ts";
import { parsePolicy } from "../../src/generator/parse-policy.ts";
import type { Rule } from "../../src/generator/rule-model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { change, configMap, guidePolicy, noCluster } from "./objects.ts";

const BEFORE = { application: "payment", owner: "platform-ops", severity: "warning" };

test("the guide's policy generates the guide's message when the data changes", async () => {
  const policy = parsePolicy(await guidePolicy());
  const request = change("UPDATE", configMap("19377570", { ...BEFORE, severity: "critical" }), configMap("7", BEFORE));
  const verdict = await evaluateRule(policy, policy.rules[0] as Rule, request, noCluster());
  assert.ok(verdict.outcome === "generate");
  assert.equal(
    formatTarget(identityOf(verdict.targets[0] as KubeObject)),
    "aitextensions.alauda.io/v1beta1/NotificationMessage/cpaas-system/cm-change-app-team-a-app-notification-source-19377570",
  );
  assert.deepEqual(verdict.targets[0], {
    apiVersion: "aitextensions.alauda.io/v1beta1",
    kind: "NotificationMessage",
    metadata: {
      name: "cm-change-app-team-a-app-notification-source-19377570",
      namespace: "cpaas-system",
      labels: {
        "app.kubernetes.io/managed-by": "kyverno",
        "app.kubernetes.io/part-of": "configmap-change-notification",
        "configmap-change/source-namespace": "app-team-a",
        "configmap-change/source-name": "app-notification-source",
        "generate.kyverno.io/policy-name": "generate-notificationmessage-on-configmap-change",
        "generate.kyverno.io/policy-namespace": "",
        "generate.kyverno.io/rule-name": "generate-email-notificationmessage",
        "generate.kyverno.io/trigger-group": "",
        "generate.kyverno.io/trigger-version": "v1",
        "generate.kyverno.io/trigger-kind": "ConfigMap",
        "generate.kyverno.io/trigger-namespace": "app-team-a",
        "generate.kyverno.io/trigger-uid": "u-1",
      },
      annotations: { "configmap-change/resource-version": "19377570" },
    },
    spec: {
      body: {
        labels: {
          namespace: "app-team-a",
          name: "app-notification-source",
          resourceVersion: "19377570",
          application: "payment",
          owner: "platform-ops",
          severity: "critical",
        },
      },
      notifications: [
        {
          name: "configmap-change-email-19377570",
          ephemeral: { methods: ["Email"], template: "configmap-change-email-template" },
          receivers: [{ destination: "platform-operator@example.com" }],
        },
      ],
    },
  });
});

test("the guide's policy says why it does not generate", async (t) => {
  const policy = parsePolicy(await guidePolicy());
  const rule = policy.rules[0] as Rule;
  await t.test("metadata alone changed: both sides of the precondition", async () => {
    const request = change("UPDATE", configMap("8", BEFORE, { labels: { a: "b" } }), configMap("7", BEFORE));
    const verdict = await evaluateRule(policy, rule, request, noCluster());
    assert.ok(verdict.outcome === "preconditions not met");
    assert.deepEqual(verdict.checked[0]?.key, BEFORE);
    assert.deepEqual(verdict.checked[0]?.value, BEFORE);
  });
  await t.test("another namespace: which part of match", async () => {
    const object = configMap("8", {}, { namespace: "other" });
    const verdict = await evaluateRule(policy, rule, change("UPDATE", object, configMap("7", BEFORE)), noCluster());
    assert.deepEqual(verdict, {
      outcome: "not matched",
      because: 'match.any[0]: namespaces [app-team-a] do not match "other"',
    });
  });
  await t.test("a creation: the operations", async () => {
    const verdict = await evaluateRule(policy, rule, change("CREATE", configMap("8", BEFORE)), noCluster());
    assert.deepEqual(verdict, {
      outcome: "not matched",
      because: "match.any[0]: operations [UPDATE] do not include CREATE",
    });
  });
  await t.test("data that appears or goes counts as a change from or to {}", async () => {
    const { data: _, ...without } = configMap("8", BEFORE);
    const verdict = await evaluateRule(
      policy,
      rule,
      change("UPDATE", without as never, configMap("7", BEFORE)),
      noCluster(),
    );
    assert.equal(verdict.outcome, "generate");
  });
});
