import { type Case, NAMESPACES } from "./data-cases.ts";
import type { Stage } from "./stage.ts";

const TRIGGER = "{apiVersion: v1, kind: ConfigMap, metadata: {name: trigger, namespace: '%a'}}";

function source(value: string, more = ""): string {
  return `{apiVersion: v1, kind: Secret, metadata: {name: source, namespace: '%a', labels: {copy: it${more}}}, data: {key: ${value}}}`;
}

function copy(value: string, name = "copy", more = ""): string {
  return `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%b'${more}}, data: {key: ${value}}}`;
}

interface Options {
  synchronize: boolean;
  kind?: "ClusterPolicy" | "Policy";
  target?: string;
}

function policy(content: string, { synchronize, kind = "ClusterPolicy", target = "%b" }: Options): string {
  return `
apiVersion: kyverno.io/v1
kind: ${kind}
metadata: {name: '%p'${kind === "Policy" ? ", namespace: '%a'" : ""}}
spec:
  rules:
    - name: copy
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        synchronize: ${synchronize}
        namespace: '${target}'
        ${content}
`;
}

const SINGLE =
  "apiVersion: v1\n        kind: Secret\n        name: copy\n        clone: {name: source, namespace: '%a'}";
const LIST = "cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {copy: it}}}";

async function start(stage: Stage, content: string, options: Options): Promise<void> {
  await stage.apply(NAMESPACES);
  await stage.apply(source("b25l"));
  await stage.apply(policy(content, options));
  await stage.ready(options.kind === "Policy" ? "Policy %a" : "ClusterPolicy");
  await stage.apply(TRIGGER);
}

const SYNC = { synchronize: true };
const ONCE = { synchronize: false };

/** Rules with `clone` and `cloneList`. */
export const CLONE_CASES: readonly Case[] = [
  [
    "clone: the copy carries its source's labels and those that name it, and says who manages it now",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(source("b25l", ", app.kubernetes.io/managed-by: Helm"));
      await stage.apply(policy(SINGLE, ONCE));
      await stage.ready();
      await stage.apply(TRIGGER);
      const labels = `, labels: {copy: it, app.kubernetes.io/managed-by: kyverno, generate.kyverno.io/source-kind: Secret, generate.kyverno.io/source-version: v1, generate.kyverno.io/source-group: '', generate.kyverno.io/source-namespace: '%a', generate.kyverno.io/source-uid: ${await stage.uid("Secret %a/source")}}`;
      await stage.expect(copy("b25l", "copy", labels));
      await stage.expect(source("b25l", ", generate.kyverno.io/clone-source: ''"));
    },
  ],
  [
    "clone, synchronized: the copy follows its source, is restored, and goes with the source",
    async (stage) => {
      await start(stage, SINGLE, SYNC);
      await stage.expect(copy("b25l"));
      await stage.apply(source("dHdv", ", generate.kyverno.io/clone-source: ''"));
      await stage.expect(copy("dHdv"));
      await stage.delete("Secret %b/copy");
      await stage.expect(copy("dHdv"));
      await stage.delete("Secret %a/source");
      await stage.gone("Secret %b/copy");
    },
  ],
  [
    "clone, synchronized: the copy goes with its trigger",
    async (stage) => {
      await start(stage, SINGLE, SYNC);
      await stage.expect(copy("b25l"));
      await stage.delete("ConfigMap %a/trigger");
      await stage.gone("Secret %b/copy");
    },
  ],
  [
    "clone, synchronized: the copy outlives the policy",
    async (stage) => {
      await start(stage, SINGLE, SYNC);
      await stage.expect(copy("b25l"));
      const uid = await stage.uid("Secret %b/copy");
      await stage.delete("ClusterPolicy %p");
      await stage.apply(policy("apiVersion: v1\n        kind: ConfigMap\n        name: fence\n        data: {}", ONCE));
      await stage.ready();
      await stage.delete("ConfigMap %a/trigger");
      await stage.apply(TRIGGER);
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: fence, namespace: '%b'}}");
      await stage.expect(copy("b25l", "copy", `, uid: ${uid}`));
    },
  ],
  [
    "clone, once: the copy stays as it was made, whatever becomes of its source",
    async (stage) => {
      await start(stage, SINGLE, ONCE);
      await stage.expect(copy("b25l"));
      await stage.apply(source("dHdv", ", generate.kyverno.io/clone-source: ''"));
      await stage.delete("Secret %a/source");
      await stage.delete("ConfigMap %a/trigger");
      await stage.apply(policy("apiVersion: v1\n        kind: ConfigMap\n        name: fence\n        data: {}", ONCE));
      await stage.ready();
      await stage.apply(TRIGGER);
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: fence, namespace: '%b'}}");
      await stage.expect(copy("b25l"));
    },
  ],
  [
    "clone: a source that comes later is copied then",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(policy(SINGLE, ONCE));
      await stage.ready();
      await stage.apply(TRIGGER);
      await stage.apply(source("b25l"));
      await stage.expect(copy("b25l"));
    },
  ],
  [
    "clone: one source, a copy in each namespace that comes",
    async (stage) => {
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%a'}}");
      await stage.apply(source("b25l"));
      await stage.apply(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: '%p'}
spec:
  rules:
    - name: spread
      match: {any: [{resources: {kinds: [Namespace], selector: {matchLabels: {spread: '%a'}}}}]}
      generate:
        synchronize: true
        apiVersion: v1
        kind: Secret
        name: copy
        namespace: '{{ request.object.metadata.name }}'
        clone: {name: source, namespace: '%a'}
`);
      await stage.ready();
      const copyIn = (name: string) =>
        `{apiVersion: v1, kind: Secret, metadata: {name: copy, namespace: '%${name}'}, data: {key: `;
      for (const name of ["b", "c"]) {
        await stage.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: '%${name}', labels: {spread: '%a'}}}`);
        await stage.expect(`${copyIn(name)}b25l}}`);
      }
      await stage.apply(source("dHdv", ", generate.kyverno.io/clone-source: ''"));
      for (const name of ["b", "c"]) await stage.expect(`${copyIn(name)}dHdv}}`);
    },
  ],
  [
    "cloneList, synchronized: what the selector names is copied, follows, and goes with source and policy",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const [one, two] = ["one", "two"].map(
        (name) =>
          (value: string, more = "") =>
            `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%a', labels: {copy: it${more}}}, data: {key: ${value}}}`,
      ) as [typeof source, typeof source];
      await stage.apply(one("b25l"));
      await stage.apply(two("b25l"));
      await stage.apply("{apiVersion: v1, kind: Secret, metadata: {name: other, namespace: '%a'}}");
      await stage.apply(policy(LIST, SYNC));
      await stage.ready();
      await stage.apply(TRIGGER);
      await stage.expect(copy("b25l", "one"));
      await stage.expect(copy("b25l", "two"));
      await stage.absent("Secret %b/other");
      await stage.apply(one("dHdv", ", generate.kyverno.io/clone-source: ''"));
      await stage.expect(copy("dHdv", "one"));
      await stage.delete("Secret %a/one");
      await stage.gone("Secret %b/one");
      await stage.expect(copy("b25l", "two"));
      await stage.delete("ClusterPolicy %p");
      await stage.gone("Secret %b/two");
    },
  ],
  [
    "Policy, clone, synchronized: a copy inside the namespace follows its source",
    async (stage) => {
      await start(stage, SINGLE, { ...SYNC, kind: "Policy", target: "%a" });
      const here = (value: string) => copy(value).replace("%b", "%a");
      await stage.expect(here("b25l"));
      await stage.apply(source("dHdv", ", generate.kyverno.io/clone-source: ''"));
      await stage.expect(here("dHdv"));
      await stage.delete("ConfigMap %a/trigger");
      await stage.gone("Secret %a/copy");
    },
  ],
  [
    "clone, synchronized: a policy that is installed again takes up its copies where they are",
    async (stage) => {
      await start(stage, SINGLE, SYNC);
      await stage.expect(copy("b25l"));
      await stage.delete("ClusterPolicy %p");
      await stage.gone("ClusterPolicy %p");
      await stage.apply(source("dHdv", ", generate.kyverno.io/clone-source: ''"));
      await stage.apply(policy(`generateExisting: true\n        ${SINGLE}`, SYNC));
      await stage.ready();
      await stage.expect(copy("dHdv"));
      await stage.apply(source("dGhyZWU=", ", generate.kyverno.io/clone-source: ''"));
      await stage.expect(copy("dGhyZWU="));
      await stage.delete("Secret %b/copy");
      await stage.expect(copy("dGhyZWU="));
    },
  ],
  [
    "clone: owners of the source do not own a copy in another namespace",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: owner, namespace: '%a'}}");
      const owner = `, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: ${await stage.uid("ConfigMap %a/owner")}}]`;
      await stage.apply(source("b25l").replace("labels: {copy: it}", `labels: {copy: it}${owner}`));
      await stage.apply(policy(SINGLE, ONCE));
      await stage.ready();
      await stage.apply(TRIGGER);
      await stage.expect(copy("b25l", "copy", ", ownerReferences: null"));
    },
  ],
];
