import { readFile } from "node:fs/promises";
import { parse, parseAllDocuments } from "yaml";
import type { EvaluationInputs } from "../../src/generator/evaluate-rule.ts";
import { parsePolicy } from "../../src/generator/parse-policy.ts";
import type { ChangeRequest } from "../../src/generator/request.ts";
import { leaveOut } from "../../src/generator/resource-filters.ts";
import type { Operation, Policy } from "../../src/generator/rule-model.ts";
import { ExpressionCache, type Scope } from "../../src/generator/substitute.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { Json, KubeObject } from "../../src/resources/object.ts";
import { DEFAULT_RESOURCE_FILTERS, parseResourceFilters } from "../../src/resources/resource-filter.ts";

/** The guide's policy as deploy/ ships it. */
export async function guidePolicy(): Promise<KubeObject> {
  const directory = new URL("../../deploy/examples/", import.meta.url);
  const text = await readFile(new URL("policy.yaml", directory), "utf8");
  return parseAllDocuments(text)[0]?.toJS() as KubeObject;
}

/** A ConfigMap `app-team-a/app-notification-source` at a version. */
export function configMap(resourceVersion: string, data: Record<string, Json>, metadata: object = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "app-team-a", name: "app-notification-source", uid: "u-1", resourceVersion, ...metadata },
    data,
  };
}

export function change(operation: Operation, object: KubeObject, oldObject?: KubeObject): ChangeRequest {
  return { operation, type: CONFIG_MAP, object, oldObject };
}

export interface PolicyOptions {
  kind?: string;
  namespace?: string;
  annotations?: Record<string, string>;
}

/** A policy whose only rule is the YAML given, completed by what is left out. */
export function policyOf(ruleYaml: string, more: PolicyOptions = {}): Policy {
  const rule = parse(ruleYaml) as Record<string, Json>;
  const { kind = "ClusterPolicy", namespace, annotations = {} } = more;
  const out = kind === "Policy" ? (namespace ?? "default") : "out";
  const generate = { apiVersion: "v1", kind: "ConfigMap", namespace: out, name: "target", data: {} };
  const match = { any: [{ resources: { kinds: ["ConfigMap"] } }] };
  return parsePolicy({
    apiVersion: "kyverno.io/v1",
    kind,
    metadata: { name: "p", annotations, ...(namespace === undefined ? {} : { namespace }) },
    spec: { rules: [{ name: "r", match, generate, ...rule }] },
  });
}

/** Inputs of a cluster that has nothing. */
export function noCluster(): EvaluationInputs {
  const nothing = () => Promise.reject(new Error("there is no cluster here"));
  return {
    source: {
      configMap: nothing,
      apiCall: nothing,
      globalEntry: nothing,
      globalData: nothing,
      namespaceLabels: nothing,
    },
    now: () => new Date("2026-11-22T10:00:00Z"),
    expressions: new ExpressionCache(),
    leaveOut: leaveOut(parseResourceFilters(DEFAULT_RESOURCE_FILTERS)),
  };
}

/** What expressions see when the document is this. */
export function scopeOf(document: { [key: string]: Json }, evaluatesValues = false): Scope {
  const { now, expressions } = noCluster();
  return { document, failures: new Map(), environment: { now, spent: { steps: 0 } }, evaluatesValues, expressions };
}
