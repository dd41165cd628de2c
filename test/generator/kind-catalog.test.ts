import assert from "node:assert/strict";
import test from "node:test";
import { KindCatalog } from "../../src/generator/kind-catalog.ts";
import { CONFIG_MAP, SECRET } from "../../src/resources/kinds.ts";
import { policyOf } from "./objects.ts";

/** What a rule generates, the kinds it stands for in a cluster of ConfigMaps and Secrets, and whether one is missing. */
const GENERATED: [string, string[], boolean][] = [
  ["apiVersion: v1, kind: ConfigMap, name: a, data: {}", ["ConfigMap"], false],
  ["apiVersion: v1, kind: ConfigMap, name: a, data: {kind: Secret}", ["Secret"], false],
  ["apiVersion: a/v1, kind: Thing, name: a, clone: {name: b}", [], true],
  ["cloneList: {kinds: [v1/Secret, ConfigMap, v1/Secret]}", ["Secret", "ConfigMap"], false],
  ["cloneList: {kinds: [v1/Secret, a/v1/Thing]}", ["Secret"], true],
];

for (const [generate, kinds, isMissing] of GENERATED) {
  test(`{${generate}} generates ${kinds.join(", ") || "nothing that is served"}`, async () => {
    const served = { preferred: true, verbs: ["list", "watch"], hasStatus: false };
    const types = [CONFIG_MAP, SECRET].map((type) => ({ ...type, ...served }));
    const catalog = new KindCatalog({ discover: () => Promise.resolve(types) }, () => 0);
    await catalog.refresh(AbortSignal.timeout(1_000));
    const [rule] = policyOf(`generate: {${generate}}`).rules;
    assert.ok(rule);
    assert.deepEqual(
      catalog.targetTypes(rule).map(({ kind }) => kind),
      kinds,
    );
    assert.equal(
      rule.generate.some((block) => catalog.lacksTargets(block)),
      isMissing,
    );
  });
}
