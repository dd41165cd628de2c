/**
 * What Kyverno's own suite asks of generate rules, case by case, in manifests of our own: each waits for the policy's one
 * condition, changes something, and looks at what the API server has then.
 */
import test, { type TestContext } from "node:test";
import { openCluster, startGenerator } from "../running.ts";
import { CLONE_CASES } from "./clone-cases.ts";
import { CORNER_CASES } from "./corner-cases.ts";
import { DATA_CASES } from "./data-cases.ts";
import { EVENT_CASES } from "./event-cases.ts";
import { EXISTING_CASES } from "./existing-cases.ts";
import { FOREACH_CASES } from "./foreach-cases.ts";
import { ORPHAN_CASES } from "./orphan-cases.ts";
import { OTHER_CASES } from "./other-cases.ts";
import { POLICY_CASES } from "./policy-cases.ts";
import { RULE_CHANGE_CASES } from "./rule-change-cases.ts";
import { SHARED_CASES } from "./shared-cases.ts";
import { Stage } from "./stage.ts";

test("conformance", { concurrency: 16 }, async (t) => {
  const client = await openCluster(t);
  const types = await client.discover();
  const id = `c${Date.now().toString(36)}`;
  await new Stage(t, client, types, id).apply("{apiVersion: v1, kind: Namespace, metadata: {name: '%failures'}}");
  const generator = await startGenerator(t, client, { namespace: `${id}-failures` });
  const play = ([title, act]: (typeof DATA_CASES)[number]) =>
    t.test(title, async (each: TestContext) => {
      played += 1;
      await act(new Stage(each, client, types, `${id}-${played}`));
    });
  let played = 0;
  const cases = [
    DATA_CASES,
    CLONE_CASES,
    EXISTING_CASES,
    EVENT_CASES,
    ORPHAN_CASES,
    POLICY_CASES,
    OTHER_CASES,
    CORNER_CASES,
    FOREACH_CASES,
    RULE_CHANGE_CASES,
    SHARED_CASES,
  ];
  await Promise.all(cases.flat().map(play));
  await generator.stop();
});
