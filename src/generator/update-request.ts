import { createHash } from "node:crypto";
import type { ResourceType } from "../resources/kinds.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest } from "./request.ts";

export const UPDATE_REQUEST: ResourceType = {
  group: "kyverno.io",
  version: "v2",
  kind: "UpdateRequest",
  plural: "updaterequests",
  namespaced: true,
};

/** What failed: a rule, for a change, on the way to a target; "" where it was not built. */
export interface FailurePlace {
  subject: PolicyRule;
  request: ChangeRequest;
  target: string;
}

/** The same name for the same rule, change and target, so that a later success finds it. */
export function updateRequestName({ subject: { policy, rule }, request, target }: FailurePlace): string {
  const { operation, object } = request;
  const { uid = "", resourceVersion = "" } = object.metadata;
  const identity = [policy.namespace, policy.name, rule.name, operation, uid, resourceVersion, target].join("/");
  return `ur-${createHash("sha256").update(identity).digest("hex").slice(0, 10)}`;
}

/** A Kyverno-shaped UpdateRequest for a change whose target was not created. Its status is written apart. */
export function buildUpdateRequest(namespace: string, place: FailurePlace): KubeObject {
  const { subject, request } = place;
  const { policy, rule } = subject;
  const { type, object, operation } = request;
  const { name = "", uid = "" } = object.metadata;
  const trigger = {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    namespace: object.metadata.namespace ?? "",
    name,
    uid,
  };
  return {
    apiVersion: apiVersionOf(UPDATE_REQUEST),
    kind: UPDATE_REQUEST.kind,
    metadata: {
      name: updateRequestName(place),
      namespace,
      labels: { "generate.kyverno.io/policy-name": policy.name, "app.kubernetes.io/managed-by": "courier" },
    },
    spec: {
      requestType: "generate",
      policy: policy.namespace === "" ? policy.name : `${policy.namespace}/${policy.name}`,
      rule: rule.name,
      resource: trigger,
      ruleContext: [{ rule: rule.name, trigger }],
      context: { userInfo: {}, admissionRequestInfo: { operation } },
    },
  };
}

/** Kyverno's status of an UpdateRequest that failed. */
export function failedStatus(message: string, retryCount: number): object {
  return { status: { state: "Failed", message, retryCount } };
}
