import type { Address } from "../config/parse.ts";
import { SECRET } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";

/** The two services as the guide's commands name them: `kubectl logs -n kyverno deploy/kyverno-background-controller`. */
export const WORKLOADS = [
  { namespace: "cpaas-system", name: "courier-api" },
  { namespace: "kyverno", name: "kyverno-background-controller" },
] as const;

export type WorkloadName = (typeof WORKLOADS)[number]["name"];

/** What a platform has beside the kinds: the mail server's Secret, and a Deployment and Pod to name each service. */
export function platformObjects(smtp: Address): KubeObject[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "kyverno" } },
    emailServerSecret(smtp),
    ...WORKLOADS.flatMap(({ namespace, name }) => workloadObjects(namespace, name)),
  ];
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

function workloadObjects(namespace: string, name: string): KubeObject[] {
  const labels = { "app.kubernetes.io/name": name };
  const spec = { containers: [{ name, image: "courier" }] };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace, name, labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    { apiVersion: "v1", kind: "Pod", metadata: { namespace, name: `${name}-sandbox`, labels }, spec },
  ];
}
