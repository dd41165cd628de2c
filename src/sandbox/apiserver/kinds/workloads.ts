import type { KubeObject } from "../../../resources/object.ts";
import type { StatusCause } from "../protocol/api-error.ts";
import type { KindRules } from "../resources/resource.ts";
import { invalid, required } from "../schema/field-error.ts";
import { at, textAt } from "../table/columns.ts";
import { immutable } from "./names.ts";

type Fields = Record<string, unknown>;

function fieldsAt(object: KubeObject, field: string): Fields {
  object[field] ??= {};
  return object[field] as Fields;
}

/** Sets each default whose field is missing. */
function fill(target: Fields, defaults: Fields): void {
  for (const [field, value] of Object.entries(defaults)) target[field] ??= structuredClone(value);
}

const POD_DEFAULTS: Fields = {
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 30,
  dnsPolicy: "ClusterFirst",
  securityContext: {},
  schedulerName: "default-scheduler",
};

function fillPodSpec(spec: Fields): void {
  fill(spec, POD_DEFAULTS);
  const containers = Array.isArray(spec["containers"]) ? (spec["containers"] as Fields[]) : [];
  for (const container of containers) {
    const latest = /(^[^:@]+$)|(:latest$)/.test(String(container["image"] ?? "").replace(/^.*\//, ""));
    const ports = Array.isArray(container["ports"]) ? (container["ports"] as Fields[]) : [];
    for (const port of ports) fill(port, { protocol: "TCP" });
    fill(container, {
      imagePullPolicy: latest ? "Always" : "IfNotPresent",
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      resources: {},
    });
  }
}

function containerErrors(spec: unknown, field: string): StatusCause[] {
  const containers = (spec as { containers?: Fields[] } | undefined)?.containers ?? [];
  if (containers.length === 0) return [required(`${field}.containers`)];
  return containers.flatMap((container, index) => [
    ...(container["name"] ? [] : [required(`${field}.containers[${index}].name`)]),
    ...(container["image"] ? [] : [required(`${field}.containers[${index}].image`)]),
  ]);
}

/** Pod: stored; nothing runs it. A spec without node stays Pending as on a cluster without nodes. */
export const POD_RULES: KindRules = {
  unconditionalUpdate: true,
  prepare(draft, live) {
    fillPodSpec(fieldsAt(draft, "spec"));
    if (live === undefined)
      draft["status"] = { phase: "Pending", qosClass: "BestEffort", ...(draft["status"] as Fields) };
  },
  validate: (object) => containerErrors(object["spec"], "spec"),
  fields: (object) => ({
    "spec.nodeName": textAt(object, "spec", "nodeName"),
    "spec.restartPolicy": textAt(object, "spec", "restartPolicy"),
    "spec.schedulerName": textAt(object, "spec", "schedulerName"),
    "spec.serviceAccountName": textAt(object, "spec", "serviceAccountName"),
    "status.phase": textAt(object, "status", "phase"),
    "status.podIP": textAt(object, "status", "podIP"),
    "status.nominatedNodeName": textAt(object, "status", "nominatedNodeName"),
  }),
};

/** Deployment: stored; no controller makes pods of it. */
export const DEPLOYMENT_RULES: KindRules = {
  unconditionalUpdate: true,
  generation: true,
  prepare(draft) {
    const spec = fieldsAt(draft, "spec");
    fill(spec, {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: {},
      template: {},
    });
    fill(spec["strategy"] as Fields, { type: "RollingUpdate" });
    const strategy = spec["strategy"] as Fields;
    if (strategy["type"] === "RollingUpdate") {
      fill(strategy, { rollingUpdate: {} });
      fill(strategy["rollingUpdate"] as Fields, { maxSurge: "25%", maxUnavailable: "25%" });
    }
    const template = spec["template"] as Fields;
    fill(template, { metadata: {}, spec: {} });
    fillPodSpec(template["spec"] as Fields);
    draft["status"] ??= {};
  },
  validate(object, live) {
    const selector = at(object, "spec", "selector", "matchLabels") as Record<string, string> | undefined;
    const labels = (at(object, "spec", "template", "metadata", "labels") ?? {}) as Record<string, string>;
    const unmatched = Object.entries(selector ?? {}).some(([key, value]) => labels[key] !== value);
    const template = containerErrors(at(object, "spec", "template", "spec"), "spec.template.spec");
    return [
      ...(at(object, "spec", "selector") === undefined ? [required("spec.selector")] : []),
      ...(unmatched
        ? [invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")]
        : []),
      ...template,
      ...(live === undefined
        ? []
        : immutable("spec.selector", at(object, "spec", "selector"), at(live, "spec", "selector"))),
    ];
  },
};

/** Service: gets a cluster address that nothing answers on. */
export const SERVICE_RULES: KindRules = {
  unconditionalUpdate: true,
  names: "rfc1035-label",
  prepare(draft, live) {
    const spec = fieldsAt(draft, "spec");
    fill(spec, { type: "ClusterIP", sessionAffinity: "None", internalTrafficPolicy: "Cluster" });
    spec["clusterIP"] ??= live === undefined ? nextClusterAddress(draft) : at(live, "spec", "clusterIP");
    spec["clusterIPs"] ??= [spec["clusterIP"]];
    const ports = Array.isArray(spec["ports"]) ? (spec["ports"] as Fields[]) : [];
    for (const port of ports) fill(port, { protocol: "TCP", targetPort: port["port"] });
    draft["status"] ??= { loadBalancer: {} };
  },
  fields: (object) => ({
    "spec.clusterIP": textAt(object, "spec", "clusterIP"),
    "spec.type": textAt(object, "spec", "type"),
  }),
};

/** An address of 10.96.0.0/16 that follows from the Service's name, so that no state is kept for it. */
function nextClusterAddress({ metadata }: KubeObject): string {
  let hash = 0;
  for (const character of `${metadata.namespace}/${metadata.name}`)
    hash = (hash * 31 + character.charCodeAt(0)) % 65_000;
  return `10.96.${hash >> 8}.${hash & 255 || 1}`;
}
