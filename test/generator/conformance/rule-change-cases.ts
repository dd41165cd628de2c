import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import type { Stage } from "./stage.ts";

/** A rule as {@link policy} takes it. @param match inside `resources` */
export function rule(name: string, match: string, generate: string): string {
  return `
    - name: ${name}
      match: {any: [{resources: {${match}}}]}
      generate: {${generate}}`;
}

/** Of ConfigMap `%a/trigger`. */
export const OWN = "kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]";

/** Another rule's target is seen: what was done before is through. */
export async function fence(stage: Stage, name = "fence"): Promise<void> {
  await stage.apply(configMap(name, "{}"));
  await stage.expect(`{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%b'}}`);
}

/** The rule that {@link fence} looks at. */
export const FENCE = rule(
  "fence",
  "kinds: [ConfigMap], namespaces: ['%a'], names: ['fence*']",
  "apiVersion: v1, kind: ConfigMap, name: '{{ request.name }}', namespace: '%b', data: {}",
);

/** Applies a policy of these rules, and waits until it is ready. */
export async function start(
  stage: Stage,
  rules: string,
  kind: "ClusterPolicy" | "Policy" = "ClusterPolicy",
): Promise<void> {
  await stage.apply(policy(rules, kind));
  await stage.ready(kind === "Policy" ? "Policy %a" : kind);
}

/** Rules that say something else than before. */
export const RULE_CHANGE_CASES: readonly Case[] = [
  [
    "a rule that does not synchronize any more lets go of what it made",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const made = (synchronize: boolean) =>
        rule(
          "make",
          OWN,
          `synchronize: ${synchronize}, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {data: {v: rule}}`,
        ) + FENCE;
      await start(stage, made(true));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(configMap("made", "{v: rule}", "b"));
      await start(stage, made(false));
      await stage.patch("ConfigMap %b/made", { data: { v: "mine" } });
      await fence(stage);
      await stage.expect(configMap("made", "{v: mine}", "b"));
      await stage.delete("ClusterPolicy %p");
      await stage.delete("ConfigMap %a/trigger");
      await start(stage, FENCE);
      await fence(stage, "fence-2");
      await stage.expect(configMap("made", "{v: mine}", "b"));
    },
  ],
  [
    "a rule that begins to synchronize takes over what it made",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const made = (synchronize: boolean, v: string) =>
        rule(
          "make",
          OWN,
          `synchronize: ${synchronize}, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {data: {v: ${v}}}`,
        );
      await start(stage, made(false, "first"));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(configMap("made", "{v: first}", "b"));
      await start(stage, made(true, "second"));
      await stage.expect(configMap("made", "{v: second}", "b"));
      await stage.delete("ConfigMap %b/made");
      await stage.expect(configMap("made", "{v: second}", "b"));
      await stage.delete("ConfigMap %a/trigger");
      await stage.gone("ConfigMap %b/made");
    },
  ],
  [
    "data, synchronized: an item that the rule drops from a list is dropped from the target",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const role = (verbs: string) =>
        `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: made, namespace: '%b'}, rules: [{apiGroups: [''], resources: [pods], verbs: [${verbs}]}]}`;
      const made = (verbs: string) =>
        rule(
          "make",
          OWN,
          `synchronize: true, apiVersion: rbac.authorization.k8s.io/v1, kind: Role, name: made, namespace: '%b', data: {rules: [{apiGroups: [''], resources: [pods], verbs: [${verbs}]}]}`,
        );
      await start(stage, made("get, list, watch"));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(role("get, list, watch"));
      await start(stage, made("get"));
      await stage.expect(role("get"));
    },
  ],
];
