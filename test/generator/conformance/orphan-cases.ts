import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import type { Stage } from "./stage.ts";

const DATA = "apiVersion: v1, kind: Secret, name: made, data: {type: Opaque}";
const CLONE = "apiVersion: v1, kind: Secret, name: copy, clone: {name: source, namespace: '%a'}";
const LIST = "cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {copy: it}}}";
const ORPHAN = "orphanDownstreamOnPolicyDelete: true, ";

function rule(name: string, generate: string): string {
  return `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate: {synchronize: true, namespace: '%b', ${generate}}`;
}

const FENCE = `
    - name: fence
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: ['fence*']}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: '{{ request.name }}', namespace: '%b', data: {}}`;

async function start(stage: Stage, rules: string, ...targets: string[]): Promise<void> {
  await stage.apply(NAMESPACES);
  await stage.apply("{apiVersion: v1, kind: Secret, metadata: {name: source, namespace: '%a', labels: {copy: it}}}");
  await stage.apply(policy(rules));
  await stage.ready();
  await stage.apply(configMap("trigger", "{}"));
  for (const name of targets) await stage.expect(secret(name));
}

function secret(name: string, more = ""): string {
  return `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%b'${more}}}`;
}

/** The policy is another one, and what it was before is through. */
async function replaceBy(stage: Stage, rules: string): Promise<void> {
  await stage.apply(policy(rules + FENCE));
  await stage.ready();
  await stage.apply(configMap("fence", "{}"));
  await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: fence, namespace: '%b'}}");
}

const ALL = rule("data", DATA) + rule("clone", CLONE) + rule("list", LIST);
const NAMES = ["made", "copy", "source"];

/** What becomes of targets when their rule or policy goes. */
export const ORPHAN_CASES: readonly Case[] = [
  [
    "without orphanDownstreamOnPolicyDelete data and cloneList go with the policy, clone stays",
    async (stage) => {
      await start(stage, ALL, ...NAMES);
      await stage.delete("ClusterPolicy %p");
      await stage.gone("Secret %b/made");
      await stage.gone("Secret %b/source");
      await replaceBy(stage, "");
      await stage.expect(secret("copy"));
    },
  ],
  [
    "without orphanDownstreamOnPolicyDelete data and cloneList go with their rule, clone stays",
    async (stage) => {
      await start(stage, ALL, ...NAMES);
      await replaceBy(stage, "");
      await stage.gone("Secret %b/made");
      await stage.gone("Secret %b/source");
      await stage.expect(secret("copy"));
    },
  ],
  [
    "orphanDownstreamOnPolicyDelete: all stay when the policy goes",
    async (stage) => {
      await start(stage, ALL.replaceAll("synchronize", `${ORPHAN}synchronize`), ...NAMES);
      await stage.delete("ClusterPolicy %p");
      await replaceBy(stage, "");
      for (const name of NAMES) await stage.expect(secret(name));
    },
  ],
  [
    "orphanDownstreamOnPolicyDelete: all stay when their rules go, and go with the trigger no more",
    async (stage) => {
      await start(stage, ALL.replaceAll("synchronize", `${ORPHAN}synchronize`), ...NAMES);
      await replaceBy(stage, "");
      await stage.delete("ConfigMap %a/trigger");
      await stage.apply(configMap("fence-2", "{}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: fence-2, namespace: '%b'}}");
      for (const name of NAMES) await stage.expect(secret(name));
    },
  ],
  [
    "all go with the trigger, whatever orphanDownstreamOnPolicyDelete says",
    async (stage) => {
      await start(stage, ALL.replaceAll("synchronize", `${ORPHAN}synchronize`), ...NAMES);
      await stage.delete("ConfigMap %a/trigger");
      for (const name of NAMES) await stage.gone(`Secret %b/${name}`);
    },
  ],
  [
    "a rule that makes something else leaves what it made, without its labels",
    async (stage) => {
      await start(stage, rule("data", DATA), "made");
      await stage.apply(policy(rule("data", DATA.replace("made", "other"))));
      await stage.expect(secret("made", ", labels: {generate.kyverno.io/policy-name: null}"));
      await stage.ready();
      await stage.patch("ConfigMap %a/trigger", { data: { again: "yes" } });
      await stage.expect(secret("other"));
      await stage.expect(secret("made"));
    },
  ],
  [
    "copies that somebody changes or deletes come back",
    async (stage) => {
      await start(stage, rule("clone", CLONE) + rule("list", LIST), "copy", "source");
      await stage.patch("Secret %b/copy", { metadata: { labels: { copy: "no", more: "x" } } });
      await stage.patch("Secret %b/source", { metadata: { labels: { copy: "no", more: "x" } } });
      for (const name of ["copy", "source"]) await stage.expect(secret(name, ", labels: {copy: it, more: null}"));
      for (const name of ["copy", "source"]) await stage.delete(`Secret %b/${name}`);
      for (const name of ["copy", "source"]) await stage.expect(secret(name));
    },
  ],
  [
    "foreach: copies for each element follow, and go with the policy only where they are not of single objects",
    async (stage) => {
      await start(
        stage,
        `
    - name: each
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        synchronize: true
        foreach:
          - {list: "['x', 'y']", apiVersion: v1, kind: Secret, name: 'copy-{{ element }}', namespace: '%b', clone: {name: source, namespace: '%a'}}`,
        "copy-x",
        "copy-y",
      );
      await stage.patch("Secret %a/source", { data: { key: "dHdv" } });
      for (const name of ["copy-x", "copy-y"])
        await stage.expect(
          `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%b'}, data: {key: dHdv}}`,
        );
      await stage.delete("Secret %b/copy-x");
      await stage.expect(secret("copy-x"));
      await stage.delete("Secret %a/source");
      for (const name of ["copy-x", "copy-y"]) await stage.gone(`Secret %b/${name}`);
    },
  ],
];
