import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import type { Stage } from "./stage.ts";

function rule(name: string, match: string, generate: string, more = ""): string {
  return `
    - name: ${name}
      match: {any: [${match}]}
      ${more}
      generate: {${generate}}`;
}

const named = (name: string) => `{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [${name}]}}`;
const REGISTRY = "eyJhdXRocyI6e319"; // {"auths":{}}

function registry(namespace: string, more = "", data = REGISTRY): string {
  return `{apiVersion: v1, kind: Secret, type: kubernetes.io/dockerconfigjson, metadata: {name: registry, namespace: '%${namespace}'${more}}, data: {.dockerconfigjson: ${data}}}`;
}

async function start(stage: Stage, rules: string): Promise<void> {
  await stage.apply(policy(rules));
  await stage.ready();
}

const MADE = "apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {data: {by: '{{ request.name }}'}}";
const SYNC = "synchronize: true, ";

/** Several triggers, sources, rules and policies that meet in one target, and what was there before. */
export const SHARED_CASES: readonly Case[] = [
  [
    "a registry's credentials go to each namespace that has the label, for as long as it has it",
    async (stage) => {
      const namespace = (name: string, labels: string) =>
        `{apiVersion: v1, kind: Namespace, metadata: {name: '%${name}', labels: ${labels}}}`;
      await stage.apply(namespace("a", "{}"));
      await stage.apply(registry("a"));
      await stage.apply(namespace("b", "{pull: '%a'}"));
      await stage.apply(namespace("c", "{pull: 'no'}"));
      await start(
        stage,
        rule(
          "spread",
          "{resources: {kinds: [Namespace], selector: {matchLabels: {pull: '%a'}}}}",
          `${SYNC}generateExisting: true, apiVersion: v1, kind: Secret, name: registry, namespace: '{{ request.object.metadata.name }}', clone: {name: registry, namespace: '%a'}`,
        ),
      );
      await stage.expect(registry("b"));
      await stage.patch("Namespace %c", { metadata: { labels: { pull: stage.name("a") } } });
      await stage.expect(registry("c"));
      await stage.patch("Secret %a/registry", { metadata: { labels: { tier: "gold" }, annotations: { by: "ops" } } });
      for (const name of ["b", "c"])
        await stage.expect(registry(name, ", labels: {tier: gold}, annotations: {by: ops}"));
      await stage.patch("Namespace %b", { metadata: { labels: { pull: "no" } } });
      await stage.gone("Secret %b/registry");
      await stage.expect(registry("c"));
    },
  ],
  [
    "a Deployment as trigger: each change of its spec, with the parts of its images' names at hand",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await start(
        stage,
        rule(
          "replicas",
          "{resources: {kinds: [apps/v1/Deployment], namespaces: ['%a']}}",
          "apiVersion: v1, kind: ConfigMap, name: 'of-{{ request.object.metadata.generation }}', namespace: '%b', data: {data: {image: '{{ images.containers.app.name }}:{{ images.containers.app.tag }}'}}",
        ),
      );
      const deployment = (image: string) =>
        `{apiVersion: apps/v1, kind: Deployment, metadata: {name: app, namespace: '%a'}, spec: {selector: {matchLabels: {app: it}}, template: {metadata: {labels: {app: it}}, spec: {containers: [{name: app, image: '${image}'}]}}}}`;
      await stage.apply(deployment("registry.example.com/shop:1"));
      await stage.expect(configMap("of-1", "{image: 'shop:1'}", "b"));
      await stage.patch("Deployment %a/app", { spec: { template: { metadata: { labels: { more: "yes" } } } } });
      await stage.expect(configMap("of-2", "{image: 'shop:1'}", "b"));
    },
  ],
  [
    "a validate rule beside a generate rule is no obstacle",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const other = `
    - name: other
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate: {message: 'a label, please', pattern: {metadata: {labels: {app: '?*'}}}}`;
      await start(stage, other + rule("make", named("trigger"), MADE));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(configMap("made", "{by: trigger}", "b"));
    },
  ],
  [
    "clone, synchronized: a source that is made again is copied with the next change of the trigger",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(registry("a"));
      const clone = `${SYNC}apiVersion: v1, kind: Secret, name: registry, namespace: '%b', clone: {name: registry, namespace: '%a'}`;
      await start(stage, rule("copy", named("trigger"), clone));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(registry("b"));
      await stage.delete("Secret %a/registry");
      await stage.gone("Secret %b/registry");
      await stage.apply(registry("a", "", "eyJhdXRocyI6eyJ4Ijp7fX19"));
      await stage.apply(configMap("trigger", "{again: 'yes'}"));
      await stage.expect(registry("b", "", "eyJhdXRocyI6eyJ4Ijp7fX19"));
      await stage.patch("Secret %a/registry", { data: { ".dockerconfigjson": REGISTRY } });
      await stage.expect(registry("b"));
    },
  ],
  [
    "two triggers, one target: it is the last one's, and goes with that one alone",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await start(stage, rule("make", named("'one-*'"), SYNC + MADE));
      await stage.apply(configMap("one-first", "{}"));
      await stage.expect(configMap("made", "{by: one-first}", "b"));
      await stage.apply(configMap("one-second", "{}"));
      await stage.expect(configMap("made", "{by: one-second}", "b"));
      await stage.delete("ConfigMap %a/one-first");
      await stage.apply(configMap("one-third", "{}"));
      await stage.expect(configMap("made", "{by: one-third}", "b"));
      await stage.delete("ConfigMap %a/one-third");
      await stage.gone("ConfigMap %b/made");
    },
  ],
  [
    "two policies copy one source: each takes its own copies along",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%c'}}");
      await stage.apply(registry("a", ", labels: {copy: it}"));
      const list = (to: string) =>
        `${SYNC}namespace: '%${to}', cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {copy: it}}}`;
      await stage.apply(policy(rule("copy", named("trigger"), list("c"))).replace("'%p'", "'%q'"));
      await start(stage, rule("copy", named("trigger"), list("b")));
      await stage.apply(configMap("trigger", "{}"));
      for (const name of ["b", "c"]) await stage.expect(registry(name));
      await stage.delete("ClusterPolicy %p");
      await stage.gone("Secret %b/registry");
      await stage.patch("Secret %a/registry", { metadata: { labels: { tier: "gold" } } });
      await stage.expect(registry("c", ", labels: {tier: gold}"));
    },
  ],
  [
    "cloneList, synchronized: a source that comes later is copied with the next change of the trigger",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(registry("a", ", labels: {copy: it}"));
      const list = `${SYNC}namespace: '%b', cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {copy: it}}}`;
      await start(stage, rule("copy", named("trigger"), list));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(registry("b"));
      await stage.apply(registry("a", ", labels: {copy: it}").replace("name: registry", "name: later"));
      await stage.apply(configMap("trigger", "{again: 'yes'}"));
      await stage.expect(registry("b").replace("name: registry", "name: later"));
      await stage.delete("Secret %a/later");
      await stage.gone("Secret %b/later");
      await stage.expect(registry("b"));
    },
  ],
  [
    "a target that was there before: kept once, overwritten where the rule synchronizes",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const there = (name: string) =>
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%b', labels: {theirs: 'yes'}}, data: {by: them}}`;
      await stage.apply(there("made"));
      await stage.apply(there("kept"));
      await start(
        stage,
        rule("kept", named("trigger"), MADE.replace("made", "kept")) + rule("made", named("trigger"), SYNC + MADE),
      );
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%b', labels: {theirs: null, app.kubernetes.io/managed-by: kyverno}}, data: {by: trigger}}",
      );
      await stage.expect(there("kept"));
      await stage.delete("ConfigMap %a/trigger");
      await stage.gone("ConfigMap %b/made");
      await stage.expect(there("kept"));
    },
  ],
  [
    "a trigger that exclude begins to name takes its target along",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const exclude = "exclude: {any: [{resources: {selector: {matchLabels: {skip: 'yes'}}}}]}";
      await start(stage, rule("make", named("trigger"), SYNC + MADE, exclude));
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(configMap("made", "{by: trigger}", "b"));
      await stage.patch("ConfigMap %a/trigger", { metadata: { labels: { skip: "yes" } } });
      await stage.gone("ConfigMap %b/made");
    },
  ],
  [
    "generateExisting that is switched on later, and a rule that is added with it, take what exists",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("trigger", "{}"));
      const made = (name: string, existing: boolean) =>
        rule(
          name,
          named("trigger"),
          `generateExisting: ${existing}, apiVersion: v1, kind: ConfigMap, name: ${name}, namespace: '%b', data: {}`,
        );
      const there = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%b'}}`;
      await start(stage, made("first", false));
      await stage.absent("ConfigMap %b/first");
      await start(stage, made("first", true) + made("second", true));
      await stage.expect(there("first"));
      await stage.expect(there("second"));
    },
  ],
  [
    "one rule for several kinds, each object with a target of its own",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const match =
        "{resources: {kinds: [ConfigMap, v1/Secret, Namespace], names: ['%x', trigger], namespaces: ['%a', '%x']}}";
      const generate = `${SYNC}apiVersion: v1, kind: ConfigMap, name: "of-{{ to_lower(request.kind.kind) }}", namespace: '%b', data: {}`;
      await start(stage, rule("make", match, generate));
      const target = (kind: string) =>
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: of-${kind}, namespace: '%b'}}`;
      await stage.apply(configMap("trigger", "{}"));
      await stage.apply("{apiVersion: v1, kind: Secret, metadata: {name: trigger, namespace: '%a'}}");
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%x'}}");
      for (const kind of ["configmap", "secret", "namespace"]) await stage.expect(target(kind));
      await stage.delete("Secret %a/trigger");
      await stage.gone("ConfigMap %b/of-secret");
      await stage.expect(target("configmap"));
    },
  ],
];
