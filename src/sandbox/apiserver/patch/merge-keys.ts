/** How a strategic merge patch treats a list: by a key of its entries, as a set of scalars, or as a whole. */
export type ListStrategy = { key: string } | "set" | "replace";

/** Of every kind's metadata, and of the pod templates inside workloads. Source: the `patchMergeKey` tags of k8s.io/api. */
const COMMON = new Map<string, ListStrategy>([
  ["finalizers", "set"],
  ["ownerReferences", { key: "uid" }],
]);

const POD = new Map<string, ListStrategy>([
  ["containers", { key: "name" }],
  ["initContainers", { key: "name" }],
  ["ephemeralContainers", { key: "name" }],
  ["env", { key: "name" }],
  ["ports", { key: "containerPort" }],
  ["volumeMounts", { key: "mountPath" }],
  ["volumeDevices", { key: "devicePath" }],
  ["volumes", { key: "name" }],
  ["imagePullSecrets", { key: "name" }],
  ["hostAliases", { key: "ip" }],
  ["topologySpreadConstraints", { key: "topologyKey" }],
  ["conditions", { key: "type" }],
]);

const BY_KIND = new Map<string, Map<string, ListStrategy>>([
  ["ServiceAccount", new Map([["secrets", { key: "name" }]])],
  ["Service", new Map([["ports", { key: "port" }]])],
  ["Namespace", new Map([["conditions", { key: "type" }]])],
  ...["Pod", "PodTemplate", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"].map(
    (kind): [string, Map<string, ListStrategy>] => [kind, POD],
  ),
]);

/** The strategy of a list field, by its name: no kind has two lists of one name with different keys among those served. */
export function listStrategy(kind: string, field: string): ListStrategy {
  return BY_KIND.get(kind)?.get(field) ?? COMMON.get(field) ?? "replace";
}
