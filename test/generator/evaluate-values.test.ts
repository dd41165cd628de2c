import assert from "node:assert/strict";
import test from "node:test";
import { EVALUATE_VALUES } from "../../src/generator/parse-policy.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import {
  clusterPolicy,
  createPolicy,
  isReady,
  makeNamespace,
  openCluster,
  startGenerator,
  waitFor,
  writeConfigMap,
} from "./running.ts";

test("an expression in a source object runs where the policy opts in, and stays text where it does not", async (t) => {
  const client = await openCluster(t);
  const namespace = await makeNamespace(t, client, "values");
  const policyFor = (name: string, annotations: Record<string, string>) => {
    const resources = { kinds: ["ConfigMap"], namespaces: [namespace], names: ["source"], operations: ["CREATE"] };
    const data = { data: { said: "It is {{ request.object.data.text }}" } };
    const generate = { apiVersion: "v1", kind: "ConfigMap", namespace, name, data };
    const policy = clusterPolicy(`${namespace}-${name}`, [{ match: { any: [{ resources }] }, generate }]);
    return { ...policy, metadata: { ...policy.metadata, annotations } };
  };
  await createPolicy(t, client, policyFor("opted-in", { [EVALUATE_VALUES]: "true" }));
  await createPolicy(t, client, policyFor("as-it-is", {}));
  const generator = await startGenerator(t, client, { namespace });
  await generator.logged(isReady);
  const text = "made by {{ request.object.metadata.name }}";
  await writeConfigMap(client, { namespace, name: "source" }, { text });
  const said = async (name: string) => {
    const made = await waitFor(
      () => client.get(CONFIG_MAP, { namespace, name }),
      (found) => found !== undefined,
    );
    return made?.["data"];
  };
  assert.deepEqual(await said("opted-in"), { said: "It is made by source" });
  assert.deepEqual(await said("as-it-is"), { said: `It is ${text}` });
});
