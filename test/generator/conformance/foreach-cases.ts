import { type Case, NAMESPACES } from "./data-cases.ts";
import { configMap, policy } from "./manifests.ts";
import type { Stage } from "./stage.ts";

function rule(entries: string, more = ""): string {
  return `
    - name: each
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: ['%a'], names: [trigger]}}]}
      generate:
        ${more}
        foreach:${entries}`;
}

const DATA = `
          - list: split(request.object.data.names, ',')
            apiVersion: v1
            kind: ConfigMap
            name: 'of-{{ element }}'
            namespace: '%b'
            data: {data: {v: '{{ request.object.data.v }}', index: '{{ to_string(elementIndex) }}'}}`;
const SYNC = "synchronize: true";

const target = (name: string, v: string) =>
  `{apiVersion: v1, kind: ConfigMap, metadata: {name: of-${name}, namespace: '%b'}, data: {v: ${v}}}`;

async function start(stage: Stage, rules: string, trigger: string): Promise<void> {
  await stage.apply(NAMESPACES);
  await stage.apply(policy(rules));
  await stage.ready();
  await stage.apply(configMap("trigger", trigger));
}

function source(name: string, labels: string, value = "b25l"): string {
  return `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%a', labels: ${labels}}, data: {key: ${value}}}`;
}

function copy(name: string, namespace: string, value: string): string {
  return `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: '%${namespace}'}, data: {key: ${value}}}`;
}

/** Rules with `foreach`. */
export const FOREACH_CASES: readonly Case[] = [
  [
    "foreach, synchronized: targets follow the trigger, an element that left the list leaves its target",
    async (stage) => {
      await start(stage, rule(DATA, SYNC), "{names: 'x,y', v: one}");
      for (const name of ["x", "y"]) await stage.expect(target(name, "one"));
      await stage.apply(configMap("trigger", "{names: 'y,z', v: two}"));
      for (const name of ["y", "z"]) await stage.expect(target(name, "two"));
      await stage.expect(target("x", "one"));
      await stage.patch("ConfigMap %b/of-z", { data: { v: "mine" } });
      await stage.expect(target("z", "two"));
      await stage.delete("ClusterPolicy %p");
      for (const name of ["x", "y", "z"]) await stage.gone(`ConfigMap %b/of-${name}`);
    },
  ],
  [
    "foreach, once: a changed trigger makes what is new, and changes nothing that is there",
    async (stage) => {
      await start(stage, rule(DATA), "{names: 'x', v: one}");
      await stage.expect(target("x", "one"));
      await stage.apply(configMap("trigger", "{names: 'x,y', v: two}"));
      await stage.expect(target("y", "two"));
      await stage.expect(target("x", "one"));
    },
  ],
  [
    "foreach, synchronized: a changed rule is written to what it made",
    async (stage) => {
      await start(stage, rule(DATA, SYNC), "{names: 'x,y', v: one}");
      for (const name of ["x", "y"]) await stage.expect(target(name, "one"));
      await stage.apply(policy(rule(DATA.replace("{{ request.object.data.v }}", "new"), SYNC)));
      for (const name of ["x", "y"]) await stage.expect(target(name, "new"));
    },
  ],
  [
    "foreach: targets of what exists, in namespaces that an element names",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply(configMap("trigger", "{v: one}"));
      const entries = `
          - list: "['%a', '%b']"
            apiVersion: v1
            kind: ConfigMap
            name: of-existing
            namespace: '{{ element }}'
            data: {data: {v: '{{ request.object.data.v }}'}}`;
      await stage.apply(policy(rule(entries, "generateExisting: true")));
      await stage.ready();
      await stage.expect(target("existing", "one"));
      await stage.expect(target("existing", "one").replace("%b", "%a"));
    },
  ],
  [
    "foreach, cloneList, synchronized: copies in each namespace follow their sources and go with the trigger",
    async (stage) => {
      await stage.apply(NAMESPACES);
      await stage.apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%c'}}");
      await stage.apply(source("one", "{copy: it}"));
      await stage.apply(source("two", "{copy: it}"));
      const entries = `
          - list: "['%b', '%c']"
            namespace: '{{ element }}'
            cloneList: {namespace: '%a', kinds: [v1/Secret], selector: {matchLabels: {copy: it}}}`;
      await start(stage, rule(entries, SYNC), "{}");
      for (const namespace of ["b", "c"])
        for (const name of ["one", "two"]) await stage.expect(copy(name, namespace, "b25l"));
      await stage.patch("Secret %a/one", { data: { key: "dHdv" } });
      for (const namespace of ["b", "c"]) await stage.expect(copy("one", namespace, "dHdv"));
      await stage.delete("Secret %a/two");
      for (const namespace of ["b", "c"]) await stage.gone(`Secret %${namespace}/two`);
      await stage.delete("ConfigMap %a/trigger");
      for (const namespace of ["b", "c"]) await stage.gone(`Secret %${namespace}/one`);
    },
  ],
  [
    "foreach: an entry whose list cannot be read leaves the others, and a single value is a list of one",
    async (stage) => {
      const entries = `
          - {list: request.object.data.absent, apiVersion: v1, kind: ConfigMap, name: of-absent, namespace: '%b', data: {}}
          - {list: request.object.data, apiVersion: v1, kind: ConfigMap, name: 'of-{{ element.v }}', namespace: '%b', data: {data: {v: '{{ element.v }}'}}}`;
      await start(stage, rule(entries), "{v: one}");
      await stage.expect(target("one", "one"));
      await stage.absent("ConfigMap %b/of-absent");
    },
  ],
];
