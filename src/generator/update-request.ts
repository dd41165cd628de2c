import { hash } from "node:crypto";
import { isObject } from "../resources/fields.ts";
import type { ResourceType } from "../resources/kinds.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { PolicyRule } from "./reach.ts";
import type { ChangeRequest, RequestOperation } from "./request.ts";

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
  verb: "create" | "delete" | "evaluate";
  target: string;
}

/** Who wrote an UpdateRequest: Kyverno's own are not ours to try again. */
export const OWN_SELECTOR = "app.kubernetes.io/managed-by=courier";
const TARGET_ANNOTATION = "courier.io/target";
/** Characters of a change that are kept in its UpdateRequest; a larger one is tried again with its object as it is by then. */
const MAX_KEPT = 256 * 1024;

/** The same name for the same rule, change and target, so that a later success finds it. */
export function updateRequestName(place: FailurePlace): string {
  return `ur-${fingerprintOf(place).slice(0, 10)}`;
}

/** The same for the same rule, change and target, and for no other. */
export function fingerprintOf({ subject: { policy, rule }, request, target }: FailurePlace): string {
  const { operation, object } = request;
  const { uid = "", resourceVersion = "" } = object.metadata;
  const identity = [policy.namespace, policy.name, rule.name, operation, uid, resourceVersion, target].join("/");
  return hash("sha256", identity);
}

/** A Kyverno-shaped UpdateRequest for a change whose target was not created. Its status is written apart. */
export function buildUpdateRequest(namespace: string, place: FailurePlace): KubeObject {
  const { subject, request, verb, target } = place;
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
      ...(target === "" ? {} : { annotations: { [TARGET_ANNOTATION]: target } }),
    },
    spec: {
      requestType: "generate",
      policy: policy.namespace === "" ? policy.name : `${policy.namespace}/${policy.name}`,
      rule: rule.name,
      resource: trigger,
      ruleContext: [{ rule: rule.name, trigger, deleteDownstream: verb === "delete" }],
      context: { userInfo: {}, admissionRequestInfo: { operation, ...admissionRequestOf(request) } },
    },
  };
}

/** The change itself, so that it can be tried again as it was. A Secret's content stays where it is. */
function admissionRequestOf({ operation, type, object, oldObject }: ChangeRequest): object {
  const { group, version, kind, plural } = type;
  const size = JSON.stringify([object, oldObject]).length;
  if (operation === "" || (group === "" && kind === "Secret") || size > MAX_KEPT) return {};
  const { uid = "", name = "", namespace } = object.metadata;
  const identity = { uid, name, ...(namespace === undefined ? {} : { namespace }), operation, userInfo: {} };
  const resource = { group, version, resource: plural };
  const objects = { object, ...(oldObject === undefined ? {} : { oldObject }) };
  return { admissionRequest: { ...identity, kind: { group, version, kind }, resource, ...objects } };
}

/** What an UpdateRequest says is to be tried again. */
export interface FailedRequest {
  name: string;
  /** `namespace/name` of a Policy, the name of a ClusterPolicy. */
  policy: string;
  rule: string;
  trigger: { apiVersion: string; kind: string; uid: string };
  operation: RequestOperation;
  /** "" where it is not known. */
  target: string;
  deleteDownstream: boolean;
  /** The change as it was; undefined where it was not kept. */
  objects: { object: KubeObject; oldObject: KubeObject | undefined } | undefined;
  tries: number;
}

/** Reads an UpdateRequest of ours; undefined where somebody has made it unreadable, or it did not fail. */
export function parseUpdateRequest({ metadata, spec, status }: KubeObject): FailedRequest | undefined {
  const text = (value: unknown, name: string) =>
    isObject(value) && typeof value[name] === "string" ? value[name] : "";
  if (!isObject(spec) || text(status, "state") !== "Failed") return undefined;
  const { resource, ruleContext, context } = spec;
  const info = isObject(context) && isObject(context["admissionRequestInfo"]) ? context["admissionRequestInfo"] : {};
  const kept = isObject(info["admissionRequest"]) ? info["admissionRequest"] : {};
  const operation = REQUEST_OPERATIONS.find((known) => known === text(info, "operation"));
  if (operation === undefined) return undefined;
  const [first] = Array.isArray(ruleContext) ? (ruleContext as unknown[]) : [];
  const tries = isObject(status) ? Number(status["retryCount"]) : 0;
  return {
    name: metadata.name ?? "",
    policy: text(spec, "policy"),
    rule: text(spec, "rule"),
    trigger: { apiVersion: text(resource, "apiVersion"), kind: text(resource, "kind"), uid: text(resource, "uid") },
    operation,
    target: metadata.annotations?.[TARGET_ANNOTATION] ?? "",
    deleteDownstream: isObject(first) && first["deleteDownstream"] === true,
    objects: isKubeObject(kept["object"])
      ? { object: kept["object"], oldObject: isKubeObject(kept["oldObject"]) ? kept["oldObject"] : undefined }
      : undefined,
    tries: Number.isInteger(tries) ? tries : 0,
  };
}

const REQUEST_OPERATIONS: readonly RequestOperation[] = ["CREATE", "UPDATE", "DELETE", ""];

function isKubeObject(value: unknown): value is KubeObject {
  return isObject(value) && isObject(value["metadata"]);
}

/** Kyverno's status of an UpdateRequest that failed. */
export function failedStatus(message: string, retryCount: number): object {
  return { status: { state: "Failed", message, retryCount } };
}
