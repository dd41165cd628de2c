import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import { FENCE, fence, OWN, rule, start } from "./rule-change-cases.ts";

const MARKED = "{copy: it, generate.kyverno.io/clone-source: ''}";

function secret(name: string, value: string, namespace: string, labels = "{}"): string {
  return `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%${namespace}', labels: ${labels}}, data: {key: ${value}}}`;
}

/** Triggers that are sources, several kinds and rules at once. */
export const CORNER_CASES: readonly Case[] = [
  [
    "clone, synchronized: a trigger that is the source is copied, followed, and takes its copy along",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const match = "kinds: [Secret], namespaces: ['%a'], names: [both]";
      const copy =
        "synchronize: true, apiVersion: v1, kind: Secret, name: both, namespace: '%b', clone: {name: '{{ request.object.metadata.name }}', namespace: '%a'}";
      await start(stage, rule("copy", match, copy));
      await stage.apply(secret("both", "b25l", "a"));
      await stage.expect(secret("both", "b25l", "b"));
      await stage.patch("Secret %a/both", { data: { key: "dHdv" } });
      await stage.expect(secret("both", "dHdv", "b"));
      await stage.patch("Secret %b/both", { data: { key: "eHh4" } });
      await stage.expect(secret("both", "dHdv", "b"));
      await stage.delete("Secret %a/both");
      await stage.gone("Secret %b/both");
    },
  ],
  [
    "cloneList, synchronized: a trigger that is one of the sources is followed, and takes its copies along",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const match = "kinds: [Secret], namespaces: ['%a'], selector: {matchLabels: {copy: it}}";
      const copies =
        "synchronize: true, namespace: '%b', cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {copy: it}}}";
      await start(stage, rule("copy", match, copies));
      await stage.apply(secret("both", "b25l", "a", "{copy: it}"));
      await stage.expect(secret("both", "b25l", "b"));
      await stage.patch("Secret %a/both", { data: { key: "dHdv" } });
      await stage.expect(secret("both", "dHdv", "b"));
      await stage.delete("Secret %a/both");
      await stage.gone("Secret %b/both");
    },
  ],
  [
    "cloneList: several kinds are copied, those of another label stay behind, and once means once",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(secret("one", "b25l", "a", "{copy: it}"));
      await stage.apply(secret("other", "b25l", "a"));
      const source = (value: string) =>
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: '%a', labels: ${MARKED}}, data: {v: ${value}}}`;
      await stage.apply(source("first"));
      await start(
        stage,
        rule(
          "copy",
          OWN,
          "namespace: '%b', cloneList: {namespace: '%a', kinds: [v1/Secret, v1/ConfigMap], selector: {matchLabels: {copy: it}}}",
        ) + FENCE,
      );
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(secret("one", "b25l", "b", "{copy: it}"));
      await stage.expect(configMap("two", "{v: first}", "b"));
      await stage.absent("Secret %b/other");
      await stage.apply(source("second"));
      await stage.delete("Secret %a/one");
      await stage.delete("ConfigMap %a/trigger");
      await fence(stage);
      await stage.expect(configMap("two", "{v: first}", "b"));
      await stage.expect(secret("one", "b25l", "b"));
    },
  ],
  [
    "clone on DELETE: the copy is made when the trigger goes, and not before",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(secret("source", "b25l", "a"));
      const copy =
        "synchronize: true, apiVersion: v1, kind: Secret, name: 'of-{{ request.object.metadata.name }}', namespace: '%b', clone: {name: source, namespace: '%a'}";
      await start(stage, rule("copy", `${OWN}, operations: [DELETE]`, copy) + FENCE);
      await stage.apply(configMap("trigger", "{}"));
      await fence(stage);
      await stage.absent("Secret %b/of-trigger");
      await stage.delete("ConfigMap %a/trigger");
      await stage.expect(secret("of-trigger", "b25l", "b"));
    },
  ],
  [
    "request.operation || 'BACKGROUND' tells what exists from what comes",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("there", "{}"));
      const make = (name: string, operation: string) => `
    - name: ${name}
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [there, comes]}}]}
      preconditions: {all: [{key: "{{ request.operation || 'BACKGROUND' }}", operator: AnyIn, value: [${operation}]}]}
      generate: {generateExisting: true, apiVersion: v1, kind: ConfigMap, name: '${name}-{{ request.object.metadata.name }}', namespace: '%b', data: {}}`;
      await start(stage, make("existing", "BACKGROUND") + make("new", "CREATE"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: existing-there, namespace: '%b'}}");
      await stage.apply(configMap("comes", "{}"));
      await stage.expect("{apiVersion: v1, kind: ConfigMap, metadata: {name: new-comes, namespace: '%b'}}");
      await stage.absent("ConfigMap %b/new-there");
      await stage.absent("ConfigMap %b/existing-comes");
    },
  ],
  [
    "two rules on one trigger: one that stops matching takes its own target, the other keeps its",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const made = (color: string) =>
        rule(
          color,
          `${OWN}, selector: {matchLabels: {${color}: 'yes'}}`,
          `synchronize: true, apiVersion: v1, kind: ConfigMap, name: ${color}, namespace: '%b', data: {data: {v: '{{ request.object.data.v }}'}}`,
        );
      await start(stage, made("red") + made("blue"));
      const trigger = (labels: string, v: string) =>
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: trigger, namespace: '%a', labels: ${labels}}, data: {v: ${v}}}`;
      await stage.apply(trigger("{red: 'yes', blue: 'yes'}", "one"));
      for (const color of ["red", "blue"]) await stage.expect(configMap(color, "{v: one}", "b"));
      await stage.apply(trigger("{blue: 'yes'}", "two"));
      await stage.gone("ConfigMap %b/red");
      await stage.expect(configMap("blue", "{v: two}", "b"));
      await stage.apply(trigger("{red: 'yes', blue: 'yes'}", "three"));
      for (const color of ["red", "blue"]) await stage.expect(configMap(color, "{v: three}", "b"));
    },
  ],
  [
    "names of 63 characters and more: trigger, source and target are none the worse",
    async (stage) => {
      await stage.apply(NAMESPACES);
      const long = `long-${"x".repeat(80)}`;
      await stage.apply(secret(long, "b25l", "a"));
      const copy = `synchronize: true, apiVersion: v1, kind: Secret, name: ${long}-copy, namespace: '%b', clone: {name: ${long}, namespace: '%a'}`;
      await start(stage, rule("copy", `kinds: [ConfigMap], namespaces: ['%a'], names: [${long}]`, copy));
      await stage.apply(configMap(long, "{}"));
      await stage.expect(secret(`${long}-copy`, "b25l", "b"));
      await stage.patch(`Secret %a/${long}`, { data: { key: "dHdv" } });
      await stage.expect(secret(`${long}-copy`, "dHdv", "b"));
      await stage.delete(`Secret %a/${long}`);
      await stage.gone(`Secret %b/${long}-copy`);
    },
  ],
  [
    "Policy, data and cloneList, synchronized: all goes with the trigger, and comes back with it",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(secret("source", "b25l", "a", "{copy: it}"));
      const data =
        "synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%a', data: {data: {v: '{{ request.object.data.v }}'}}";
      const clone =
        "synchronize: true, apiVersion: v1, kind: Secret, name: copy, namespace: '%a', clone: {name: source, namespace: '%a'}";
      await start(stage, rule("data", OWN, data) + rule("clone", OWN, clone), "Policy");
      for (const v of ["one", "two"]) {
        await stage.apply(configMap("trigger", `{v: ${v}}`));
        await stage.expect(configMap("made", `{v: ${v}}`));
        await stage.expect(secret("copy", "b25l", "a"));
        await stage.delete("ConfigMap %a/trigger");
        await stage.gone("ConfigMap %a/made");
        await stage.gone("Secret %a/copy");
      }
    },
  ],
  [
    "useServerSideApply: a copy keeps what others added, follows its source, and goes with it",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(secret("source", "b25l", "a"));
      const copy =
        "synchronize: true, apiVersion: v1, kind: Secret, name: copy, namespace: '%b', clone: {name: source, namespace: '%a'}";
      await stage.apply(policy(rule("copy", OWN, copy), "ClusterPolicy", "useServerSideApply: true"));
      await stage.ready();
      await stage.apply(configMap("trigger", "{}"));
      await stage.expect(secret("copy", "b25l", "b"));
      await stage.patch("Secret %b/copy", { data: { more: "eHh4" } });
      await stage.patch("Secret %a/source", { data: { key: "dHdv" } });
      await stage.expect(secret("copy", "dHdv, more: eHh4", "b"));
      await stage.delete("Secret %a/source");
      await stage.gone("Secret %b/copy");
    },
  ],
  [
    "data: what it says of metadata is kept, beside the labels of the rule",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await start(
        stage,
        rule(
          "make",
          OWN,
          "synchronize: true, apiVersion: v1, kind: ConfigMap, name: made, namespace: '%b', data: {metadata: {name: other, labels: {team: payment, '{{ request.object.data.key }}': 'yes'}, annotations: {by: '{{ request.object.metadata.uid }}'}, finalizers: [example.com/hold]}}",
        ),
      );
      await stage.apply(configMap("trigger", "{key: chosen}"));
      const uid = await stage.uid("ConfigMap %a/trigger");
      await stage.expect(
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%b', labels: {team: payment, chosen: 'yes', generate.kyverno.io/trigger-uid: ${uid}}, annotations: {by: ${uid}}, finalizers: [example.com/hold]}}`,
      );
      await stage.patch("ConfigMap %b/made", { metadata: { finalizers: null, annotations: { by: null } } });
      await stage.expect(
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: '%b', annotations: {by: ${uid}}, finalizers: [example.com/hold]}}`,
      );
      await stage.delete("ClusterPolicy %p");
      await stage.gone("ConfigMap %b/made");
      await stage.patch("ConfigMap %b/made", { metadata: { finalizers: null } });
    },
  ],
];
