import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import type { Stage } from "./stage.ts";

interface RuleOptions {
  name?: string;
  /** More of the filter, and of the rule. */
  match?: string;
  rule?: string;
  target?: string;
}

function rule({ name = "make", match = "", rule = "", target = "made-{{ request.name }}" }: RuleOptions): string {
  return `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a']${match}}}]}
      ${rule}
      generate:
        synchronize: true
        apiVersion: v1
        kind: ConfigMap
        name: '${target}'
        namespace: '%b'
        data: {data: {v: '{{ request.object.data.v }}'}}`;
}

async function start(stage: Stage, rules: string): Promise<void> {
  await stage.apply(NAMESPACES);
  await stage.apply(policy(rules));
  await stage.ready();
  await stage.apply(configMap("one", "{v: a}"));
  await stage.expect(configMap("made-one", "{v: a}", "b"));
}

async function fence(stage: Stage): Promise<void> {
  await stage.apply(configMap("fence", "{v: f}"));
  await stage.expect(configMap("made-fence", "{v: f}", "b"));
}

/** What each kind of event does, and to whom. */
export const EVENT_CASES: readonly Case[] = [
  [
    "operations: what is not named does nothing, and the target outlives its trigger",
    async (stage) => {
      await start(stage, rule({ match: ", operations: [CREATE]" }));
      await stage.apply(configMap("one", "{v: b}"));
      await fence(stage);
      await stage.expect(configMap("made-one", "{v: a}", "b"));
      await stage.delete("ConfigMap %a/one");
      await stage.apply(configMap("two", "{v: c}"));
      await stage.expect(configMap("made-two", "{v: c}", "b"));
      await stage.expect(configMap("made-one", "{v: a}", "b"));
    },
  ],
  [
    "operations: UPDATE alone follows changes, not creation",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const seen = rule({ name: "seen", match: ", operations: [CREATE]", target: "seen-{{ request.name }}" });
      await stage.apply(policy(rule({ match: ", operations: [UPDATE]" }) + seen));
      await stage.ready();
      for (const name of ["one", "two"]) {
        await stage.apply(configMap(name, "{v: a}"));
        await stage.expect(configMap(`seen-${name}`, "{v: a}", "b"));
      }
      await stage.apply(configMap("two", "{v: b}"));
      await stage.expect(configMap("made-two", "{v: b}", "b"));
      await stage.absent("ConfigMap %b/made-one");
      await stage.apply(configMap("two", "{v: c}"));
      await stage.expect(configMap("made-two", "{v: c}", "b"));
    },
  ],
  [
    "a trigger that waits for a finalizer counts as deleted",
    async (stage) => {
      await start(stage, rule({}));
      await stage.patch("ConfigMap %a/one", { metadata: { finalizers: ["example.com/hold"] } });
      await stage.delete("ConfigMap %a/one");
      await stage.gone("ConfigMap %b/made-one");
      await stage.patch("ConfigMap %a/one", { metadata: { finalizers: null } });
      await stage.gone("ConfigMap %a/one");
      await stage.apply(configMap("one", "{v: b}"));
      await stage.expect(configMap("made-one", "{v: b}", "b"));
    },
  ],
  [
    "a Namespace as trigger: its target elsewhere follows its labels and goes with it",
    async (stage) => {
      const namespace = (color: string) =>
        `{apiVersion: v1, kind: Namespace, metadata: {name: '%x', labels: {color: ${color}, case: '%x'}}}`;
      await stage.apply(NAMESPACES);
      await stage.apply(
        policy(`
    - name: namespace
      match: {any: [{resources: {kinds: [Namespace], selector: {matchLabels: {case: '%x'}}}}]}
      generate:
        synchronize: true
        apiVersion: v1
        kind: ConfigMap
        name: 'of-{{ request.object.metadata.name }}'
        namespace: '%b'
        data: {data: {color: '{{ request.object.metadata.labels.color }}'}}`),
      );
      await stage.ready();
      await stage.apply(namespace("red"));
      await stage.expect(configMap("of-%x", "{color: red}", "b"));
      await stage.patch("Namespace %x", { metadata: { labels: { color: "blue" } } });
      await stage.expect(configMap("of-%x", "{color: blue}", "b"));
      await stage.delete("Namespace %x");
      await stage.gone("ConfigMap %b/of-%x");
    },
  ],
  [
    "a cluster-scoped target is restored, and goes with its policy",
    async (stage) => {
      const role = (verb: string) =>
        `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: '%role'}, rules: [{apiGroups: [''], resources: [pods], verbs: [${verb}]}]}`;
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%a'}}");
      await stage.apply(
        policy(`
    - name: role
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        synchronize: true
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        name: '%role'
        data: {rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}`),
      );
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(role("get"));
      await stage.patch("ClusterRole %role", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }] });
      await stage.expect(role("get"));
      await stage.delete("ClusterRole %role");
      await stage.expect(role("get"));
      await stage.delete("ClusterPolicy %p");
      await stage.gone("ClusterRole %role");
    },
  ],
  [
    "two rules in a chain: the second follows what the first makes, and both targets go with the trigger",
    async (stage) => {
      await start(
        stage,
        rule({ match: ", names: [one]" }) +
          `
    - name: second
      skipBackgroundRequests: false
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%b'], names: [made-one]}}]}
      generate: {synchronize: true, apiVersion: v1, kind: Secret, name: chained, namespace: '%b', data: {stringData: {v: '{{ request.object.data.v }}'}}}`,
      );
      await stage.expect("{apiVersion: v1, kind: Secret, metadata: {name: chained, namespace: '%b'}, data: {v: YQ==}}");
      await stage.apply(configMap("one", "{v: b}"));
      await stage.expect("{apiVersion: v1, kind: Secret, metadata: {name: chained, namespace: '%b'}, data: {v: Yg==}}");
      await stage.delete("ConfigMap %a/one");
      await stage.gone("ConfigMap %b/made-one");
    },
  ],
  [
    "one rule makes something for many triggers, which keep their own",
    async (stage) => {
      await start(stage, rule({}));
      await fence(stage);
      await stage.delete("ConfigMap %a/one");
      await stage.gone("ConfigMap %b/made-one");
      await stage.expect(configMap("made-fence", "{v: f}", "b"));
    },
  ],
  [
    "a changed target name makes a second target, and the first stays",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(policy(rule({ target: "named-{{ request.object.data.v }}" })));
      await stage.ready();
      await stage.apply(configMap("one", "{v: a}"));
      await stage.expect(configMap("named-a", "{v: a}", "b"));
      await stage.apply(configMap("one", "{v: b}"));
      await stage.expect(configMap("named-b", "{v: b}", "b"));
      await stage.expect(configMap("named-a", "{v: a}", "b"));
    },
  ],
];
