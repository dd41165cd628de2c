/**
 * `courier generate` as a process that is killed (SIGKILL) again and again while sources change, and a consumer that deletes
 * each target as soon as it sees it, as courier-api does. COURIER_TEST_KILLS=50 asks for the long run, COURIER_TEST_SEED for
 * other points.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { KubeClient } from "../../src/kube/client.ts";
import { watchResource } from "../../src/kube/watch-resource.ts";
import { CONFIG_MAP, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { type CourierProcess, startCourier } from "../deploy/courier-process.ts";
import { clusterPolicy, createPolicy, kubeconfigOf, makeNamespace, onEnd, openCluster } from "./running.ts";

const IS_REAL = process.env["COURIER_TEST_KUBECONFIG"] !== undefined;
const KILLS = Number(process.env["COURIER_TEST_KILLS"] ?? 8);
const MAX_LIFE_MS = IS_REAL ? 2_500 : 1_000;
/** Another seed kills at other points. */
const SEED = Number(process.env["COURIER_TEST_SEED"] ?? 1);
const PATIENCE_MS = 60_000;

/** Marsaglia's xorshift: numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Deletes every message, and counts how often each name was created. */
class Consumer {
  readonly created = new Map<string, number>();
  readonly #uids = new Set<string>();
  #news = Promise.withResolvers<void>();

  start(t: TestContext, client: KubeClient, namespace: string): void {
    const stop = new AbortController();
    const done = watchResource(
      client,
      NOTIFICATION_MESSAGE,
      { namespace },
      {
        onEvent: async (event) => {
          if (event.type !== "Listed" && event.type !== "Added") return;
          const { uid = "", name = "" } = event.object.metadata;
          if (this.#uids.has(uid)) return;
          this.#uids.add(uid);
          this.created.set(name, (this.created.get(name) ?? 0) + 1);
          await client.delete(NOTIFICATION_MESSAGE, { namespace, name }, { uid });
          this.#news.resolve();
        },
      },
      stop.signal,
    );
    onEnd(t, async () => {
      stop.abort();
      await done;
    });
  }

  /** Resolves when all of these were created, or patience ends. */
  async sees(names: ReadonlySet<string>): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while ([...names].some((name) => !this.created.has(name)) && !deadline.aborted) {
      this.#news = Promise.withResolvers<void>();
      await Promise.race([this.#news.promise, pause(1_000)]);
    }
  }
}

/** So many changes between two kills that each process has work, and a machine that is slow can do it before the API server forgets. */
const CHANGES_A_LIFE = 60;

/** Creates, changes and deletes ConfigMaps until told to stop; keeps the names of the messages that these changes ask for. */
class Writer {
  readonly expected = new Set<string>();
  readonly #versions = new Map<string, string>();
  #count = 0;
  #left = CHANGES_A_LIFE;

  /** A process more: there may be more changes. */
  noteLife(): void {
    this.#left = CHANGES_A_LIFE;
  }

  async run(client: KubeClient, namespace: string, random: () => number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#left-- > 0)
        await this.#writeOne(client, namespace, `source-${Math.floor(random() * 6)}`, random() < 0.15);
      await pause(random() * 60);
    }
  }

  async #writeOne(client: KubeClient, namespace: string, name: string, isDeletion: boolean): Promise<void> {
    const key = { namespace, name };
    const data = { count: String(++this.#count) };
    const version = this.#versions.get(name);
    if (version === undefined) {
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata: key, data };
      this.#note("create", name, (await client.create(CONFIG_MAP, object)).metadata.resourceVersion);
    } else if (isDeletion) {
      await client.delete(CONFIG_MAP, key);
      this.#versions.delete(name);
      this.expected.add(`delete-${name}-${version}`);
    } else this.#note("update", name, (await client.mergePatch(CONFIG_MAP, key, { data })).metadata.resourceVersion);
  }

  #note(operation: string, name: string, version = ""): void {
    this.#versions.set(name, version);
    this.expected.add(`${operation}-${name}-${version}`);
  }
}

interface Life {
  running: CourierProcess;
  /** From when it leads: some end before the checkpoint is read, some after more than one was written, on slow machines, too. */
  maxMs: number;
}

async function startLife(args: string[]): Promise<Life> {
  const startedAt = performance.now();
  const running = startCourier(args);
  await running.line("Leading");
  return { running, maxMs: Math.max(MAX_LIFE_MS, performance.now() - startedAt) };
}

async function crash(running: CourierProcess): Promise<void> {
  running.signal("SIGKILL");
  await running.ended;
}

const expression = (text: string) => `{{ ${text} }}`;

test(`no change is missed and none generates twice when the process is killed ${KILLS} times (seed ${SEED})`, {
  timeout: 1_200_000,
}, async (t) => {
  const kubeconfig = await kubeconfigOf(t);
  const client = await openCluster(t, kubeconfig);
  const [source, target] = [await makeNamespace(t, client, "source"), await makeNamespace(t, client, "target")];
  const operations = ["CREATE", "UPDATE", "DELETE"];
  const resources = { kinds: ["ConfigMap"], namespaces: [source], names: ["source-*"], operations };
  const generate = {
    apiVersion: "aitextensions.alauda.io/v1beta1",
    kind: "NotificationMessage",
    namespace: target,
    name: [
      expression("to_lower(request.operation)"),
      expression("request.object.metadata.name"),
      expression("request.object.metadata.resourceVersion"),
    ].join("-"),
    data: {
      spec: { notifications: [{ name: "nobody" }], body: { before: expression("request.oldObject.data.count || ''") } },
    },
  };
  await createPolicy(t, client, clusterPolicy(source, [{ match: { any: [{ resources }] }, generate }]));
  const args = ["generate", "--kubeconfig", kubeconfig, "--http-listen", "127.0.0.1:0", "--identity", "the-only-one"];
  args.push("--lease-namespace", target, "--lease-name", "killed");
  let { running, maxMs } = await startLife(args);
  onEnd(t, () => crash(running));
  await running.line("generator is ready");

  const [consumer, writer, random, written] = [new Consumer(), new Writer(), randomFrom(SEED), new AbortController()];
  consumer.start(t, client, target);
  const writing = writer.run(client, source, randomFrom(SEED + 1), written.signal);
  for (let kill = 0; kill < KILLS; kill += 1) {
    await pause(random() * maxMs);
    await crash(running);
    ({ running, maxMs } = await startLife(args));
    writer.noteLife();
  }
  written.abort();
  await writing;
  await consumer.sees(writer.expected);
  assert.equal(await running.stop(), 0); // what a late replay might make is made before the end
  ({ running } = await startLife(args));
  await running.line("generator is ready");

  t.diagnostic(`${writer.expected.size} changes, ${KILLS} kills`);
  const missed = [...writer.expected].filter((name) => !consumer.created.has(name));
  const repeated = [...consumer.created].filter(([, times]) => times > 1).map(([name]) => name);
  const unasked = [...consumer.created.keys()].filter((name) => !writer.expected.has(name));
  assert.deepEqual({ missed, repeated, unasked }, { missed: [], repeated: [], unasked: [] });
});
