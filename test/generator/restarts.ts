import type { TestContext } from "node:test";
import type { GeneratorPorts } from "../../src/generator/ports.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { Json } from "../../src/resources/object.ts";
import {
  isCreated,
  list,
  makeNamespace,
  openCluster,
  type RunningGenerator,
  startGenerator,
  waitFor,
  writeConfigMap,
} from "./running.ts";

const OPERATIONS = ["CREATE", "UPDATE", "DELETE"];
const [BEFORE, NOW] = ["{{ request.oldObject.data.x || '-' }}", "{{ request.object.data.x }}"];

/** Where the tests about restarts play. */
export interface World {
  client: KubeClient;
  source: string;
  target: string;
}

/** A cluster with the namespaces `source` and `target`. @param kubeconfig of another than the tests' own */
export async function openWorld(t: TestContext, kubeconfig?: string): Promise<World> {
  const client = await openCluster(t, kubeconfig);
  return { client, source: await makeNamespace(t, client, "source"), target: await makeNamespace(t, client, "target") };
}

/** A rule that tells each change of ConfigMaps `names` of `source` in a ConfigMap of its own. */
export function tellingRule(
  { source, target }: World,
  names: string[],
  prefix = "t",
  more: { [key: string]: Json } = {},
) {
  const data = { data: { change: `{{ request.operation }} ${BEFORE} ${NOW}` } };
  const name = `${prefix}-{{ to_lower(request.operation) }}-{{ request.object.metadata.name }}-{{ request.object.metadata.resourceVersion }}`;
  return {
    match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [source], names, operations: OPERATIONS } }] },
    generate: { apiVersion: "v1", kind: "ConfigMap", namespace: target, name, data, ...more },
  };
}

/** Starts a generator, and waits until it is ready. */
export async function startReady(
  t: TestContext,
  world: World,
  ports: Partial<GeneratorPorts> = {},
): Promise<RunningGenerator> {
  const generator = await startGenerator(t, world.client, { namespace: world.target, ports });
  await generator.logged(({ msg }) => msg === "generator is ready");
  return generator;
}

/** Waits for `count` targets whose names begin with `prefix`, and gives what they tell. */
export async function told({ client, target }: World, count: number, prefix = "t"): Promise<string[]> {
  const made = await waitFor(
    async () =>
      (await list(client, CONFIG_MAP, target)).filter(({ metadata }) => metadata.name?.startsWith(`${prefix}-`)),
    (found) => found.length >= count,
  );
  return made.map((object) => (object["data"] as { change: string }).change).sort();
}

/** Makes a change that the running generator tells, and thereby that all before it are told. */
export async function settle(world: World, generator: RunningGenerator, name: string): Promise<void> {
  const { metadata } = await writeConfigMap(world.client, { namespace: world.source, name }, { x: `${Math.random()}` });
  await generator.logged(
    ({ msg, target }) => isCreated({ msg }) && String(target).endsWith(`-${name}-${metadata.resourceVersion}`),
  );
}
