import assert from "node:assert/strict";
import test from "node:test";
import type { KubeClient } from "../../src/kube/client.ts";
import { EVENT, NAMESPACE, type ResourceType } from "../../src/resources/kinds.ts";
import type { Json, KubeObject } from "../../src/resources/object.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  isReady,
  type LogRecord,
  list,
  makeNamespace,
  onEnd,
  openCluster,
  type RunningGenerator,
  startGenerator,
  writeConfigMap,
} from "./running.ts";

const CLUSTER_ROLE: ResourceType = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
};

interface Told extends KubeObject {
  type: string;
  reason: string;
  action: string;
  note: string;
  regarding: { kind: string; name: string; namespace?: string; uid?: string };
  related?: { kind: string; name: string };
}

/** Events of a success that concern `name`, as `regarding: type reason action note [related]`. */
async function eventsAbout(client: KubeClient, namespace: string, name: string): Promise<string[]> {
  const found = (await list(client, EVENT, namespace)) as Told[];
  return found
    .filter(({ regarding, reason }) => regarding.name === name && reason === "PolicyApplied")
    .map(({ regarding, related, type, action, note }) =>
      [`${regarding.kind}:`, type, action, note, ...(related === undefined ? [] : [related.kind, related.name])].join(
        " ",
      ),
    );
}

test("a created target is told of in Events, at the target and at its policy, where that is asked for", async (t) => {
  const client = await openCluster(t);
  const namespace = await makeNamespace(t, client, "told");
  const name = `policy-${namespace}`;
  const match = { any: [{ resources: { kinds: ["ConfigMap"], names: ["trigger-?"], namespaces: [namespace] } }] };
  const own = `${namespace}-{{ request.object.data.target }}`;
  const generate: Json[] = [
    { apiVersion: "v1", kind: "ConfigMap", namespace, name: own, data: {} },
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name: own, data: { rules: [] } },
    { apiVersion: "v1", kind: "Namespace", name: own, data: {} },
  ];
  const rules = generate.map((block) => ({ match, generate: block }));
  await createPolicy(t, client, clusterPolicy(name, rules));
  const play = async (generator: RunningGenerator, trigger: string, target: string) => {
    for (const type of [CLUSTER_ROLE, NAMESPACE])
      onEnd(t, async () => void (await client.delete(type, { namespace: "", name: `${namespace}-${target}` })));
    await generator.logged(isReady);
    await writeConfigMap(client, { namespace, name: trigger }, { target });
    await generator.logged(({ rule, ...record }) => isCreated(record as LogRecord) && rule === "rule-2");
    await generator.stop();
    return [
      ...(await eventsAbout(client, namespace, `${namespace}-${target}`)),
      ...(await eventsAbout(client, "default", `${namespace}-${target}`)).sort(),
      ...(await eventsAbout(client, "default", name)),
    ];
  };
  assert.deepEqual(await play(await startGenerator(t, client, { namespace }), "trigger-1", "a"), []);
  const events = await play(await startGenerator(t, client, { namespace, successEvents: true }), "trigger-2", "b");
  const words = (kind: string, rule: string) =>
    `${kind}: Normal None Created ${kind} ${namespace}-b as a result of applying policy ${name}/${rule}`;
  assert.deepEqual(events, [
    words("ConfigMap", "rule-0"),
    words("ClusterRole", "rule-1"),
    words("Namespace", "rule-2"),
    `ClusterPolicy: Normal Resource Generated resource generated ConfigMap ${namespace}-b`,
  ]);
});
