import type { Address } from "../config/parse.ts";
import { type ResourceType, SECRET } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../resources/object.ts";

const DEPLOYMENT: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};
const POD: ResourceType = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };

/** The two services as the guide's commands name them: `kubectl logs -n kyverno deploy/kyverno-background-controller`. */
export const WORKLOADS = [
  { namespace: "cpaas-system", name: "courier-api", component: "api" },
  { namespace: "kyverno", name: "kyverno-background-controller", component: "generator" },
] as const;

export type WorkloadName = (typeof WORKLOADS)[number]["name"];

/** What a platform has beside the kinds: the mail server's Secret, and a Deployment and Pod to name each service. */
export function platformObjects(smtp: Address): KubeObject[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "kyverno" } },
    emailServerSecret(smtp),
    ...WORKLOADS.flatMap(workloadObjects),
  ];
}

/** What a kubelet and a Deployment controller would report of the two services, which run in this process. */
export function workloadStatuses(): { type: ResourceType; key: ObjectKey; status: object }[] {
  const ready = { type: "Ready", status: "True" };
  return WORKLOADS.flatMap(({ namespace, name }) => [
    {
      type: DEPLOYMENT,
      key: { namespace, name },
      status: { replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 },
    },
    {
      type: POD,
      key: { namespace, name: podName(name) },
      status: {
        phase: "Running",
        conditions: [ready],
        containerStatuses: [
          { name, ready: true, restartCount: 0, image: "courier", imageID: "", state: { running: {} } },
        ],
      },
    },
  ]);
}

function podName(workload: string): string {
  return `${workload}-sandbox`;
}

function emailServerSecret({ host, port }: Address): KubeObject {
  const label = (name: string) => `cpaas.io/notification.server.${name}`;
  return {
    apiVersion: "v1",
    kind: SECRET.kind,
    metadata: {
      name: "platform-email-server",
      namespace: "cpaas-system",
      labels: { [label("type")]: "Email", [label("category")]: "Email" },
    },
    type: "NotificationServer",
    stringData: {
      host,
      port: String(port),
      from: "user@example.com",
      displayNameEn: "Platform",
      displayNameZh: "平台",
    },
  };
}

/** Labelled as deploy/ labels them, so that `kubectl apply -k deploy/` takes the Deployment over: a selector is immutable. */
function workloadObjects({ namespace, name, component }: (typeof WORKLOADS)[number]): KubeObject[] {
  const labels = { "app.kubernetes.io/name": "courier", "app.kubernetes.io/component": component };
  const spec = { containers: [{ name, image: "courier" }] };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace, name, labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    { apiVersion: "v1", kind: "Pod", metadata: { namespace, name: podName(name), labels }, spec },
  ];
}
