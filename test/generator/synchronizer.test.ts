import assert from "node:assert/strict";
import test from "node:test";
import { KindCatalog } from "../../src/generator/kind-catalog.ts";
import { OwnWrites } from "../../src/generator/own-writes.ts";
import type { ServedType, SourceEvent, WatchSource } from "../../src/generator/ports.ts";
import { Synchronizer } from "../../src/generator/synchronizer.ts";
import { TargetStore } from "../../src/generator/target-store.ts";
import { TargetWriter } from "../../src/generator/target-writer.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { SECRET } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { policyOf } from "./objects.ts";

const TYPE: ServedType = { ...SECRET, preferred: true, verbs: ["list", "watch"], hasStatus: false };
const SIGNAL = new AbortController().signal;

function copying(name: string) {
  const rule = `
match: {any: [{resources: {kinds: [ConfigMap]}}]}
generate: {synchronize: true, apiVersion: v1, kind: Secret, name: copy, namespace: b, clone: {name: source, namespace: a}}`;
  return { ...policyOf(rule), name };
}

function secret(name: string, namespace: string, resourceVersion: string, labels: Record<string, string>): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, uid: name, resourceVersion, labels } };
}

function copy(resourceVersion: string, labels: Record<string, string> = {}): KubeObject {
  const origin = { "policy-name": "p", "policy-namespace": "", "rule-name": "r", "trigger-uid": "trigger" };
  const named = Object.entries({ ...origin, "source-uid": "source" });
  return secret("copy", "b", resourceVersion, {
    "app.kubernetes.io/managed-by": "kyverno",
    ...Object.fromEntries(named.map(([key, value]) => [`generate.kyverno.io/${key}`, value])),
    ...labels,
  });
}

const source = (resourceVersion: string) =>
  secret("source", "a", resourceVersion, { "generate.kyverno.io/clone-source": "" });

/** A synchronizer whose watches say what the test tells them to. */
async function scripted() {
  const watches: { namespace: string; tell: (event: SourceEvent) => Promise<void> }[] = [];
  const reruns: string[] = [];
  const watch: WatchSource = async (_type, { namespace = "" }, handlers) => {
    watches.push({ namespace, tell: async (event) => void (await handlers.onEvent(event)) });
  };
  const ownWrites: OwnWrites = new OwnWrites((object) => synchronizer.noteWritten(object));
  const nowhere = new Proxy({}, { get: (_, name) => assert.fail(`nothing is asked of ${String(name)}`) }) as never;
  const catalog = new KindCatalog({ discover: async () => [TYPE] }, () => 0);
  await catalog.refresh(SIGNAL);
  const logger = createLogger({ format: "json", level: "error", destination: { write: (line) => assert.fail(line) } });
  const store = new TargetStore({ cluster: nowhere, catalog, ownWrites, creations: nowhere });
  const synchronizer = new Synchronizer(
    {
      cluster: nowhere,
      watch,
      catalog,
      ownWrites,
      writer: new TargetWriter({
        store,
        past: nowhere,
        creations: nowhere,
        inDoubt: nowhere,
        retries: nowhere,
        onWritten: () => {},
        logger,
      }),
      logger,
      rerun: async ({ policy, rule }, uid) => void reruns.push(`${policy.name}/${rule.name} for ${uid}`),
      onState: () => {},
      onSeen: () => {},
    },
    SIGNAL,
  );
  const follow = (...names: string[]) => synchronizer.follow(names.map(copying), () => true);
  /** The newest watch of the namespace tells of these, in order. */
  const tell = async (namespace: string, ...events: SourceEvent[]) => {
    for (const event of events) await watches.findLast((each) => each.namespace === namespace)?.tell(event);
  };
  const write = (object: KubeObject) => ownWrites.during("Secret", object, async () => object);
  return { follow, tell, write, reruns };
}

const synced = (resourceVersion: string): SourceEvent => ({ type: "Synced", resourceVersion });

test("a clone source that changed before its watch saw it is copied again", async () => {
  const { follow, tell, write, reruns } = await scripted();
  follow("p");
  await tell("b", synced("1"));
  await tell("a", synced("1"));
  await write(copy("5"));
  await tell("a", { type: "Added", object: source("6") });
  assert.deepEqual(reruns, ["p/r for trigger"]);
});

test("a target that was made and deleted while watches change comes back", async () => {
  const { follow, tell, write, reruns } = await scripted();
  follow("p");
  await tell("b", synced("1"));
  await write(copy("5"));
  follow("p", "q");
  await tell("b", synced("8"));
  assert.deepEqual(reruns, ["p/r for trigger"]);
});

test("a target that lost its rule's label while watches change is restored", async () => {
  const { follow, tell, write, reruns } = await scripted();
  follow("p");
  await tell("b", synced("1"));
  await write(copy("5"));
  follow("p", "q");
  const changed = copy("7", { "generate.kyverno.io/rule-name": "", "generate.kyverno.io/trigger-uid": "" });
  await tell("b", { type: "Listed", object: changed }, synced("8"));
  assert.deepEqual(reruns, ["p/r for trigger"]);
});

test("a target made after the list of a new watch is not missing from it", async () => {
  const { follow, tell, write, reruns } = await scripted();
  follow("p");
  await tell("b", synced("1"));
  follow("p", "q");
  await write(copy("9"));
  await tell("b", synced("8"), { type: "Added", object: copy("9") });
  assert.deepEqual(reruns, []);
});

test("a target that bears its labels again is followed again", async () => {
  const { follow, tell, write, reruns } = await scripted();
  follow("p");
  await tell("b", synced("1"));
  await write(copy("5"));
  await tell("b", { type: "Deleted", object: copy("6") });
  await write(copy("7"));
  await tell("b", { type: "Added", object: copy("7") }, { type: "Modified", object: copy("8") });
  assert.deepEqual(reruns, ["p/r for trigger", "p/r for trigger"]);
});
