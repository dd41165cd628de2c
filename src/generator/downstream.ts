import { apiVersionOf } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { PolicyRule } from "./reach.ts";
import type { Policy, Rule } from "./rule-model.ts";

const PREFIX = "generate.kyverno.io/";
/** Marks the objects that clone rules copy from, so that they can be watched. */
export const CLONE_SOURCE_LABEL = `${PREFIX}clone-source`;
export const SOURCE_UID_LABEL = `${PREFIX}source-uid`;
/** The label selector of what any rule made. */
export const MADE_BY_A_RULE = "app.kubernetes.io/managed-by=kyverno";

/** Which rule made an object, and from which trigger: what its labels say. */
export interface Origin {
  policyNamespace: string;
  policy: string;
  rule: string;
  triggerApiVersion: string;
  triggerKind: string;
  triggerUid: string;
}

/** What the labels of an object say of its origin; undefined for what no rule made. */
export function originOf({ metadata: { labels = {} } }: KubeObject): Origin | undefined {
  const label = (name: string) => labels[`${PREFIX}${name}`] ?? "";
  if (labels["app.kubernetes.io/managed-by"] !== "kyverno" || label("policy-name") === "") return undefined;
  return {
    policyNamespace: label("policy-namespace"),
    policy: label("policy-name"),
    rule: label("rule-name"),
    triggerApiVersion: apiVersionOf({ group: label("trigger-group"), version: label("trigger-version") }),
    triggerKind: label("trigger-kind"),
    triggerUid: label("trigger-uid"),
  };
}

/** Labels that say who made an object, as far as {@link originOf} and a clone source's copies are told by them. */
export function targetLabels(
  policyNamespace: string,
  policy: string,
  rule: string,
  triggerUid: string,
  sourceUid: string,
): Record<string, string> {
  return {
    "app.kubernetes.io/managed-by": "kyverno",
    [`${PREFIX}policy-namespace`]: policyNamespace,
    [`${PREFIX}policy-name`]: policy,
    [`${PREFIX}rule-name`]: rule,
    [`${PREFIX}trigger-uid`]: triggerUid,
    [SOURCE_UID_LABEL]: sourceUid,
  };
}

/** Whether the rule made the object. */
export function isTargetOf({ policy, rule }: PolicyRule, object: KubeObject): boolean {
  const origin = originOf(object);
  return (
    origin !== undefined &&
    origin.policy === policy.name &&
    origin.policyNamespace === policy.namespace &&
    origin.rule === rule.name
  );
}

/** Narrows what a rule made to one trigger, or to the copies of one source. */
export interface TargetQuery {
  triggerUid?: string;
  sourceUid?: string;
}

/** The label selector of what a rule made. */
export function downstreamSelector(policy: Policy, rule: Rule, { triggerUid, sourceUid }: TargetQuery): string {
  const labels = {
    "app.kubernetes.io/managed-by": "kyverno",
    [`${PREFIX}policy-name`]: policy.name,
    [`${PREFIX}policy-namespace`]: policy.namespace,
    [`${PREFIX}rule-name`]: rule.name,
    ...(triggerUid === undefined ? {} : { [`${PREFIX}trigger-uid`]: triggerUid }),
    ...(sourceUid === undefined ? {} : { [SOURCE_UID_LABEL]: sourceUid }),
  };
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** The merge patch that makes an object nobody's: neither its rule nor its policy finds it any more. */
export const ORPHAN_PATCH = {
  metadata: {
    labels: {
      [`${PREFIX}policy-name`]: null,
      [`${PREFIX}policy-namespace`]: null,
      [`${PREFIX}rule-name`]: null,
    },
  },
};

/** The label selector of what any rule of these policies made. */
export function downstreamScopeSelector(policies: readonly string[]): string {
  return `app.kubernetes.io/managed-by=kyverno,${PREFIX}policy-name in (${policies.join(",")})`;
}
