import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { mayMatch, type PolicyRule } from "../../src/generator/reach.ts";
import type { Policy } from "../../src/generator/rule-model.ts";
import { TypeSource } from "../../src/generator/type-source.ts";
import { FakeHistory, TYPE, type Write } from "./fake-history.ts";
import { policyOf } from "./objects.ts";

const MATCHES = ["namespaces: [a]", "namespaces: [b]", "namespaces: [a, c]", "names: ['x*']", "names: ['?1']"];

const NAMESPACES = ["a", "b", "c"];

interface Told {
  policy: string;
  namespace: string;
  text: string;
}

/** A source over a history of which the test says who tells the next word. */
function openSource(t: TestContext) {
  const history = new FakeHistory();
  const told: Told[] = [];
  const source = new TypeSource({
    type: TYPE,
    watch: history.watch,
    onChange: async ({ rules, request: { operation, object, oldObject, changedAt }, finish }) => {
      const { namespace = "", name } = object.metadata;
      const text = `${changedAt} ${operation} ${name} ${oldObject?.metadata.resourceVersion ?? "-"}`;
      for (const { policy } of rules) told.push({ policy: policy.uid, namespace, text });
      finish(true);
    },
    onState: () => {},
  });
  t.after(() => source.stop());
  const toldTo = ({ uid }: Policy, namespace: string) =>
    told.filter((each) => each.policy === uid && each.namespace === namespace).map(({ text }) => text);
  /** Every watch tells all that it has to tell. */
  const settle = async () => {
    for (let isQuiet = false; !isQuiet; ) {
      await nextTurn();
      isQuiet = true;
      for (const watch of history.watches) if (!watch.isDone() && watch.step()) isQuiet = false;
    }
  };
  return { history, source, toldTo, settle };
}

function policyFor(filter: string, uid: string): Policy {
  return { ...policyOf(`match: {any: [{resources: {kinds: [ConfigMap], ${filter}}}]}`), name: uid, uid };
}

function rulesOf(policies: readonly Policy[]): PolicyRule[] {
  return policies.flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })));
}

/** What a policy is to be told of writes. */
function expected(policy: Policy, writes: readonly Write[]): string[] {
  return writes
    .filter(({ object }) => rulesOf([policy]).some((rule) => mayMatch(rule, TYPE, object)))
    .map(({ version, operation, object, before }) =>
      [version, operation, object.metadata.name, before?.metadata.resourceVersion ?? "-"].join(" "),
    );
}

/** The same sequence of numbers below 1 for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A policy that was followed, from when to when, and when it was first ready. */
interface Life {
  policy: Policy;
  from: number;
  readyAt?: number;
  until?: number;
}

/** Objects change, policies come and go, and the watches tell of it in an order that the seed decides. */
async function play(t: TestContext, seed: number): Promise<void> {
  const { history, source, toldTo, settle } = openSource(t);
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const lives: Life[] = [];
  const alive = () => lives.filter(({ until }) => until === undefined);
  const follow = () => source.follow(rulesOf(alive().map(({ policy }) => policy)));
  for (let turn = 0; turn < 150; turn += 1) {
    const dice = random();
    const watches = history.watches.filter((watch) => !watch.isDone());
    if (dice < 0.25) history.write(pick(NAMESPACES), pick(["x1", "x2", "y1"]), random() < 0.3);
    else if (dice < 0.3) {
      lives.push({ policy: policyFor(pick(MATCHES), `p${turn}`), from: history.version });
      follow();
    } else if (dice < 0.33 && alive().length > 1) {
      const life = pick(alive());
      life.until = history.version;
      follow();
    } else if (dice < 0.35 && watches.length > 0) pick(watches).fail(500);
    else if (watches.length > 0) pick(watches).step();
    await nextTurn();
    for (const life of alive()) if (source.missing(life.policy) === undefined) life.readyAt ??= history.version;
  }
  await settle();
  for (const life of lives)
    for (const namespace of NAMESPACES)
      assertTold(history, life, namespace, toldTo(life.policy, namespace), `seed ${seed}`);
  for (const { policy } of alive()) assert.equal(source.missing(policy), undefined);
}

/** A rule is told all that happened after some time, at the latest that when it was ready; nothing else, nothing twice. */
function assertTold({ writes }: FakeHistory, life: Life, namespace: string, told: string[], seed: string): void {
  const { policy, from, readyAt = Number.POSITIVE_INFINITY, until = Number.POSITIVE_INFINITY } = life;
  const isOurs = ({ version, object }: Write) => version <= until && object.metadata.namespace === namespace;
  const after = (start: number) =>
    expected(
      policy,
      writes.filter((write) => isOurs(write) && write.version > start),
    );
  const about = `${seed}: ${policy.name} in ${namespace} after ${from}, ready at ${readyAt}, until ${until}`;
  const all = after(from);
  const complete = told[0] === undefined ? [] : all.slice(all.indexOf(told[0]));
  assert.deepEqual(told, until === Number.POSITIVE_INFINITY ? complete : complete.slice(0, told.length), about);
  const promised = until === Number.POSITIVE_INFINITY ? after(readyAt) : [];
  assert.deepEqual(told.slice(told.length - promised.length), promised, about);
}

test("whatever order watches tell in, each rule is told what happened after its list, once and in order", async (t) => {
  for (let seed = 1; seed <= 100; seed += 1) await play(t, seed);
});

test("policies that come while lists are under way join the next ones, and the watch goes on", async (t) => {
  const { history, source, settle } = openSource(t);
  const policies = [policyFor("names: ['x*']", "first")];
  source.follow(rulesOf(policies));
  for (let number = 1; number <= 50; number += 1) {
    policies.push(policyFor(number % 2 === 0 ? "namespaces: [a]" : "names: ['y*']", `p${number}`));
    source.follow(rulesOf(policies));
    history.watches[0]?.step();
    await nextTurn();
  }
  await settle();
  assert.equal(source.missing(), undefined);
  assert.deepEqual(
    history.watches.map(({ lists, isDone }) => [lists, isDone() ? "ended" : "open"]),
    [
      [1, "open"],
      [1, "ended"],
      [1, "ended"],
    ],
  );
});

test("a watch of a wider scope begins where the narrow ones are, and lists nothing that they have told", async (t) => {
  const { history, source, toldTo, settle } = openSource(t);
  const narrow = policyFor("namespaces: [a]", "narrow");
  history.write("a", "x1", false);
  source.follow(rulesOf([narrow]));
  await settle();
  const wide = policyFor("names: ['x*']", "wide");
  source.follow(rulesOf([narrow, wide]));
  history.write("a", "x1", false);
  history.write("b", "x1", false);
  await settle();
  history.write("a", "x1", false);
  await settle();
  assert.deepEqual(toldTo(narrow, "a"), ["2 UPDATE x1 1", "4 UPDATE x1 2"]);
  assert.deepEqual(toldTo(wide, "a"), ["4 UPDATE x1 2"]);
  assert.deepEqual(toldTo(wide, "b"), []);
  const open = history.watches.filter(({ isDone }) => !isDone());
  assert.deepEqual(
    open.map(({ namespace, lists }) => [namespace, lists]),
    [["", 0]],
  );
});

test("a rule whose match is edited goes on with what it matched before", async (t) => {
  const { history, source, toldTo, settle } = openSource(t);
  const edited = policyFor("names: [x1]", "edited");
  for (const name of ["x1", "y1"]) history.write("a", name, false);
  source.follow(rulesOf([edited]));
  await settle();
  source.follow(rulesOf([{ ...policyFor("names: [x1, y1]", "edited") }]));
  for (const name of ["x1", "y1"]) history.write("a", name, false);
  await settle();
  assert.deepEqual(toldTo(edited, "a"), ["3 UPDATE x1 1"]);
  history.write("a", "y1", false);
  await settle();
  assert.deepEqual(toldTo(edited, "a"), ["3 UPDATE x1 1", "5 UPDATE y1 4"]);
});

test("where the API server has forgotten, what there is is compared with what was seen", async (t) => {
  const { history, source, toldTo, settle } = openSource(t);
  const policy = policyFor("names: ['x*', 'y*']", "p");
  for (const name of ["x1", "x2"]) history.write("a", name, false);
  source.follow(rulesOf([policy]));
  await settle();
  history.watches[0]?.fail(410);
  history.write("a", "x1", false);
  history.write("a", "x1", false);
  history.write("a", "x2", true);
  history.write("a", "y1", false);
  await settle();
  assert.deepEqual(toldTo(policy, "a").sort(), ["4 UPDATE x1 1", "6 CREATE y1 -", "6 DELETE x2 2"]);
});
