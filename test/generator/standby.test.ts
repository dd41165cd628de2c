import assert from "node:assert/strict";
import test from "node:test";
import { decideStandby, findKyverno } from "../../src/generator/standby.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const NOW = new Date("2026-11-22T10:00:00Z");

function deployment(readyReplicas: number | undefined, labels: Record<string, string> = {}): KubeObject {
  const metadata = { namespace: "kyverno", name: "kyverno-background-controller", labels };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata, status: { readyReplicas } };
}

function lease(holderIdentity: string, renewTime: string): KubeObject {
  const metadata = { namespace: "kyverno", name: "kyverno-background-controller" };
  const spec = { holderIdentity, renewTime, leaseDurationSeconds: 15 };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
}

const COURIER = { "app.kubernetes.io/part-of": "courier" };
const FRESH = "2026-11-22T09:59:50.000000Z";
const OLD = "2026-11-22T09:59:40.000000Z";

const ROWS: [
  title: string,
  deployment: KubeObject | undefined,
  lease: KubeObject | undefined,
  because: RegExp | false,
][] = [
  ["without a Kyverno the generator runs", undefined, undefined, false],
  ["a background controller with ready replicas generates", deployment(2), undefined, /has 2 ready replicas/],
  ["a background controller that is scaled to 0 does not generate", deployment(undefined), undefined, false],
  ["courier's own Deployment of that name is no Kyverno", deployment(1, COURIER), undefined, false],
  ["a Lease that is held is a sign of Kyverno", undefined, lease("kyverno-1", FRESH), /is held by kyverno-1/],
  ["a Lease that has run out is none", undefined, lease("kyverno-1", OLD), false],
  ["a Lease that was given back is none", undefined, lease("", FRESH), false],
  ["a Lease beside courier's own Deployment is courier's", deployment(1, COURIER), lease("courier-1", FRESH), false],
  ["a Lease without a time is none", undefined, lease("kyverno-1", "never"), false],
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
