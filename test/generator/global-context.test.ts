import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { parse, stringify } from "yaml";
import { PolicyError } from "../../src/generator/errors.ts";
import { GlobalContext } from "../../src/generator/global-context.ts";
import { parseGlobalContextEntry } from "../../src/generator/global-context-entry.ts";
import { KindCatalog } from "../../src/generator/kind-catalog.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import { CONFIG_MAP, type ResourceType } from "../../src/resources/kinds.ts";
import type { Json, KubeObject } from "../../src/resources/object.ts";
import { courier } from "../author/command.ts";
import {
  clusterPolicy,
  createPolicy,
  isCreated,
  kubeconfigOf,
  makeNamespace,
  onEnd,
  openCluster,
  startGenerator,
  waitFor,
  withOwn,
  writeConfigMap,
} from "./running.ts";

const ENTRY: ResourceType = {
  group: "kyverno.io",
  version: "v2alpha1",
  kind: "GlobalContextEntry",
  plural: "globalcontextentries",
  namespaced: false,
};

function entryOf(name: string, spec: string): KubeObject {
  return { apiVersion: "kyverno.io/v2alpha1", kind: "GlobalContextEntry", metadata: { name }, spec: parse(spec) };
}

const MISTAKES: [spec: string, problem: RegExp][] = [
  ["{}", /^spec needs kubernetesResource or apiCall, and not both$/],
  ["{apiCall: {urlPath: /version}, kubernetesResource: {version: v1, resource: pods}}", /^spec needs .* not both$/],
  ["{kubernetesResource: {version: v1}}", /^spec\.kubernetesResource\.resource is missing$/],
  ["{kubernetesResource: {version: v1beta1, resource: pods}}", /^spec\.kubernetesResource\.group is missing/],
  ["{kubernetesResource: {version: v1, resource: pods/log}}", /resource is pods\/log: a subresource/],
  ["{kubernetesResource: {version: v1, resource: pods, selector: {}}}", /selector is not supported/],
  ["{apiCall: {service: {url: 'https://x'}}}", /^spec\.apiCall\.service is not supported: courier only GETs/],
  ["{apiCall: {urlPath: /version, method: POST}}", /^spec\.apiCall\.method is POST: only GET is supported$/],
  ["{apiCall: {urlPath: /version, data: []}}", /^spec\.apiCall\.data is not supported/],
  ["{apiCall: {method: GET}}", /^spec\.apiCall\.urlPath is missing$/],
  ["{apiCall: {urlPath: /version, refreshInterval: 10ms}}", /refreshInterval is "10ms" and must be at least 1s/],
  ["{apiCall: {urlPath: /version, retryLimit: 11}}", /retryLimit must be a number from 0 to 10$/],
  ["{apiCall: {urlPath: /version}, projections: [{name: e, jmesPath: a}]}", /projections\[0\]\.name is "e": it needs/],
  [
    "{apiCall: {urlPath: /version}, projections: [{name: p, jmesPath: 'a['}]}",
    /projections\[0\]\.jmesPath holds an exp/,
  ],
];

for (const [spec, problem] of MISTAKES)
  test(`a GlobalContextEntry ${spec} is refused`, () =>
    assert.throws(
      () => parseGlobalContextEntry(entryOf("e", spec)),
      (error) => error instanceof PolicyError && problem.test(error.message),
    ));

/** A namespace with a ConfigMap `shared` that says `at`, and what reads GlobalContextEntries there, by a clock of its own. */
async function openContext(t: TestContext) {
  const client = await openCluster(t);
  const namespace = await makeNamespace(t, client, "global");
  const write = (at: string) => writeConfigMap(client, { namespace, name: "shared" }, { at });
  await write("first");
  const asked: string[] = [];
  let refusals = 0;
  const cluster: Pick<KubeClient, "get" | "raw" | "listPages"> = {
    get: (type, key, signal) => {
      asked.push(`get ${type.plural}`);
      return client.get(type, key, signal);
    },
    raw: (path, signal) => {
      asked.push("call");
      if (refusals-- > 0) throw new KubeError({ code: 503, reason: "ServiceUnavailable", message: "busy" });
      return client.raw(path, signal);
    },
    listPages: (type, options, signal) => {
      asked.push(`list ${type.plural}`);
      return client.listPages(type, options, signal);
    },
  };
  const clock = { ms: 0 };
  const context = new GlobalContext(cluster, new KindCatalog(client, () => performance.now()), () => clock.ms);
  const read = async (name: string) => context.data(await context.entry(name));
  const create = async (name: string, spec: string) => {
    await client.create(ENTRY, entryOf(name, spec));
    onEnd(t, async () => void (await client.delete(ENTRY, { namespace: "", name })));
  };
  const refuse = (times: number) => {
    refusals = times;
  };
  return { client, namespace, write, asked, clock, read, create, refuse };
}

/** `data.at` of the ConfigMap `shared`, in a list or a call's answer. */
function stateIn(data: Json): string {
  const objects = (Array.isArray(data)
    ? data
    : ((data as { items: Json[] }).items as Json[])) as unknown as KubeObject[];
  const found = objects.find(({ metadata }) => metadata.name === "shared") as KubeObject & { data: { at: string } };
  return found.data.at;
}

test("a list is asked for once a second, a call once in its refreshInterval, a failure after a second again", async (t) => {
  const { namespace, write, asked, clock, read, create, refuse } = await openContext(t);
  const listed = `${namespace}-list`;
  const called = `${namespace}-call`;
  await assert.rejects(read(listed), /GlobalContextEntry ".*" does not exist/);
  await create(listed, `{kubernetesResource: {version: v1, resource: configmaps, namespace: ${namespace}}}`);
  await create(called, `{apiCall: {urlPath: /api/v1/namespaces/${namespace}/configmaps, refreshInterval: 30s}}`);
  await assert.rejects(read(listed), /does not exist/);
  clock.ms = 1_000;
  asked.length = 0;
  const both = async () => [stateIn(await read(listed)), stateIn(await read(called))];
  assert.deepEqual(await Promise.all([both(), both(), both()]), Array(3).fill(["first", "first"]));
  assert.deepEqual(asked.sort(), ["call", ...Array(2).fill("get globalcontextentries"), "list configmaps"]);
  await write("second");
  clock.ms = 1_999;
  assert.deepEqual(await both(), ["first", "first"]);
  clock.ms = 2_000;
  assert.deepEqual(await both(), ["second", "first"]);
  clock.ms = 30_999;
  assert.deepEqual(await both(), ["second", "first"]);
  refuse(1);
  clock.ms = 31_000;
  await assert.rejects(both(), /busy/);
  clock.ms = 32_000;
  assert.deepEqual(await both(), ["second", "second"]);
});

test("a call is tried again as often as its retryLimit says, and a list of more than 2 MiB is refused", async (t) => {
  const { client, namespace, asked, read, create, refuse } = await openContext(t);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  await create(`${namespace}-patient`, `{apiCall: {urlPath: ${path}, retryLimit: 2}}`);
  refuse(2);
  assert.equal(stateIn(await read(`${namespace}-patient`)), "first");
  assert.equal(asked.filter((each) => each === "call").length, 3);
  await create(
    `${namespace}-large`,
    `{kubernetesResource: {version: v1, resource: configmaps, namespace: ${namespace}}}`,
  );
  for (const name of ["shared", "one", "two"])
    await writeConfigMap(client, { namespace, name }, { at: "x".repeat(900_000) });
  await assert.rejects(read(`${namespace}-large`), /the list of configmaps is larger than 2097152 characters/);
});

test("rules read GlobalContextEntries when they match, a Policy only those about its own namespace", async (t) => {
  const client = await openCluster(t);
  const namespace = await makeNamespace(t, client, "readers");
  const other = await makeNamespace(t, client, "others");
  const create = async (name: string, spec: string) => {
    await client.create(ENTRY, entryOf(name, spec));
    onEnd(t, async () => void (await client.delete(ENTRY, { namespace: "", name })));
  };
  const list = (where: string) => `kubernetesResource: {version: v1, resource: configmaps${where}}`;
  const names = "projections: [{name: names, jmesPath: \"[?starts_with(metadata.name, 'team-')].metadata.name\"}]";
  await create(`${namespace}-own`, `{${list(`, namespace: ${namespace}`)}, ${names}}`);
  await create(`${namespace}-other`, `{${list(`, namespace: ${other}`)}, ${names}}`);
  await create(`${namespace}-all`, `{${list("")}, ${names}}`);
  await create(`${namespace}-path`, `{apiCall: {urlPath: /api/v1/namespaces/${other}}}`);
  await writeConfigMap(client, { namespace, name: "team-a" }, {});
  await writeConfigMap(client, { namespace: other, name: "team-b" }, {});

  const rule = (name: string, reference: object, more: object = {}) => ({
    name,
    match: { any: [{ resources: { kinds: ["ConfigMap"], names: ["trigger"], namespaces: [namespace] } }] },
    context: [{ name: "found", globalReference: reference as Json }],
    generate: { apiVersion: "v1", kind: "ConfigMap", namespace, name, data: { data: { found: "{{ found }}" } } },
    ...more,
  });
  const reads = (name: string, reference: string, jmesPath?: string) =>
    rule(name, { name: `${namespace}-${reference}`, ...(jmesPath === undefined ? {} : { jmesPath }) });
  const policy = clusterPolicy(`${namespace}-cluster`, [
    reads("projected", "own.names", "join(',', @)"),
    reads("elsewhere", "other", "[?metadata.name=='team-b'] | [0].metadata.namespace"),
    reads("called", "path", "metadata.name"),
    rule("variable", { name: `${namespace}-{{ request.object.data.entry }}.names`, jmesPath: "@[0]" }),
    reads("unknown", "own.absent"),
    reads("later", "later", "[0].kind"),
  ]);
  await createPolicy(t, client, policy);
  const inside = clusterPolicy(`${namespace}-inside`, [
    reads("inside-own", "own.names", "join(',', @)"),
    reads("inside-other", "other.names", "@[0]"),
    reads("inside-all", "all.names", "@[0]"),
    reads("inside-path", "path", "metadata.name"),
  ]);
  await createPolicy(t, client, { ...inside, kind: "Policy", metadata: { ...inside.metadata, namespace } });

  const asked: string[] = [];
  const get: KubeClient["get"] = (type, key, signal) => {
    if (type.plural === ENTRY.plural && key.name.startsWith(namespace)) asked.push(key.name);
    return client.get(type, key, signal);
  };
  const cluster = withOwn(client, { get });
  const generator = await startGenerator(t, client, { namespace, ports: { cluster } });
  const conditions = async (name: string) =>
    (await generator.logged(
      ({ msg, policy: which, ready }) =>
        msg === "policy status written" && ready === true && String(which).endsWith(name),
    )) !== undefined;
  await Promise.all([conditions("-cluster"), conditions("-inside")]);
  await writeConfigMap(client, { namespace, name: "unmatched" }, {});
  await writeConfigMap(client, { namespace, name: "unmatched" }, { changed: "yes" });
  assert.deepEqual(asked, [], "a change that no rule matches asks for no entry");

  await writeConfigMap(client, { namespace, name: "trigger" }, { entry: "own" });
  const made = (name: string) =>
    waitFor(
      async () => (await client.get(CONFIG_MAP, { namespace, name })) as { data?: { found: string } } | undefined,
      (found) => found !== undefined,
    ).then((found) => found?.data?.found);
  assert.equal(await made("projected"), "team-a");
  assert.equal(await made("elsewhere"), other);
  assert.equal(await made("called"), other);
  assert.equal(await made("variable"), "team-a");
  assert.equal(await made("inside-own"), "team-a");
  const failed = async (name: string) =>
    String((await generator.logged(({ rule: which, error }) => which === name && error !== undefined))["error"]);
  assert.match(
    await failed("unknown"),
    /globalReference\.name is ".*-own\.absent": GlobalContextEntry ".*-own" has no projection "absent"/,
  );
  for (const name of ["inside-other", "inside-all"])
    assert.match(await failed(name), new RegExp(`is not about "${namespace}" alone: a Policy reads only in its own`));
  assert.match(await failed("inside-path"), new RegExp(`a Policy calls only paths below /namespaces/${namespace}/`));
  assert.match(await failed("later"), /context\[0\]\.globalReference: GlobalContextEntry ".*-later" does not exist/);

  await create(`${namespace}-later`, `{${list(`, namespace: ${other}`)}, ${names}}`);
  await generator.logged(
    ({ msg, target, ...record }) => isCreated({ msg, ...record }) && String(target).endsWith("/later"),
  );
  assert.equal((await client.get(CONFIG_MAP, { namespace, name: "inside-other" }))?.metadata.name, undefined);
});

test("explain shows what a GlobalContextEntry gives, for a change in files and for one of the cluster", async (t) => {
  const kubeconfig = await kubeconfigOf(t);
  const client = await openCluster(t, kubeconfig);
  const namespace = await makeNamespace(t, client, "explained");
  const cwd = await mkdtemp(join(tmpdir(), "courier-global-"));
  onEnd(t, () => rm(cwd, { recursive: true }));
  const name = `${namespace}-maps`;
  await client.create(
    ENTRY,
    entryOf(name, `{kubernetesResource: {version: v1, resource: configmaps, namespace: ${namespace}}}`),
  );
  onEnd(t, async () => void (await client.delete(ENTRY, { namespace: "", name })));
  const object = await writeConfigMap(client, { namespace, name: "trigger" }, { at: "first" });
  const policy = clusterPolicy(namespace, [
    {
      match: { any: [{ resources: { kinds: ["ConfigMap"] } }] },
      context: [{ name: "found", globalReference: { name, jmesPath: "[].metadata.name" } }],
      generate: { apiVersion: "v1", kind: "ConfigMap", namespace, name: "x", data: { data: { a: "{{ found[0] }}" } } },
    },
  ]);
  await writeFile(join(cwd, "policy.yaml"), stringify(policy));
  await writeFile(join(cwd, "new.yaml"), stringify(object));
  for (const side of [
    ["--new", "new.yaml"],
    ["--object", `${namespace}/trigger`, "--operation", "CREATE"],
  ]) {
    const { code, stdout, stderr } = await courier(
      ["explain", "-f", "policy.yaml", "--kubeconfig", kubeconfig, ...side],
      { cwd },
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /found = \[.*"trigger".*\]/);
  }
});
