/**
 * The generator with 20,000 watched ConfigMaps and 200 policies, on the sandbox's API server, or on that of
 * COURIER_TEST_KUBECONFIG, which is to be thrown away afterwards: start to synced, idle memory,
 * what an update costs that no rule matches, and a burst of matching updates against a bare loop that creates the same
 * objects. API server, generator and bare loop are processes of their own. The burst is written while the generator is
 * stopped, so that what is measured is the generator and not who writes the updates. `node test/bench/generator.ts`
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { applyManifests, readManifests } from "../../src/app/manifests.ts";
import { waitFor } from "../../src/cli/wait-for.ts";
import { CLUSTER_POLICY } from "../../src/generator/policy-status.ts";
import { runGenerator } from "../../src/generator/run-generator.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { readHistory } from "../../src/kube/read-history.ts";
import { recordEvent } from "../../src/kube/record-event.ts";
import { watchResource } from "../../src/kube/watch-resource.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { CONFIG_MAP, NAMESPACE, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { type RequestCounts, startApiServer } from "../../src/sandbox/apiserver/index.ts";

const CONFIG_MAPS = Number(process.env.COURIER_BENCH_CONFIGMAPS ?? 20_000);
const POLICIES = Number(process.env.COURIER_BENCH_POLICIES ?? 200);
const BURST = Number(process.env.COURIER_BENCH_BURST ?? 1_000);
const REAL_CLUSTER = process.env.COURIER_TEST_KUBECONFIG;
const ROUNDS = 7;
const IN_FLIGHT = 32; // the generator's own
const UNMATCHED = 200;
const TARGETS = { namespace: "cpaas-system" };
const MEBIBYTE = 1024 * 1024;

/** What the processes say to each other. */
type Said =
  | { said: "ready"; ms: number }
  | { said: "memory"; rss: number; heapUsed: number }
  | { said: "requests"; counts: RequestCounts }
  | { said: "created"; at: number }
  | { said: "done"; ms: number };

const [role = "", kubeconfig = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit(1)); // whoever started this process is gone
if (role === "api-server") await playApiServer(kubeconfig);
else if (role === "generator") await playGenerator(kubeconfig);
else if (role === "bare-loop") await playBareLoop(kubeconfig);
else await bench();

async function bench(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "courier-bench-"));
  const config = REAL_CLUSTER ?? join(directory, "kubeconfig");
  const server = REAL_CLUSTER === undefined ? await start("api-server", config) : undefined;
  if (server !== undefined) await answer(server, "ready");
  const client = await connect({ kubeconfig: config });
  await prepare(client);

  const generator = await start("generator", config);
  const { ms } = await answer(generator, "ready");
  console.log(`${CONFIG_MAPS} ConfigMaps, ${POLICIES} policies: synced ${ms.toFixed(0)} ms after the start`);
  const { rss, heapUsed } = await ask(generator, "memory");
  console.log(`idle: RSS ${(rss / MEBIBYTE).toFixed(0)} MiB, of it heap ${(heapUsed / MEBIBYTE).toFixed(0)} MiB`);
  await measureUnmatched(client, server);

  const bare = await start("bare-loop", config);
  await answer(bare, "ready");
  const ratios: number[] = [];
  await measureBurst(client, { directory, generator, bare, round: 0 }); // both run for days, so neither counts while cold
  for (let round = 1; round <= ROUNDS; round += 1) {
    const rates = await measureBurst(client, { directory, generator, bare, round });
    const ratio = rates.generator / rates.bare;
    ratios.push(ratio);
    const shown = `bare loop ${rates.bare.toFixed(0)}/s  generator ${rates.generator.toFixed(0)}/s`;
    console.log(`round ${round}: ${shown}  ratio ${ratio.toFixed(2)}`);
  }
  const median = ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
  console.log(`${BURST} matching updates in a burst: median ratio ${median.toFixed(2)}`);

  await inParallel(counted(POLICIES), async (index) => {
    await client.delete(CLUSTER_POLICY, { namespace: "", name: `policy-${index}` }); // else the next generator runs them, too
  });
  await client.close();
  for (const child of [generator, bare, ...(server === undefined ? [] : [server])]) {
    child.kill();
    await once(child, "exit");
  }
  await rm(directory, { recursive: true });
}

/** Namespaces team-0 … with their share of ConfigMaps, and a policy for each namespace. */
async function prepare(client: KubeClient): Promise<void> {
  await applyManifests(client, ["deploy/crds", "deploy/generator/crds", "deploy/namespace.yaml"]);
  await inParallel(counted(POLICIES + 1), async (index) => {
    const metadata = { name: `team-${index}` };
    await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata }).catch(ignoreExisting);
  });
  await inParallel(counted(CONFIG_MAPS), async (index) => {
    await client.create(CONFIG_MAP, sourceOf(index)).catch(ignoreExisting);
  });
  const unwatched = { ...sourceOf(0), metadata: { namespace: `team-${POLICIES}`, name: "unwatched" } };
  await client.create(CONFIG_MAP, unwatched).catch(ignoreExisting);
  const [policy] = await readManifests("deploy/examples/policy.yaml");
  const text = JSON.stringify(policy);
  const policies = counted(POLICIES).map((index) => {
    const changed = text
      .replace('["app-team-a"]', `["team-${index}"]`)
      .replace('"app-notification-source"', '"source-*"');
    return { ...JSON.parse(changed), metadata: { name: `policy-${index}` } } as KubeObject;
  });
  await applyManifests(client, policies);
}

/** A real cluster may have them from the run before. */
function ignoreExisting(error: Error & { reason?: string }): void {
  if (error.reason !== "AlreadyExists") throw error;
}

function sourceOf(index: number): KubeObject {
  const data = { application: "payment", owner: "platform-ops", severity: "warning", note: "x".repeat(200) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: keyOf(index), data };
}

function keyOf(index: number) {
  return { namespace: `team-${index % POLICIES}`, name: `source-${Math.floor(index / POLICIES)}` };
}

/** Updates outside all namespaces, and of labels alone: the API server sees those and the one target that ends the wait. */
async function measureUnmatched(client: KubeClient, server: ChildProcess | undefined): Promise<void> {
  const before = server && (await ask(server, "requests")).counts;
  await inParallel(counted(UNMATCHED), async (index) => {
    const metadata = { labels: { update: `${index}` } };
    const key = index % 2 === 0 ? { namespace: `team-${POLICIES}`, name: "unwatched" } : keyOf(index);
    await client.mergePatch(CONFIG_MAP, key, { metadata });
  });
  await client.mergePatch(CONFIG_MAP, keyOf(0), { data: { severity: "critical" } });
  await targetsThere(client, 1);
  if (server !== undefined && before !== undefined) tellExtra(before, (await ask(server, "requests")).counts);
  await clearTargets(client);
}

/** A real API server's requests are not only ours, and are not counted. */
function tellExtra(before: RequestCounts, after: RequestCounts): void {
  const own: RequestCounts = { PATCH: UNMATCHED + 1, POST: 1, GET: 1, WATCH: 1 }; // the bench's own, and one target
  const more = Object.entries(after).map(
    ([method, count]) => [method, count - (before[method] ?? 0) - (own[method] ?? 0)] as const,
  );
  const extra = more.filter(([, count]) => count > 0).map(([method, count]) => `${count} ${method}`);
  console.log(`${UNMATCHED} updates that no rule matches: API calls of the generator: ${extra.join(", ") || "none"}`);
}

interface BurstInputs {
  directory: string;
  generator: ChildProcess;
  bare: ChildProcess;
  round: number;
}

/** Targets a second of the generator, then of a bare loop that creates the same objects anew. */
async function measureBurst(client: KubeClient, { directory, generator, bare, round }: BurstInputs) {
  generator.kill("SIGSTOP");
  await inParallel(counted(BURST), async (index) => {
    await client.mergePatch(CONFIG_MAP, keyOf(index), { data: { severity: `critical-${round}` } });
  });
  const startedAt = Date.now();
  generator.kill("SIGCONT");
  const { at } = await answer(generator, "created");
  const made = await targetsThere(client, BURST);
  await clearTargets(client);

  const path = join(directory, "objects.json");
  await writeFile(path, JSON.stringify(made.map(withoutServerFields)));
  bare.send(path);
  const { ms } = await answer(bare, "done");
  await clearTargets(client);
  return { generator: (BURST / (at - startedAt)) * 1_000, bare: (BURST / ms) * 1_000 };
}

function withoutServerFields({ status: _, ...object }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = object.metadata;
  return { ...object, metadata: { name, namespace, labels, annotations } as KubeObject["metadata"] };
}

async function targetsThere(client: KubeClient, count: number): Promise<KubeObject[]> {
  const found = new Map<string, KubeObject>();
  await waitFor(
    client,
    NOTIFICATION_MESSAGE,
    TARGETS,
    (event) => {
      if (event.type !== "Synced" && event.type !== "Deleted")
        found.set(event.object.metadata.name ?? "", event.object);
      return found.size >= count ? true : undefined;
    },
    AbortSignal.timeout(120_000),
  );
  return [...found.values()];
}

async function clearTargets(client: KubeClient): Promise<void> {
  for await (const { items } of client.listPages(NOTIFICATION_MESSAGE, TARGETS))
    await inParallel(items, async ({ metadata: { name = "" } }) => {
      await client.delete(NOTIFICATION_MESSAGE, { ...TARGETS, name });
    });
}

async function playApiServer(path: string): Promise<void> {
  const server = await startApiServer();
  await server.writeKubeconfig(path);
  process.on("message", () => tell({ said: "requests", counts: server.requests() }));
  tell({ said: "ready", ms: performance.now() });
}

async function playGenerator(path: string): Promise<void> {
  const client = await connect({ kubeconfig: path });
  let created = 0;
  const destination = {
    write(line: string) {
      if (!line.includes("created generate target resource")) return;
      created += 1;
      // The first is of the unmatched updates; then comes burst after burst.
      if (created > 1 && (created - 1) % BURST === 0) tell({ said: "created", at: Date.now() });
    },
  };
  process.on("message", () => {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    tell({ said: "memory", rss, heapUsed });
  });
  let isReady = false;
  const onState = ({ missing }: { missing: string[] }) => {
    if (missing.length > 0 || isReady) return;
    isReady = true;
    tell({ said: "ready", ms: performance.now() });
  };
  const reporter = { reportingController: "courier.io/generator", reportingInstance: "bench" };
  await runGenerator(
    {
      files: { policies: [], problems: [] },
      fromCluster: true,
      resourceFilters: [],
      namespace: "kyverno",
      checkpoint: { ...TARGETS, name: "courier-generator-checkpoint" },
      onState,
    },
    {
      cluster: client,
      watch: (type, options, handlers, signal) => watchResource(client, type, options, handlers, signal),
      history: (type, query, signal) => readHistory(client, type, query, signal),
      recordEvent: (event, signal) => recordEvent(client, { ...event, ...reporter }, signal),
    },
    createLogger({ format: "json", level: "info", destination }),
    new AbortController().signal,
  );
}

async function playBareLoop(path: string): Promise<void> {
  const client = await connect({ kubeconfig: path });
  process.on("message", async (objectsPath: string) => {
    const objects = JSON.parse(await readFile(objectsPath, "utf8")) as KubeObject[];
    const startMs = performance.now();
    await inParallel(objects, async (object) => void (await client.create(NOTIFICATION_MESSAGE, object)));
    tell({ said: "done", ms: performance.now() - startMs });
  });
  tell({ said: "ready", ms: performance.now() });
}

function tell(said: Said): void {
  process.send?.(said);
}

async function start(name: string, ...args: string[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(import.meta.url), [name, ...args], { execArgv: ["--expose-gc"] });
  await once(child, "spawn");
  return child;
}

async function ask<S extends Said["said"]>(child: ChildProcess, said: S): Promise<Extract<Said, { said: S }>> {
  child.send("tell");
  return answer(child, said);
}

/** The next message of a kind. */
async function answer<S extends Said["said"]>(child: ChildProcess, said: S): Promise<Extract<Said, { said: S }>> {
  for (;;) {
    const [message] = (await once(child, "message")) as [Said];
    if (message.said === said) return message as Extract<Said, { said: S }>;
  }
}

function counted(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}
