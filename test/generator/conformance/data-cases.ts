import type { Stage } from "./stage.ts";

/** A case: what it shows, and how. */
export type Case = [title: string, play: (stage: Stage) => Promise<void>];

/** Where triggers and sources are, and where targets go. */
export const NAMESPACES = `
{apiVersion: v1, kind: Namespace, metadata: {name: '%a'}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: '%b'}}`;

interface Options {
  synchronize: boolean;
  /** More of the policy's spec, of its generate block, and what the data says. */
  spec?: string;
  generate?: string;
  color?: string;
}

function policy({ synchronize, spec = "", generate = "", color = "{{ request.object.data.color }}" }: Options): string {
  return `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: '%p'}
spec:
  ${spec}
  rules:
    - name: make
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], selector: {matchLabels: {make: it}}}}]}
      generate:
        synchronize: ${synchronize}
        ${generate}
        apiVersion: v1
        kind: ConfigMap
        name: 'made-{{ request.object.metadata.name }}'
        namespace: '%b'
        data: {data: {color: '${color}'}}
`;
}

function trigger(color: string, name = "one", make = "it"): string {
  return `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: '%a', labels: {make: '${make}'}}, data: {color: ${color}}}`;
}

function made(color: string, name = "one", more = ""): string {
  return `{apiVersion: v1, kind: ConfigMap, metadata: {name: made-${name}, namespace: '%b'}, data: {color: ${color}${more}}}`;
}

async function start(stage: Stage, options: Options, more = ""): Promise<void> {
  await stage.apply(NAMESPACES);
  await stage.apply(policy(options) + more);
  await stage.ready();
  await stage.apply(trigger("red"));
  await stage.expect(made("red"));
}

/** Another trigger whose target is seen: what was done before is through. */
async function fence(stage: Stage): Promise<void> {
  await stage.apply(trigger("any", "fence"));
  await stage.expect(made("any", "fence"));
}

const SYNC = { synchronize: true };
const ONCE = { synchronize: false };

/** Rules with `data`. */
export const DATA_CASES: readonly Case[] = [
  [
    "data: the target carries the labels of policy, rule and trigger",
    async (stage) => {
      await start(stage, ONCE);
      await stage.expect(`
apiVersion: v1
kind: ConfigMap
metadata:
  name: made-one
  namespace: '%b'
  labels:
    app.kubernetes.io/managed-by: kyverno
    generate.kyverno.io/policy-name: '%p'
    generate.kyverno.io/policy-namespace: ''
    generate.kyverno.io/rule-name: make
    generate.kyverno.io/trigger-group: ''
    generate.kyverno.io/trigger-version: v1
    generate.kyverno.io/trigger-kind: ConfigMap
    generate.kyverno.io/trigger-namespace: '%a'
    generate.kyverno.io/trigger-uid: ${await stage.uid("ConfigMap %a/one")}
`);
    },
  ],
  [
    "data, synchronized: what somebody changes in the target is put back, with nothing added",
    async (stage) => {
      await start(stage, SYNC);
      await stage.apply(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: made-one, namespace: '%b', labels: {app.kubernetes.io/managed-by: kyverno, generate.kyverno.io/policy-name: '%p'}}, data: {color: blue, more: x}}",
      );
      await stage.expect(made("red", "one", ", more: null"));
    },
  ],
  [
    "data, synchronized: a deleted target comes back",
    async (stage) => {
      await start(stage, SYNC);
      await stage.delete("ConfigMap %b/made-one");
      await stage.expect(made("red"));
    },
  ],
  [
    "data, synchronized: the target follows its trigger and goes with it",
    async (stage) => {
      await start(stage, SYNC);
      await stage.apply(trigger("green"));
      await stage.expect(made("green"));
      await stage.delete("ConfigMap %a/one");
      await stage.gone("ConfigMap %b/made-one");
    },
  ],
  [
    "data, synchronized: the target goes when its trigger stops matching, and comes when it matches again",
    async (stage) => {
      await start(stage, SYNC);
      await stage.apply(trigger("red", "one", "no"));
      await stage.gone("ConfigMap %b/made-one");
      await stage.apply(trigger("blue"));
      await stage.expect(made("blue"));
    },
  ],
  [
    "data, synchronized: a changed rule is written to what it made",
    async (stage) => {
      await start(stage, SYNC);
      await stage.apply(policy({ ...SYNC, color: "always-black" }));
      await stage.expect(made("always-black"));
    },
  ],
  [
    "data, synchronized: the targets go with the policy",
    async (stage) => {
      await start(stage, SYNC);
      await stage.delete("ClusterPolicy %p");
      await stage.gone("ConfigMap %b/made-one");
    },
  ],
  [
    "data, synchronized: the targets go with their rule, those of other rules stay",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const more = `
    - name: second
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [one]}}]}
      generate: {synchronize: true, apiVersion: v1, kind: Secret, name: second, namespace: '%b', data: {type: Opaque}}
`;
      await stage.apply(`${policy(SYNC)}${more}`);
      await stage.ready();
      await stage.apply(trigger("red"));
      await stage.expect(made("red"));
      await stage.expect("{apiVersion: v1, kind: Secret, metadata: {name: second, namespace: '%b'}, type: Opaque}");
      await stage.apply(policy(SYNC));
      await stage.gone("Secret %b/second");
      await stage.expect(made("red"));
    },
  ],
  [
    "data, synchronized: with orphanDownstreamOnPolicyDelete the targets stay",
    async (stage) => {
      await start(stage, { ...SYNC, generate: "orphanDownstreamOnPolicyDelete: true" });
      const uid = await stage.uid("ConfigMap %b/made-one");
      await stage.delete("ClusterPolicy %p");
      await stage.apply(policy({ ...SYNC, generate: "orphanDownstreamOnPolicyDelete: true" }));
      await stage.ready();
      await fence(stage);
      await stage.expect(`{apiVersion: v1, kind: ConfigMap, metadata: {name: made-one, namespace: '%b', uid: ${uid}}}`);
    },
  ],
  [
    "data, once: a changed trigger, target or rule changes nothing, and a deleted target stays away",
    async (stage) => {
      const witness = `
    - name: witness
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [one]}}]}
      generate: {apiVersion: v1, kind: ConfigMap, name: 'saw-{{ request.object.data.color }}', namespace: '%b', data: {}}
`;
      await start(stage, ONCE, witness);
      await stage.apply(trigger("green"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: saw-green, namespace: '%b'}}");
      await fence(stage);
      await stage.expect(made("red"));
      await stage.delete("ConfigMap %b/made-one");
      await stage.apply(policy({ ...ONCE, color: "any" }));
      await stage.ready();
      await stage.apply(trigger("any", "later"));
      await stage.expect(made("any", "later"));
      await stage.absent("ConfigMap %b/made-one");
      await stage.expect(made("any", "fence"));
    },
  ],
  [
    "data, once: the target outlives trigger and policy",
    async (stage) => {
      await start(stage, ONCE);
      await stage.delete("ConfigMap %a/one");
      await fence(stage);
      await stage.expect(made("red"));
      await stage.delete("ClusterPolicy %p");
      await stage.apply(policy(ONCE));
      await stage.ready();
      await stage.expect(made("red"));
    },
  ],
  [
    "data: what exists when the policy comes is taken only with generateExisting",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(trigger("red"));
      await stage.apply(policy(ONCE));
      await stage.ready();
      await fence(stage);
      await stage.absent("ConfigMap %b/made-one");
      await stage.apply(policy({ ...ONCE, generate: "generateExisting: true" }));
      await stage.expect(made("red"));
    },
  ],
];
