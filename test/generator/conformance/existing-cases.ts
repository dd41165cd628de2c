import assert from "node:assert/strict";
import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import type { Stage } from "./stage.ts";

function rule(filter: string, more = "", generate = ""): string {
  return `
    - name: existing
      match: {any: [{resources: {kinds: [ConfigMap], ${filter}}}]}
      ${more}
      generate: {generateExisting: true, apiVersion: v1, kind: ConfigMap, name: 'for-{{ request.object.metadata.name }}', namespace: '%b', data: {}${generate}}`;
}

/** Two ConfigMaps are there before the policy. Which of them get a target: those that the rule means, no other. */
async function chooses(stage: Stage, rules: string, kind: "ClusterPolicy" | "Policy" = "ClusterPolicy") {
  await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%a', labels: {tier: '%a'}}}");
  await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%b'}}");
  const found = (name: string, color: string) =>
    `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%a', labels: {color: ${color}, case: '%a'}, annotations: {color: ${color}}}, data: {color: ${color}}}`;
  await stage.apply(found("red-one", "red"));
  await stage.apply(found("blue-one", "blue"));
  const fence = `
    - name: fence
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [fence]}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: fenced, namespace: '${kind === "Policy" ? "%a" : "%b"}', data: {}}`;
  await stage.apply(policy(rules + fence, kind));
  await stage.ready(kind === "Policy" ? "Policy %a" : "ClusterPolicy");
  const place = kind === "Policy" ? "a" : "b";
  await stage.expect(`{apiVersion: v1, kind: ConfigMap, metadata: {name: for-red-one, namespace: '%${place}'}}`);
  await stage.apply(configMap("fence", "{}"));
  await stage.expect(`{apiVersion: v1, kind: ConfigMap, metadata: {name: fenced, namespace: '%${place}'}}`);
  await stage.absent(`ConfigMap %${place}/for-blue-one`);
}

const IN_A = "namespaces: ['%a']";

/** What is there when a policy comes. */
export const EXISTING_CASES: readonly Case[] = [
  ["generateExisting: by name", (stage) => chooses(stage, rule(`${IN_A}, name: 'red-?ne'`))],
  [
    "generateExisting: by names and namespaces with globs",
    (stage) => chooses(stage, rule("namespaces: ['%a*'], names: ['red-*']")),
  ],
  ["generateExisting: by labels", (stage) => chooses(stage, rule("selector: {matchLabels: {case: '%a', color: r*}}"))],
  [
    "generateExisting: by label expressions",
    (stage) =>
      chooses(
        stage,
        rule(
          "selector: {matchLabels: {case: '%a'}, matchExpressions: [{key: color, operator: NotIn, values: [blue]}]}",
        ),
      ),
  ],
  ["generateExisting: by annotations", (stage) => chooses(stage, rule(`${IN_A}, annotations: {color: red}`))],
  [
    "generateExisting: by the labels of the namespace",
    (stage) => chooses(stage, rule("namespaceSelector: {matchLabels: {tier: '%a'}}, names: [red-one]")),
  ],
  [
    "generateExisting: but what exclude names",
    (stage) => chooses(stage, rule(`${IN_A}, names: ['*-one']`, "exclude: {any: [{resources: {names: ['blue-*']}}]}")),
  ],
  [
    "generateExisting: where preconditions are met",
    (stage) =>
      chooses(
        stage,
        rule(
          `${IN_A}, names: ['*-one']`,
          "preconditions: {all: [{key: '{{ request.object.data.color }}', operator: Equals, value: red}]}",
        ),
      ),
  ],
  [
    "generateExisting: a Policy looks at its own namespace",
    (stage) => chooses(stage, rule("names: ['red-*']").replaceAll("'%b'", "'%a'"), "Policy"),
  ],
  [
    "generateExisting: of the policy, and a rule that names operations leaves what exists alone",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("one", "{}"));
      const plain = (name: string, more: string) => `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a']${more}}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: ${name}, namespace: '%b', data: {}}`;
      await stage.apply(
        policy(
          plain("named", ", operations: [CREATE]") + plain("plain", ""),
          "ClusterPolicy",
          "generateExisting: true",
        ),
      );
      await stage.ready();
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: plain, namespace: '%b'}}");
      await stage.absent("ConfigMap %b/named");
    },
  ],
  [
    "generateExisting, synchronized: namespaces that are there get copies, which follow their source",
    async (stage) => {
      const source = (value: string) =>
        `{apiVersion: v1, kind: Secret, metadata: {name: source, namespace: '%a', labels: {case: '%a'}}, data: {key: ${value}}}`;
      const copy = (name: string, value: string) =>
        `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%b'}, data: {key: ${value}}}`;
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%a'}}");
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%b', labels: {case: '%a'}}}");
      await stage.apply(source("b25l"));
      const rules = (name: string, generate: string) => `
    - name: ${name}
      match: {any: [{resources: {kinds: [Namespace], selector: {matchLabels: {case: '%a'}}}}]}
      generate: {generateExisting: true, synchronize: true, namespace: '{{ request.object.metadata.name }}', ${generate}}`;
      await stage.apply(
        policy(
          rules("single", "apiVersion: v1, kind: Secret, name: single, clone: {name: source, namespace: '%a'}") +
            rules("list", "cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {case: '%a'}}}"),
        ),
      );
      await stage.ready();
      for (const name of ["single", "source"]) await stage.expect(copy(name, "b25l"));
      await stage.patch("Secret %a/source", { data: { key: "dHdv" } });
      for (const name of ["single", "source"]) await stage.expect(copy(name, "dHdv"));
    },
  ],
  [
    "generateExisting, synchronized: what exists is made for, restored, and rewritten with the rule",
    async (stage) => {
      const made = (value: string) => configMap("made", `{v: ${value}}`, "b");
      const rules = (value: string) =>
        policy(`
    - name: existing
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [one]}}]}
      generate: {generateExisting: true, synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {data: {v: ${value}}}}`);
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("one", "{}"));
      await stage.apply(rules("first"));
      await stage.ready();
      await stage.expect(made("first"));
      await stage.delete("ConfigMap %b/made");
      await stage.expect(made("first"));
      await stage.apply(rules("second"));
      await stage.expect(made("second"));
    },
  ],
  [
    "generateExisting, synchronized: a target comes back only where an API call still finds no other",
    async (stage) => {
      const fence = (name: string) =>
        `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: '%a'}, spec: {podSelector: {}, policyTypes: [Ingress]}}`;
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%a'}}");
      await stage.apply(
        policy(`
    - name: fence
      match: {any: [{resources: {kinds: [Namespace], names: ['%a']}}]}
      context:
        - name: overrides
          apiCall:
            urlPath: /apis/networking.k8s.io/v1/namespaces/{{ request.object.metadata.name }}/networkpolicies
            jmesPath: items[?metadata.name == 'override'] | length(@)
      preconditions: {all: [{key: '{{ overrides }}', operator: Equals, value: 0}]}
      generate: {generateExisting: true, synchronize: true, apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, name: default, namespace: '{{ request.object.metadata.name }}', data: {spec: {podSelector: {}, policyTypes: [Ingress]}}}`),
      );
      await stage.ready();
      await stage.expect(fence("default"));
      const first = await stage.uid("NetworkPolicy %a/default");
      await stage.apply(fence("override"));
      await stage.delete("NetworkPolicy %a/override");
      await stage.delete("NetworkPolicy %a/default");
      await stage.expect(fence("default"));
      assert.notEqual(await stage.uid("NetworkPolicy %a/default"), first);
    },
  ],
  [
    "generateExisting, synchronized: a target goes when its trigger is changed so that the preconditions are not met",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("one", "{level: high}"));
      await stage.apply(
        policy(`
    - name: existing
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [one]}}]}
      preconditions: {all: [{key: '{{ request.object.data.level }}', operator: Equals, value: high}]}
      generate: {generateExisting: true, synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {}}`),
      );
      await stage.ready();
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%b'}}");
      await stage.apply(configMap("one", "{level: low}"));
      await stage.gone("ConfigMap %b/made");
      await stage.apply(configMap("one", "{level: high}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%b'}}");
    },
  ],
];
