import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";

/** What a namespaced Policy reaches, and what each version and mode of a policy means. */
export const POLICY_CASES: readonly Case[] = [
  [
    "Policy, data, synchronized: target and trigger in its own namespace, gone with the policy",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(
          `
    - name: own
      match: {any: [{resources: {kinds: [ConfigMap], names: [trigger]}}]}
      generate: {synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%a', data: {data: {from: '{{ request.namespace }}'}}}`,
          "Policy",
        ),
      );
      await stage.ready("Policy %a");
      await stage.apply(configMap("trigger", "{}", "b"));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%a'}}");
      await stage.absent("ConfigMap %b/made");
      await stage.delete("Policy %a/%p");
      await stage.gone("ConfigMap %a/made");
    },
  ],
  [
    "Policy: a target, a source or a trigger elsewhere is out of its reach",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply("{apiVersion: v1, kind: Secret, metadata: {name: source, namespace: '%b'}}");
      const rule = (name: string, generate: string) => `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], names: [trigger]}}]}
      generate: {apiVersion: v1, ${generate}}`;
      await stage.apply(
        policy(
          rule("away", "kind: ConfigMap, name: away, namespace: '{{ request.object.data.to }}', data: {}") +
            rule(
              "taken",
              "kind: Secret, name: taken, namespace: '%a', clone: {name: source, namespace: '{{ request.object.data.to }}'}",
            ) +
            rule("own", "kind: ConfigMap, name: own, namespace: '%a', data: {}"),
          "Policy",
        ),
      );
      await stage.ready("Policy %a");
      await stage.apply(configMap("trigger", "{to: '%b'}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: own, namespace: '%a'}}");
      await stage.absent("ConfigMap %b/away");
      await stage.absent("Secret %a/taken");
    },
  ],
  [
    "v2beta1: the policy is the same",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(`
    - name: make
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a']}}]}
      generate: {synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {}}`).replace(
          "kyverno.io/v1",
          "kyverno.io/v2beta1",
        ),
      );
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%b'}}");
      await stage.delete("ClusterPolicy %p");
      await stage.gone("ConfigMap %b/made");
    },
  ],
  [
    "applyRules: One uses the first rule that applies",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const rule = (name: string, names: string) => `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: ['${names}']}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: '${name}-{{ request.name }}', namespace: '%b', data: {}}`;
      await stage.apply(policy(rule("first", "big*") + rule("second", "b*"), "ClusterPolicy", "applyRules: One"));
      await stage.ready();
      await stage.apply(configMap("big", "{}"));
      await stage.apply(configMap("bear", "{}"));
      for (const name of ["first-big", "second-bear"])
        await stage.expect(`{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%b'}}`);
      await stage.absent("ConfigMap %b/second-big");
    },
  ],
  [
    "useServerSideApply: what others say of the target stays, what the rule says is put back",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(
          `
    - name: make
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        {synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {data: {v: '{{ request.object.data.v }}'}}}`,
          "ClusterPolicy",
          "useServerSideApply: true",
        ),
      );
      await stage.apply(configMap("made", "{theirs: kept}", "b"));
      await stage.ready();
      await stage.apply(configMap("trigger", "{v: one}"));
      await stage.expect(configMap("made", "{v: one, theirs: kept}", "b"));
      await stage.patch("ConfigMap %b/made", { data: { v: "changed", more: "kept" } });
      await stage.expect(configMap("made", "{v: one, theirs: kept, more: kept}", "b"));
      await stage.apply(configMap("trigger", "{v: two}"));
      await stage.expect(configMap("made", "{v: two, theirs: kept, more: kept}", "b"));
    },
  ],
  [
    "Role and RoleBinding are copied with what they grant",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const role = (name: string, namespace: string) =>
        `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: ${name}, namespace: '%${namespace}'}, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}`;
      const binding = (name: string, namespace: string) =>
        `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: ${name}, namespace: '%${namespace}'}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}`;
      await stage.apply(role("reader", "a"));
      await stage.apply(binding("reader", "a"));
      const rule = (kind: string) => `
    - name: copy-${kind.toLowerCase()}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate: {synchronize: true, apiVersion: rbac.authorization.k8s.io/v1, kind: ${kind}, name: reader, namespace: '%b', clone: {name: reader, namespace: '%a'}}`;
      await stage.apply(policy(rule("Role") + rule("RoleBinding")));
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(role("reader", "b"));
      await stage.expect(binding("reader", "b"));
    },
  ],
];
