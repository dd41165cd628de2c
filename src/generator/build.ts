import type { ResourceType } from "../resources/kinds.ts";
import type { Json, KubeObject, ObjectKey, ObjectMeta } from "../resources/object.ts";
import { RuleError } from "./errors.ts";
import { isJsonObject, type JsonObject, typeName } from "./jmespath/values.ts";
import type { ChangeRequest } from "./request.ts";
import type { BlockContent, GenerateBlock, LabelSelector, Policy, Rule } from "./rule-model.ts";
import { type Scope, substitute } from "./substitute.ts";

export interface BuildInput {
  policy: Policy;
  rule: Rule;
  block: GenerateBlock;
  request: ChangeRequest;
}

/** Where a rule's object goes, as far as the policy says it. */
export interface TargetIdentity {
  apiVersion: string;
  kind: string;
  /** "" for a cluster-scoped target. */
  namespace: string;
  name: string;
}

/** `apiVersion/Kind/namespace/name`, as Kyverno's log prints a target. */
export function formatTarget({ apiVersion, kind, namespace, name }: TargetIdentity): string {
  return [apiVersion, kind, namespace, name].join("/");
}

/** What one block gives: a whole object, or what to copy where. */
export type Built = { object: KubeObject } | { clone: CloneOrder };

/** Objects of the cluster to copy; `labels` are those of {@link originLabels}. */
export type CloneOrder =
  | { type: "clone"; target: TargetIdentity; source: ObjectKey; labels: Record<string, string> }
  | {
      type: "cloneList";
      /** Namespace of the copies; "" for cluster-scoped kinds. */
      namespace: string;
      source: string;
      /** `version/Kind` or `group/version/Kind`, as in match. */
      kinds: string[];
      selector: LabelSelector | undefined;
      labels: Record<string, string>;
    };

/** What one block generates for a change. @throws RuleError */
export function buildBlock(input: BuildInput, scope: Scope): Built {
  const { content } = input.block;
  switch (content.type) {
    case "data":
      return { object: buildTarget(input, content.data, scope) };
    case "clone":
      return { clone: orderClone(input, content, scope) };
    case "cloneList":
      return { clone: orderCloneList(input, content, scope) };
  }
}

function orderClone(
  { policy, rule, block, request }: BuildInput,
  { namespace, name }: Extract<BlockContent, { type: "clone" }>,
  scope: Scope,
): CloneOrder {
  const path = `${block.path}.clone`;
  const source = {
    namespace: textAt(namespace, scope, `${path}.namespace`),
    name: textAt(name, scope, `${path}.name`),
  };
  requireOwnNamespace(policy, source.namespace, "clone.namespace");
  const target = identifyTarget(policy, block, scope);
  return { type: "clone", target, source, labels: originLabels(policy, rule, request) };
}

function orderCloneList(
  { policy, rule, block, request }: BuildInput,
  content: Extract<BlockContent, { type: "cloneList" }>,
  scope: Scope,
): CloneOrder {
  const path = `${block.path}.cloneList`;
  const source = textAt(content.namespace, scope, `${path}.namespace`);
  const namespace = textAt(block.namespace, scope, `${block.path}.namespace`);
  requireOwnNamespace(policy, source, "cloneList.namespace");
  requireOwnNamespace(policy, namespace, "namespace");
  const kinds = content.kinds.map((kind, index) => textAt(kind, scope, `${path}.kinds[${index}]`));
  const selector = substitute((content.selector ?? null) as Json, scope, `${path}.selector`);
  return {
    type: "cloneList",
    namespace,
    source,
    kinds,
    selector: (selector ?? undefined) as LabelSelector | undefined,
    labels: originLabels(policy, rule, request),
  };
}

/** A Policy copies from and to its own namespace alone. */
function requireOwnNamespace(policy: Policy, namespace: string, where: string): void {
  if (policy.kind === "Policy" && namespace !== policy.namespace)
    throw new RuleError(
      `generate.${where} is "${namespace}": a Policy generates only in its own namespace "${policy.namespace}", use a ClusterPolicy`,
    );
}

function textAt(text: string, scope: Scope, path: string): string {
  const value = substitute(text, scope, path);
  if (typeof value === "string") return value;
  throw new RuleError(`${path} must be a string and its expression gives ${typeName(value)}`);
}

function buildTarget({ policy, rule, block, request }: BuildInput, content: JsonObject, scope: Scope): KubeObject {
  const identity = identifyTarget(policy, block, scope);
  const data = substitute(content, scope, `${block.path}.data`);
  if (!isJsonObject(data)) throw new RuleError(`generate.data must be an object and is ${typeName(data)}`);
  return {
    ...data,
    apiVersion: identity.apiVersion,
    kind: textOr(data["kind"], identity.kind),
    metadata: buildMetadata(data["metadata"] ?? {}, identity, originLabels(policy, rule, request)),
  };
}

function identifyTarget(policy: Policy, block: GenerateBlock, scope: Scope): TargetIdentity {
  const text = (name: "apiVersion" | "kind" | "namespace" | "name") => {
    const value = substitute(block[name], scope, `${block.path}.${name}`);
    if (typeof value === "string") return value;
    throw new RuleError(`generate.${name} must be a string and its expression gives ${typeName(value)}`);
  };
  const identity = {
    apiVersion: text("apiVersion"),
    kind: text("kind"),
    namespace: text("namespace"),
    name: text("name"),
  };
  for (const part of ["apiVersion", "kind", "name"] as const)
    if (identity[part] === "") throw new RuleError(`generate.${part} is empty`);
  requireOwnNamespace(policy, identity.namespace, "namespace");
  return identity;
}

function buildMetadata(given: Json, { namespace, name }: TargetIdentity, labels: Record<string, string>): ObjectMeta {
  if (!isJsonObject(given)) throw new RuleError(`generate.data.metadata must be an object and is ${typeName(given)}`);
  const own = given["labels"] ?? {};
  if (!isJsonObject(own))
    throw new RuleError(`generate.data.metadata.labels must be an object and is ${typeName(own)}`);
  const { resourceVersion: _, namespace: __, ...metadata } = given;
  const merged = { ...own, ...labels } as Record<string, string>;
  return { ...metadata, name, ...(namespace === "" ? {} : { namespace }), labels: merged } as ObjectMeta;
}

/** The labels that every generated object carries: which policy and rule made it, and from which object. */
export function originLabels(policy: Policy, rule: Rule, { type, object }: ChangeRequest): Record<string, string> {
  return {
    "app.kubernetes.io/managed-by": "kyverno",
    "generate.kyverno.io/policy-name": policy.name,
    "generate.kyverno.io/policy-namespace": policy.namespace,
    "generate.kyverno.io/rule-name": rule.name,
    ...triggerLabels(type, object),
  };
}

function triggerLabels({ group, version, kind }: ResourceType, object: KubeObject): Record<string, string> {
  return {
    "generate.kyverno.io/trigger-group": group,
    "generate.kyverno.io/trigger-version": version,
    "generate.kyverno.io/trigger-kind": kind,
    "generate.kyverno.io/trigger-namespace": object.metadata.namespace ?? "",
    "generate.kyverno.io/trigger-uid": object.metadata.uid ?? "",
  };
}

function textOr(value: Json | undefined, fallback: string): string {
  return typeof value === "string" && value !== "" ? value : fallback;
}

/** The identity of a built object. */
export function identityOf({ apiVersion, kind, metadata }: KubeObject): TargetIdentity {
  return { apiVersion, kind, namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}

/** How logs name the targets of a list. */
export function targetOfList({ kinds, namespace }: Extract<CloneOrder, { type: "cloneList" }>): TargetIdentity {
  return { apiVersion: "", kind: kinds.join(","), namespace, name: "*" };
}
