import type { KubeObject } from "../../../resources/object.ts";
import type { StatusCause } from "../protocol/api-error.ts";
import type { KindRules } from "../resources/resource.ts";
import { invalid, required } from "../schema/field-error.ts";
import { at, textAt } from "../table/columns.ts";
import { immutable } from "./names.ts";

/** Namespace: Active from the start; `verbs/delete.ts` empties it before it goes. */
export const NAMESPACE_RULES: KindRules = {
  names: "label",
  unconditionalUpdate: true,
  prepare(draft, live) {
    draft["spec"] = live?.["spec"] ?? { finalizers: ["kubernetes"] };
    draft["status"] ??= live?.["status"] ?? { phase: "Active" };
    draft.metadata.labels = { ...draft.metadata.labels, "kubernetes.io/metadata.name": draft.metadata.name ?? "" };
  },
  fields: (object) => ({ "status.phase": textAt(object, "status", "phase"), name: object.metadata.name ?? "" }),
};

export const SERVICE_ACCOUNT_RULES: KindRules = { unconditionalUpdate: true };

export const LEASE_RULES: KindRules = {
  createOnUpdate: true,
  validate(object) {
    const seconds = at(object, "spec", "leaseDurationSeconds");
    const transitions = at(object, "spec", "leaseTransitions");
    return [
      ...(typeof seconds === "number" && seconds <= 0
        ? [invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")]
        : []),
      ...(typeof transitions === "number" && transitions < 0
        ? [invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0")]
        : []),
    ];
  },
};

/** Role and ClusterRole: stored, not enforced. Every rule needs verbs, and resources or URLs. */
export const ROLE_RULES: KindRules = {
  names: "path-segment",
  unconditionalUpdate: true,
  createOnUpdate: true,
  prepare(draft) {
    draft["rules"] ??= [];
  },
  validate: (object) => ((object["rules"] ?? []) as Record<string, unknown>[]).flatMap(ruleErrors),
};

function ruleErrors(rule: Record<string, unknown>, index: number): StatusCause[] {
  const has = (field: string) => Array.isArray(rule[field]) && rule[field].length > 0;
  const field = `rules[${index}]`;
  return [
    ...(has("verbs") ? [] : [required(`${field}.verbs`, "verbs must contain at least one value")]),
    ...(has("nonResourceURLs") || has("apiGroups")
      ? []
      : [required(`${field}.apiGroups`, "resource rules must supply at least one api group")]),
    ...(has("nonResourceURLs") || has("resources")
      ? []
      : [required(`${field}.resources`, "resource rules must supply at least one resource")]),
  ];
}

/** RoleBinding and ClusterRoleBinding: stored, not enforced; what is bound never changes. */
export const BINDING_RULES: KindRules = {
  names: "path-segment",
  unconditionalUpdate: true,
  createOnUpdate: true,
  prepare(draft) {
    const roleRef = draft["roleRef"] as Record<string, unknown> | undefined;
    if (roleRef !== undefined) roleRef["apiGroup"] ||= RBAC_GROUP;
    for (const subject of (draft["subjects"] ?? []) as Record<string, unknown>[]) {
      if (subject["kind"] !== "ServiceAccount") subject["apiGroup"] ||= RBAC_GROUP;
    }
  },
  validate(object, live) {
    const name = textAt(object, "roleRef", "name");
    const changed = live === undefined ? [] : immutable("roleRef", object["roleRef"], live["roleRef"]);
    const first = changed.map((cause) => ({
      ...cause,
      message: cause.message.replace("field is immutable", "cannot change roleRef"),
    }));
    return [...first, ...(name === "" ? [required("roleRef.name")] : []), ...subjectErrors(object)];
  },
};

const RBAC_GROUP = "rbac.authorization.k8s.io";

function subjectErrors(object: KubeObject): StatusCause[] {
  const subjects = (object["subjects"] ?? []) as Record<string, unknown>[];
  const needsNamespace = object.kind === "ClusterRoleBinding";
  return subjects.flatMap((subject, index) => [
    ...(subject["name"] ? [] : [required(`subjects[${index}].name`)]),
    ...(needsNamespace && subject["kind"] === "ServiceAccount" && !subject["namespace"]
      ? [required(`subjects[${index}].namespace`)]
      : []),
  ]);
}

export const NETWORK_POLICY_RULES: KindRules = {
  unconditionalUpdate: true,
  generation: true,
  prepare(draft) {
    draft["spec"] ??= {};
    const spec = draft["spec"] as Record<string, unknown>;
    spec["podSelector"] ??= {};
    spec["policyTypes"] ??= spec["egress"] === undefined ? ["Ingress"] : ["Ingress", "Egress"];
  },
};

export const POD_DISRUPTION_BUDGET_RULES: KindRules = {
  generation: true,
  prepare(draft) {
    const status = (draft["status"] ?? {}) as Record<string, unknown>;
    draft["status"] = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0, ...status };
  },
  validate: (object) =>
    at(object, "spec", "minAvailable") !== undefined && at(object, "spec", "maxUnavailable") !== undefined
      ? [invalid("spec", object["spec"], "minAvailable and maxUnavailable cannot be both set")]
      : [],
};
