import assert from "node:assert/strict";
import test from "node:test";
import { CreationLog, creationKey } from "../../src/generator/creation-log.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { change, configMap, policyOf } from "./objects.ts";

const policy = policyOf(
  "match: {any: [{resources: {kinds: [ConfigMap]}}]}\ngenerate: {apiVersion: v1, kind: Secret, name: t, namespace: b}",
);
const [rule = assert.fail()] = policy.rules;
const keyFor = (uid: string) =>
  creationKey({ policy, rule }, { apiVersion: "v1", kind: "Secret", namespace: "b", name: "t" }, uid);

/** What the rule made for the trigger `uid` at a version. */
function madeFor(uid: string, resourceVersion: string): KubeObject {
  const prefix = "generate.kyverno.io/";
  const origin = { "policy-name": policy.name, "policy-namespace": "", "rule-name": rule.name, "trigger-uid": uid };
  const labels = Object.fromEntries(Object.entries(origin).map(([name, value]) => [prefix + name, value]));
  labels["app.kubernetes.io/managed-by"] = "kyverno";
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: "b", name: "t", resourceVersion, labels } };
}

const changeAt = (changedAt: string) => ({ ...change("UPDATE", configMap("1", {})), changedAt });
const state = { reached: "100", followedTo: "50", open: new Set<string>() };

test("all that was made is known up to now, unless an attempt or a reading is under way", () => {
  const log = new CreationLog();
  assert.equal(log.capture(state).madeAfter, "100");
  const request = changeAt("90");
  log.attempt(request);
  assert.equal(log.capture(state).madeAfter, "90");
  const reading = log.begin("60");
  assert.equal(log.capture(state).madeAfter, "60");
  reading.upTo = "95";
  assert.equal(log.capture(state).madeAfter, "90");
  log.settle(request);
  log.end(reading);
  assert.equal(log.capture(state).madeAfter, "100");
  assert.equal(log.capture({ ...state, reached: "" }).madeAfter, "");
});

test("what was made is remembered as long as its change may come again", () => {
  const log = new CreationLog();
  log.resume([[keyFor("told"), "told", "40"]]);
  log.note(madeFor("found", "60"), false);
  log.note(madeFor("under-way", "70"), true);
  log.note(madeFor("done", "80"), true);
  const { made } = log.capture({ ...state, open: new Set(["under-way"]) });
  assert.deepEqual(made, [
    [keyFor("found"), "found", "60"],
    [keyFor("under-way"), "under-way", "70"],
  ]);
});

test("only what a generator before made after the change stands for it", () => {
  const log = new CreationLog();
  log.note(madeFor("found", "60"), false);
  log.note(madeFor("own", "60"), true);
  assert.deepEqual(
    [log.includes(keyFor("found"), "59"), log.includes(keyFor("found"), "61"), log.includes(keyFor("own"), "59")],
    [true, false, false],
  );
});

test("where more was made than a checkpoint can take, it is known up to less", () => {
  const log = new CreationLog();
  const open = new Set<string>();
  for (let version = 6_000; version > 0; version -= 1) {
    open.add(`uid-${version}`);
    log.note(madeFor(`uid-${version}`, String(version)), true);
  }
  const { madeAfter, made } = log.capture({ reached: "9000", followedTo: "0", open });
  assert.deepEqual([madeAfter, made.length, made[0]?.[2]], ["5000", 5_000, "1"]);
});
