import assert from "node:assert/strict";
import test from "node:test";
import { startGenerator } from "../../src/app/generator-service.ts";
import { defaultConfig } from "../../src/config/config.ts";
import { runAlone } from "../../src/generator/run-alone.ts";
import { decideStandby, findKyverno } from "../../src/generator/standby.ts";
import { connect } from "../../src/kube/connect.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { LEASE, NAMESPACE, type ResourceType, SECRET } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { CHECKPOINT, onEnd, sandboxKubeconfig } from "./running.ts";

const NOW = new Date("2026-11-22T10:00:00Z");
const KEY = { namespace: "kyverno", name: "kyverno-background-controller" };
const DEPLOYMENT: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};

function deployment(readyReplicas: number | undefined, labels: Record<string, string> = {}): KubeObject {
  const selector = { matchLabels: { "app.kubernetes.io/component": "background-controller" } };
  const template = { metadata: { labels: selector.matchLabels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { selector, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { ...KEY, labels }, spec, status: { readyReplicas } };
}

function lease(holderIdentity: string, renewTime: string): KubeObject {
  const spec = { holderIdentity, renewTime, leaseDurationSeconds: 15 };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: KEY, spec };
}

const COURIER = { "app.kubernetes.io/name": "courier", "app.kubernetes.io/component": "generator" };
const KYVERNO = { "app.kubernetes.io/part-of": "kyverno" };
const FRESH = "2026-11-22T09:59:50.000000Z";
const OLD = "2026-11-22T09:59:40.000000Z";

const ROWS: [
  title: string,
  deployment: KubeObject | undefined,
  lease: KubeObject | undefined,
  because: RegExp | false,
][] = [
  ["without a Kyverno the generator runs", undefined, undefined, false],
  ["a Lease that is held is a sign of Kyverno", undefined, lease("kyverno-1", FRESH), /is held by kyverno-1/],
  ["a Lease that has run out is none", undefined, lease("kyverno-1", OLD), false],
  ["a Lease that was given back is none", undefined, lease("", FRESH), false],
  ["a Lease without a time is none", undefined, lease("kyverno-1", "never"), false],
  ["a background controller with ready replicas generates", deployment(2, KYVERNO), undefined, /has 2 ready replicas/],
  ["a background controller that is scaled to 0 does not", deployment(undefined, KYVERNO), undefined, false],
  ["what was scaled to 0 but still holds its Lease does", deployment(0, KYVERNO), lease("kyverno-1", FRESH), /is held/],
  ["courier's own Deployment of that name is no Kyverno", deployment(1, COURIER), undefined, false],
];

for (const [title, found, held, because] of ROWS) {
  test(title, () => {
    const decision = decideStandby({ deployment: found, lease: held }, NOW);
    assert.equal(decision.standBy, because !== false);
    if (decision.standBy && because !== false) {
      assert.match(decision.because, because);
      assert.match(decision.because, /--beside-kyverno/);
    }
  });
}

function refusal(code: number, reason: string): KubeError {
  return new KubeError({ code, reason, message: `${reason}: no` });
}

test("what may not be read is no sign of Kyverno, and is told", async () => {
  const cluster = { get: () => Promise.reject(refusal(403, "Forbidden")) };
  const { deployment: found, lease: held, unread } = await findKyverno(cluster, AbortSignal.timeout(1_000));
  assert.deepEqual([found, held], [undefined, undefined]);
  assert.equal(unread.length, 2);
});

test("an API server that does not answer is no reason to run", async () => {
  const cluster = { get: () => Promise.reject(refusal(0, "NoAnswer")) };
  await assert.rejects(findKyverno(cluster, AbortSignal.timeout(1_000)), /NoAnswer/);
});

test("a Kyverno that comes ends the generator, and one that goes lets it run again", async (t) => {
  const client = await connect({ kubeconfig: await sandboxKubeconfig(t) });
  onEnd(t, () => client.close());
  await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: KEY.namespace } });
  const stop = new AbortController();
  const runs: { started: PromiseWithResolvers<void>; ended: PromiseWithResolvers<void> }[] = [newRun(), newRun()];
  let count = -1;
  const decided: boolean[] = [];
  const done = runAlone(
    {
      cluster: client,
      logger: createLogger({ format: "json", level: "error" }),
      everyMs: 20,
      forget: async () => {},
      onDecision: ({ standBy }) => void decided.push(standBy),
      async run(signal) {
        const current = runs[++count];
        current?.started.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        current?.ended.resolve();
      },
    },
    stop.signal,
  );
  await runs[0]?.started.promise;
  await client.create(LEASE, lease("kyverno-1", new Date().toISOString().replace("Z", "000Z")));
  await runs[0]?.ended.promise;
  await client.delete(LEASE, KEY);
  await runs[1]?.started.promise;
  stop.abort();
  await runs[1]?.ended.promise;
  await done;
  assert.equal(decided[0], false);
  assert.equal(decided.at(-1), false);
  assert.ok(decided.includes(true));
});

function newRun() {
  return { started: Promise.withResolvers<void>(), ended: Promise.withResolvers<void>() };
}

test("beside a Kyverno the service is ready, says that it stands by and leaves no checkpoint, unless it is told to generate", async (t) => {
  const kubeconfig = await sandboxKubeconfig(t);
  const client = await connect({ kubeconfig });
  onEnd(t, () => client.close());
  for (const name of [KEY.namespace, "cpaas-system"])
    await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await client.create(DEPLOYMENT, deployment(undefined, KYVERNO));
  await client.mergePatch(DEPLOYMENT, KEY, { status: { replicas: 2, readyReplicas: 2 } }, { subresource: "status" });
  const common = { kubeconfig, httpListen: { host: "127.0.0.1", port: 0 } };

  const run = async (besideKyverno: boolean) => {
    const messages: string[] = [];
    const destination = { write: (line: string) => void messages.push((JSON.parse(line) as { msg: string }).msg) };
    const logger = createLogger({ format: "json", level: "info", destination });
    const service = await startGenerator(defaultConfig("generate", { ...common, besideKyverno }), logger);
    await service.readiness.ready();
    const url = `http://127.0.0.1:${service.address.port}`;
    const [ready, metrics] = await Promise.all([read(`${url}/readyz`), read(`${url}/metrics`)]);
    await service.stop();
    return { messages, ready, metrics };
  };

  const metadata = { namespace: "cpaas-system", name: CHECKPOINT };
  await client.create(SECRET, { apiVersion: "v1", kind: "Secret", metadata, data: { index: "b2xk" } });
  const beside = await run(false);
  assert.equal((await client.get(SECRET, metadata))?.["data"], undefined);
  assert.match(beside.ready, /^200 ok\n- standing by: Kyverno generates .*has 2 ready replicas.*--beside-kyverno/s);
  assert.match(beside.metrics, /^courier_generator_standby 1$/m);
  assert.deepEqual(beside.messages, ["Leading", "Standing by beside Kyverno"]);

  const told = await run(true);
  assert.equal(told.ready, "200 ok\n");
  assert.match(told.metrics, /^courier_generator_standby 0$/m);
  assert.ok(told.messages.includes("generator is ready"));
});

async function read(url: string): Promise<string> {
  const response = await fetch(url);
  return `${response.status} ${await response.text()}`;
}
