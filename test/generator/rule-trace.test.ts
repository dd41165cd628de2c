import assert from "node:assert/strict";
import test from "node:test";
import { formatTextLine } from "../../src/observe/text-format.ts";
import type { ResourceType } from "../../src/resources/kinds.ts";
import {
  clusterPolicy,
  createPolicy,
  isPolicyReady,
  type LogRecord,
  makeNamespace,
  openCluster,
  startGenerator,
  writeConfigMap,
} from "./running.ts";

const SECRET: ResourceType = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
const traceOf = (record: LogRecord) => record["trace"] as string[];

test("at level debug each rule of the kind tells of a change what courier explain tells", async (t) => {
  const client = await openCluster(t);
  const [own, other] = [await makeNamespace(t, client, "own"), await makeNamespace(t, client, "other")];
  const rule = (namespace: string) => ({
    match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: [namespace], operations: ["UPDATE"] } }] },
    preconditions: {
      all: [
        { key: "{{ request.object.data.level }}", operator: "Equals", value: "{{ request.oldObject.data.level }}x" },
      ],
    },
    generate: {
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: own,
      name: "made",
      data: { data: { a: "{{ request.name }}" } },
    },
  });
  await createPolicy(t, client, clusterPolicy(own, [rule(own), rule(other), rule(own)]));
  await writeConfigMap(client, { namespace: own, name: "source" }, { level: "a" });
  const generator = await startGenerator(t, client, { namespace: own });
  await generator.logged(isPolicyReady);
  const traced = (name: string, wanted: string) =>
    generator.logged(({ msg, rule: of, operation }) => msg === wanted && of === name && operation === "UPDATE");

  await writeConfigMap(client, { namespace: own, name: "source" }, { level: "b" });
  const unmet = traceOf(await traced("rule-0", "rule matched, preconditions not met"));
  assert.deepEqual(unmet.slice(1, 3), ["  match", "    ✓ match.any[0]"]);
  assert.ok(unmet[3]?.includes('✓ operations  rule ["UPDATE"]'));
  assert.deepEqual(unmet.slice(-4), [
    "  preconditions",
    "    ✗ all[0]  Equals",
    '      key    "b"',
    '      value  "ax"',
  ]);
  const passed = await traced("rule-1", "rule not matched");
  assert.ok(traceOf(passed).some((line) => /✗ namespaces {2}rule \["other-[^"]+"\] +change "own-/.test(line)));
  assert.match(String(passed["because"]), /namespaces .* do not match/);

  await writeConfigMap(client, { namespace: own, name: "source" }, { level: "bx" });
  const built = traceOf(await traced("rule-2", "rule matched, target built"));
  assert.ok(built.includes(`  generates ConfigMap ${own}/made`));
  assert.ok(built.includes("      a: source"));
});

test("a change that every rule's namespaces leave out is traced where a wider watch sees it", async (t) => {
  const client = await openCluster(t);
  const namespaces = [];
  for (const name of ["one", "two", "three"]) namespaces.push(await makeNamespace(t, client, name));
  const [one = "", two = "", three = ""] = namespaces;
  const rule = (names: string[]) => ({
    match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: names } }] },
    generate: { apiVersion: "v1", kind: "ConfigMap", namespace: one, name: "made", data: {} },
  });
  await createPolicy(t, client, clusterPolicy(one, [rule([`${one}?`]), rule([two])])); // a wildcard: one watch over all
  const generator = await startGenerator(t, client, { namespace: one });
  await generator.logged(isPolicyReady);
  await writeConfigMap(client, { namespace: three, name: "source" }, {});
  for (const name of ["rule-0", "rule-1"]) {
    const { because } = await generator.logged(
      ({ msg, rule: of, trigger }) => msg === "rule not matched" && of === name && trigger === `${three}/source`,
    );
    assert.match(String(because), /namespaces .* do not match "three-/);
  }
});

test("nothing of a Secret stands in a trace", async (t) => {
  const client = await openCluster(t);
  const own = await makeNamespace(t, client, "own");
  await createPolicy(
    t,
    client,
    clusterPolicy(own, [
      {
        match: { any: [{ resources: { kinds: ["Secret"], namespaces: [own], annotations: { note: "*" } } }] },
        context: [{ name: "word", variable: { jmesPath: "request.object.data.word" } }],
        preconditions: { all: [{ key: "{{ word }}", operator: "NotEquals", value: "" }] },
        generate: {
          apiVersion: "v1",
          kind: "ConfigMap",
          namespace: own,
          name: "made",
          data: { data: { a: "{{ word }}" } },
        },
      },
    ]),
  );
  const generator = await startGenerator(t, client, { namespace: own });
  await generator.logged(isPolicyReady);
  const word = Buffer.from("hunter2").toString("base64");
  const metadata = { namespace: own, name: "key", annotations: { note: "hunter2" } };
  await client.create(SECRET, { apiVersion: "v1", kind: "Secret", metadata, data: { word } });
  const built = await generator.logged(({ msg }) => msg === "rule matched, target built");
  assert.ok(traceOf(built).some((line) => line.includes("may come from a Secret, is not logged")));
  assert.doesNotMatch(JSON.stringify(generator.records), new RegExp(`${word}|hunter2`));
});

test("in text, the lines of a trace stand below their record, and none of them can pass for a record", () => {
  const record = { level: "debug", ts: "T", msg: "rule not matched", rule: "r", trace: ["a", "  b\nT INFO forged"] };
  assert.equal(formatTextLine(record, "pairs"), "T DEBUG rule not matched rule=r\n    a\n      b T INFO forged\n");
});
