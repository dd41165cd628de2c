import assert from "node:assert/strict";
import test from "node:test";
import type { GeneratorPorts } from "../../src/generator/ports.ts";
import { watchResource } from "../../src/kube/watch-resource.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isPolicyReady,
  makeNamespace,
  openCluster,
  startGenerator,
  writeConfigMap,
} from "./running.ts";

const POLICIES = 50;

test("fifty policies that are applied one after the other list what each of them names, and never the whole cluster again", async (t) => {
  const client = await openCluster(t);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const lists: string[] = [];
  const counting: Parameters<typeof watchResource>[0] = {
    openWatch: client.openWatch.bind(client),
    listPages: (type, selection, signal) => {
      const { namespace = "*", fieldSelector = "*" } = selection ?? {};
      if (type.kind === "ConfigMap") lists.push(`${namespace} ${fieldSelector}`);
      return client.listPages(type, selection, signal);
    },
  };
  const watch: GeneratorPorts["watch"] = (type, options, handlers, signal) =>
    watchResource(counting, type, options, handlers, signal);
  const rule = (namespaces: string[], names: string[]) => ({
    match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces, names, operations: ["CREATE"] } }] },
    generate: { apiVersion: "v1", kind: "ConfigMap", namespace: target, name: "{{ request.name }}", data: {} },
  });
  await createPolicy(t, client, clusterPolicy(`${source}-wide`, [rule([`${source}*`], ["wide"])]));
  const generator = await startGenerator(t, client, { namespace: target, ports: { watch } });
  await generator.logged(isPolicyReady);
  const before = lists.length;
  const names = Array.from({ length: POLICIES }, (_, number) => `one-${number}`);
  for (const name of names) await createPolicy(t, client, clusterPolicy(`${source}-${name}`, [rule([source], [name])]));
  for (const name of names)
    await generator.logged((record) => isPolicyReady(record) && record["policy"] === `${source}-${name}`);
  const later = lists.slice(before);
  t.diagnostic(`${later.length} lists for ${POLICIES} policies`);
  assert.ok(later.length <= POLICIES, later.join("\n"));
  assert.deepEqual(
    later.filter((list) => !list.startsWith(source)),
    [],
  );
  for (const name of ["wide", ...names]) await writeConfigMap(client, { namespace: source, name }, {});
  for (const name of ["wide", ...names])
    await generator.logged((record) => isCreated(record) && record["target"] === `v1/ConfigMap/${target}/${name}`);
});
