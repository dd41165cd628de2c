import { isObject } from "../resources/fields.ts";
import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";

function policyType(kind: string, plural: string, namespaced: boolean): ResourceType {
  return { group: "kyverno.io", version: "v1", kind, plural, namespaced };
}

export const CLUSTER_POLICY = policyType("ClusterPolicy", "clusterpolicies", false);
export const POLICY = policyType("Policy", "policies", true);

/** Whether a policy runs, and if not, why: `reason` is one word, `message` says what to do. */
export interface Readiness {
  ready: boolean;
  reason: "Succeeded" | "Invalid" | "KindNotServed" | "WatchFailed";
  message: string;
}

export const READY: Readiness = { ready: true, reason: "Succeeded", message: "Ready" };

/**
 * The merge patch that writes a policy's status: exactly one condition, Ready, as Kyverno's own tools wait for it.
 * Undefined when the object says so already, so that its time is not written anew.
 */
export function statusPatch(object: KubeObject, readiness: Readiness, rules: number, now: Date): object | undefined {
  const { ready, reason, message } = readiness;
  const status = ready ? "True" : "False";
  const { generation } = object.metadata;
  const known = conditionsOf(object);
  const [only] = known;
  const isSame = only?.["status"] === status && only["reason"] === reason && only["message"] === message;
  if (known.length === 1 && isSame && only?.["observedGeneration"] === generation) return undefined;
  const since = only?.["status"] === status ? only["lastTransitionTime"] : undefined;
  const condition = {
    type: "Ready",
    status,
    reason,
    message,
    lastTransitionTime: since ?? now.toISOString().replace(/\.\d+Z$/, "Z"),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  const rulecount = { generate: rules, mutate: 0, validate: 0, verifyimages: 0 };
  return { status: { conditions: [condition], ready, rulecount } };
}

function conditionsOf({ status }: KubeObject): Record<string, unknown>[] {
  const conditions = isObject(status) ? status["conditions"] : undefined;
  return Array.isArray(conditions) ? conditions.filter(isObject) : [];
}
