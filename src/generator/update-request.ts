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

/** Where a failure becomes visible: the same name for the same policy, rule and change, so that a later success finds it. */
export function updateRequestName({ policy, rule }: PolicyRule, { operation, object }: ChangeRequest): string {
  const { uid = "", resourceVersion = "" } = object.metadata;
  const identity = [policy.namespace, policy.name, rule.name, operation, uid, resourceVersion].join("/");
  return `ur-${createHash("sha256").update(identity).digest("hex").slice(0, 10)}`;
}

/** A Kyverno-shaped UpdateRequest for a change whose target was not created. Its status is written apart. */
export function buildUpdateRequest(
  namespace: string,
  { policy, rule }: PolicyRule,
  request: ChangeRequest,
): KubeObject {
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
      name: updateRequestName({ policy, rule }, request),
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
