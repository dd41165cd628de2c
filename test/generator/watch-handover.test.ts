import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { ServedType, SourceEvent, WatchSource } from "../../src/generator/ports.ts";
import { TypeSource } from "../../src/generator/type-source.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import { configMap, policyOf } from "./objects.ts";

const TYPE: ServedType = { ...CONFIG_MAP, preferred: true, verbs: ["list", "watch"], hasStatus: false };

function rulesOf(...names: string[]) {
  return names.flatMap((name) => {
    const policy = { ...policyOf(`match: {any: [{resources: {kinds: [ConfigMap], names: ['${name}*']}}]}`), name };
    return policy.rules.map((rule) => ({ policy, rule }));
  });
}

/** A source whose watches say what the test tells them to. */
function scripted(t: TestContext) {
  const watches: ((event: SourceEvent) => Promise<void>)[] = [];
  const changes: string[] = [];
  const watch: WatchSource = async (_type, _options, handlers) => {
    watches.push(async (event) => void (await handlers.onEvent(event)));
  };
  const source = new TypeSource({
    type: TYPE,
    watch,
    onChange: async ({ request, finish }) => {
      changes.push(`${request.operation} ${request.object.metadata.name}`);
      finish(true);
    },
    onState: () => {},
  });
  t.after(() => source.stop());
  const say = async (index: number, event: SourceEvent) => await watches[index]?.(event);
  return { source, changes, say };
}

function named(name: string, resourceVersion: string) {
  return configMap(resourceVersion, {}, { name, uid: name });
}

const SYNCED: SourceEvent = { type: "Synced", resourceVersion: "1" };

test("what is created while another policy comes is new, though the list of the new watch names it first", async (t) => {
  const { source, changes, say } = scripted(t);
  source.follow(rulesOf("a"));
  await say(0, { type: "Listed", object: named("a-before", "1") });
  await say(0, SYNCED);
  source.follow(rulesOf("a", "b"));
  await say(1, { type: "Listed", object: named("a-before", "1") });
  await say(1, { type: "Listed", object: named("a-new", "5") });
  await say(1, { type: "Listed", object: named("b-before", "2") });
  await say(0, { type: "Added", object: named("a-new", "5") });
  await say(1, SYNCED);
  assert.deepEqual(changes, ["CREATE a-new"]);
});

test("a policy that went and came back takes what there is for known", async (t) => {
  const { source, changes, say } = scripted(t);
  source.follow(rulesOf("a", "b"));
  await say(0, { type: "Listed", object: named("a-before", "1") });
  await say(0, SYNCED);
  source.follow(rulesOf("b"));
  source.follow(rulesOf("a", "b"));
  await say(2, { type: "Listed", object: named("a-before", "1") });
  await say(2, SYNCED);
  assert.deepEqual(changes, []);
});

test("what came and went before the list of the new watch is told by the old one, which may be behind", async (t) => {
  const { source, changes, say } = scripted(t);
  source.follow(rulesOf("a"));
  await say(0, SYNCED);
  source.follow(rulesOf("a", "b"));
  await say(1, { type: "Synced", resourceVersion: "7" });
  await say(0, { type: "Added", object: named("a-short", "5") });
  await say(0, { type: "Deleted", object: named("a-short", "6") });
  assert.deepEqual(changes, ["CREATE a-short", "DELETE a-short"]);
});

test("what the old watch tells of is not gone because an older list of the new one does not name it", async (t) => {
  const { source, changes, say } = scripted(t);
  source.follow(rulesOf("a"));
  await say(0, SYNCED);
  source.follow(rulesOf("a", "b"));
  await say(0, { type: "Added", object: named("a-new", "9") });
  await say(1, { type: "Synced", resourceVersion: "7" });
  assert.deepEqual(changes, ["CREATE a-new"]);
  assert.equal(source.latest("a-new")?.metadata.resourceVersion, "9");
});

test("what the old watch tells of late was there before the policy that wants it", async (t) => {
  const { source, changes, say } = scripted(t);
  source.follow(rulesOf("a"));
  await say(0, SYNCED);
  source.follow(rulesOf("a", "b"));
  await say(0, { type: "Added", object: named("b-before", "5") });
  await say(0, { type: "Added", object: named("a-new", "6") });
  for (const [name, at] of [
    ["b-before", "5"],
    ["a-new", "6"],
  ] as const)
    await say(1, { type: "Listed", object: named(name, at) });
  await say(1, { type: "Synced", resourceVersion: "7" });
  assert.deepEqual(changes, ["CREATE a-new"]);
});
