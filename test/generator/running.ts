import { EventEmitter } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { loadPolicyFiles } from "../../src/generator/policy-files.ts";
import { CLUSTER_POLICY, POLICY } from "../../src/generator/policy-status.ts";
import type { GeneratorPorts } from "../../src/generator/ports.ts";
import { runGenerator } from "../../src/generator/run-generator.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { readHistory } from "../../src/kube/read-history.ts";
import { recordEvent } from "../../src/kube/record-event.ts";
import { watchResource } from "../../src/kube/watch-resource.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { apiVersionOf, CONFIG_MAP, NAMESPACE, type ResourceType } from "../../src/resources/kinds.ts";
import type { Json, KubeObject, ObjectKey } from "../../src/resources/object.ts";
import {
  DEFAULT_RESOURCE_FILTERS,
  parseResourceFilters,
  type ResourceFilterEntry,
} from "../../src/resources/resource-filter.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";

export type LogRecord = Record<string, unknown> & { msg: string };

const MANIFESTS = ["../../deploy/crds/", "../../deploy/generator/crds/"];
const INSTALLED = [
  ["kyverno.io/v1", "ClusterPolicy"],
  ["kyverno.io/v1", "Policy"],
  ["kyverno.io/v2", "UpdateRequest"],
  ["kyverno.io/v2", "GlobalContextEntry"],
  ["aitextensions.alauda.io/v1beta1", "NotificationMessage"],
] as const;
const KYVERNO_FILTERS = parseResourceFilters(DEFAULT_RESOURCE_FILTERS);
const WAIT_MS = 15_000;
const PAUSE_MS = 100;
/** The Secret in which the generators of these tests keep what they saw. */
export const CHECKPOINT = "courier-generator-checkpoint";

/** Cleans up last in, first out: what a cleaning needs was opened before. */
const cleanings = new WeakMap<TestContext, (() => Promise<void>)[]>();

/** Runs `clean` when the test ends, before what was registered earlier. */
export function onEnd(t: TestContext, clean: () => Promise<void>): void {
  const known = cleanings.get(t);
  if (known !== undefined) {
    known.push(clean);
    return;
  }
  const cleaning = [clean];
  cleanings.set(t, cleaning);
  t.after(async () => {
    const errors: unknown[] = [];
    for (const next of cleaning.reverse()) await next().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0]; // the rest is cleaned first, or the test would never end
  });
}

/** The cluster that COURIER_TEST_KUBECONFIG names, or a sandbox API server of this test's own, with courier's CRDs. */
export async function openCluster(t: TestContext, path?: string): Promise<KubeClient> {
  const client = await connect({ kubeconfig: path ?? (await kubeconfigOf(t)) });
  onEnd(t, () => client.close());
  for (const directory of MANIFESTS) await applyAll(client, new URL(directory, import.meta.url));
  for (const [apiVersion, kind] of INSTALLED) await served(client, apiVersion, kind);
  return client;
}

/** The path of a kubeconfig for {@link openCluster} and other processes. */
export async function kubeconfigOf(t: TestContext): Promise<string> {
  return process.env["COURIER_TEST_KUBECONFIG"] ?? (await sandboxKubeconfig(t));
}

/** Starts a sandbox API server for this test, without anything in it, and gives the path of its kubeconfig. */
export async function sandboxKubeconfig(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "courier-generator-"));
  const server = await startApiServer();
  onEnd(t, async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });
  const path = join(directory, "kubeconfig");
  await server.writeKubeconfig(path);
  return path;
}

async function applyAll(client: KubeClient, directory: URL): Promise<void> {
  const types = await client.discover();
  for (const name of (await readdir(directory)).filter((file) => file !== "kustomization.yaml")) {
    for (const document of parseAllDocuments(await readFile(new URL(name, directory), "utf8"))) {
      const object = document.toJS() as KubeObject;
      const type = types.find(({ kind, ...gvk }) => kind === object.kind && apiVersionOf(gvk) === object.apiVersion);
      if (type === undefined) throw new Error(`${object.kind} is not served`);
      await client.apply(type, object, { fieldManager: "courier-test", force: true });
    }
  }
}

/** The type of a kind, as soon as the cluster serves it. */
async function served(client: KubeClient, apiVersion: string, kind: string) {
  const deadline = Date.now() + WAIT_MS;
  while (Date.now() < deadline) {
    const found = (await client.discover()).find((type) => type.kind === kind && apiVersionOf(type) === apiVersion);
    if (found !== undefined) return found;
  }
  throw new Error(`${apiVersion} ${kind} is not served after ${WAIT_MS} ms`);
}

/** Makes a namespace that goes with the test. */
export async function makeNamespace(t: TestContext, client: KubeClient, name: string, labels = {}): Promise<string> {
  const unique = `${name}-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: unique, labels } });
  onEnd(t, async () => void (await client.delete(NAMESPACE, { namespace: "", name: unique })));
  return unique;
}

/** Creates or patches a ConfigMap. */
export async function writeConfigMap(client: KubeClient, key: ObjectKey, data: object, metadata: object = {}) {
  const found = await client.get(CONFIG_MAP, key);
  if (found !== undefined) return client.mergePatch(CONFIG_MAP, key, { data, metadata });
  return client.create(CONFIG_MAP, { apiVersion: "v1", kind: "ConfigMap", metadata: { ...key, ...metadata }, data });
}

/** A running generator whose log can be waited for. */
export interface RunningGenerator {
  records: LogRecord[];
  /** The first record, old or new, that `wanted` accepts. */
  logged(wanted: (record: LogRecord) => boolean): Promise<LogRecord>;
  stop(): Promise<void>;
}

export interface StartOptions {
  namespace: string;
  files?: string[];
  fromCluster?: boolean;
  ports?: Partial<GeneratorPorts>;
  existingEveryMs?: number;
  resourceFilters?: ResourceFilterEntry[];
  successEvents?: boolean;
}

/** Starts a generator on `client`; it stops with the test. */
export async function startGenerator(
  t: TestContext,
  client: KubeClient,
  options: StartOptions,
): Promise<RunningGenerator> {
  const records: LogRecord[] = [];
  const news = new EventEmitter();
  const destination = {
    write(line: string) {
      records.push(JSON.parse(line) as LogRecord);
      news.emit("record", records.at(-1));
    },
  };
  const logger = createLogger({ format: "json", level: "debug", destination });
  const abort = new AbortController();
  const { namespace, fromCluster = true, existingEveryMs, successEvents = false } = options;
  const more = existingEveryMs === undefined ? {} : { existingEveryMs };
  const done = runGenerator(
    {
      files: await loadPolicyFiles(options.files ?? []),
      fromCluster,
      namespace,
      resourceFilters: options.resourceFilters ?? KYVERNO_FILTERS,
      checkpoint: { namespace, name: CHECKPOINT },
      successEvents,
      ...more,
    },
    { ...portsOf(client), ...options.ports },
    logger,
    abort.signal,
  );
  const stop = async () => {
    abort.abort();
    await done;
  };
  onEnd(t, stop);
  return { records, logged: (wanted) => waitForRecord(records, news, wanted), stop };
}

function waitForRecord(records: LogRecord[], news: EventEmitter, wanted: (record: LogRecord) => boolean) {
  const found = records.find(wanted);
  if (found !== undefined) return Promise.resolve(found);
  return new Promise<LogRecord>((resolve, reject) => {
    const onRecord = (record: LogRecord) => {
      if (!wanted(record)) return;
      clearTimeout(timer);
      news.off("record", onRecord);
      resolve(record);
    };
    const timer = setTimeout(
      () => reject(new Error(`not logged in ${WAIT_MS} ms: ${JSON.stringify(records.slice(-5), null, 1)}`)),
      WAIT_MS,
    );
    news.on("record", onRecord);
  });
}

/** The client, but for how it creates. */
export function withCreate(client: KubeClient, create: KubeClient["create"]): KubeClient {
  return withOwn(client, { create });
}

/** The client, but for these methods. */
export function withOwn(client: KubeClient, own: Partial<KubeClient>): KubeClient {
  return new Proxy(client, {
    get(target, property) {
      if (Object.hasOwn(own, property)) return own[property as keyof KubeClient];
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The generator's ports on a real client, as the application joins them. */
export function portsOf(client: KubeClient): GeneratorPorts {
  return {
    cluster: client,
    watch: (type, options, handlers, signal) => watchResource(client, type, options, handlers, signal),
    history: (type, query, signal) => readHistory(client, type, query, signal),
    recordEvent: (event, signal) =>
      recordEvent(client, { ...event, reportingController: "courier.io/generator", reportingInstance: "test" }, signal),
  };
}

export const isCreated = ({ msg }: LogRecord) => msg === "created generate target resource";
export const isReady = ({ msg }: LogRecord) => msg === "generator is ready";

export interface RuleFields {
  match?: Json;
  generate?: Json;
  [field: string]: Json | undefined;
}

/** A ClusterPolicy of these rules. */
export function clusterPolicy(name: string, rules: RuleFields[], spec: object = {}): KubeObject {
  const named = rules.map((rule, index) => ({ name: `rule-${index}`, ...rule }));
  return { apiVersion: "kyverno.io/v1", kind: "ClusterPolicy", metadata: { name }, spec: { rules: named, ...spec } };
}

/** Creates a policy that goes with the test. */
export async function createPolicy(t: TestContext, client: KubeClient, policy: KubeObject): Promise<void> {
  const type = policy.kind === "Policy" ? POLICY : CLUSTER_POLICY;
  await client.create(type, policy);
  const { namespace = "", name = "" } = policy.metadata;
  onEnd(t, async () => void (await client.delete(type, { namespace, name })));
}

export async function list(client: KubeClient, type: ResourceType, namespace: string): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  for await (const page of client.listPages(type, { namespace })) found.push(...page.items);
  return found;
}

export const isPolicyReady = ({ msg, ready }: LogRecord) => msg === "policy status written" && ready === true;

/** Reads until it is what is wanted. Others use the same API server, so it is not asked without a pause. */
export async function waitFor<T>(read: () => Promise<T>, isIt: (value: T) => boolean, waitMs = WAIT_MS): Promise<T> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const value = await read();
    if (isIt(value)) return value;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(value)}`);
    await pause(PAUSE_MS);
  }
}
