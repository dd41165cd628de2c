import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { stringify } from "yaml";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import { apiVersionOf, type ResourceType } from "../../src/resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../../src/resources/object.ts";
import type { Manifest } from "./manifests.ts";

export const CUSTOM_RESOURCE_DEFINITION: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

/** The administrator of the cluster under test, and the way to act as somebody with fewer rights. */
export interface Cluster {
  admin: KubeClient;
  /** Applies in order what `kubectl apply -k` would; CRDs are waited for until they are established. */
  install(manifests: Manifest[]): Promise<void>;
  /** A fresh token of a ServiceAccount in cpaas-system. */
  tokenOf(serviceAccount: string): Promise<string>;
  /** Writes a kubeconfig with a fresh token of a ServiceAccount in cpaas-system. Returns its path. */
  kubeconfigOf(serviceAccount: string): Promise<string>;
  close(): Promise<void>;
}

/** Opens the cluster that the kubeconfig at `path` leads to, as its current user. */
export async function openCluster(path: string): Promise<Cluster> {
  const admin = await connect({ kubeconfig: path });
  const config = new KubeConfig();
  config.loadFromFile(path);
  const directory = await mkdtemp(join(tmpdir(), "courier-cluster-"));
  const tokenOf = async (name: string) => {
    const { status } = await config.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
      name,
      namespace: "cpaas-system",
      body: { spec: { audiences: [], expirationSeconds: 3600 } },
    });
    return status?.token ?? "";
  };
  return {
    admin,
    install: (manifests) => install(admin, manifests as unknown as KubeObject[]),
    tokenOf,
    async kubeconfigOf(serviceAccount) {
      const file = join(directory, `${serviceAccount}.kubeconfig`);
      await writeFile(file, kubeconfigFor(config, serviceAccount, await tokenOf(serviceAccount)), { mode: 0o600 });
      return file;
    },
    async close() {
      await admin.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** The HTTP code that the API server refused `request` with; 200 when it did not. */
export async function answerTo(request: Promise<unknown>): Promise<number> {
  try {
    await request;
    return 200;
  } catch (error) {
    if (error instanceof KubeError) return error.code;
    throw error;
  }
}

async function install(admin: KubeClient, manifests: KubeObject[]): Promise<void> {
  let types = await admin.discover();
  for (const manifest of manifests) {
    const { apiVersion, kind, metadata } = manifest;
    const type = types.find((served) => served.kind === kind && apiVersionOf(served) === apiVersion);
    if (type === undefined) throw new Error(`Cannot apply ${kind} "${metadata.name}": ${apiVersion} does not serve it`);
    await admin.apply(type, manifest, { fieldManager: "courier-test", force: true });
    if (kind !== "CustomResourceDefinition") continue;
    await established(admin, { namespace: "", name: metadata.name ?? "" });
    types = await admin.discover();
  }
}

async function established(admin: KubeClient, key: ObjectKey): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const crd = await admin.get(CUSTOM_RESOURCE_DEFINITION, key);
    const status = crd?.["status"] as { conditions?: { type: string; status: string }[] | null } | undefined;
    if (status?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True"))
      return;
    await pause(100);
  }
  throw new Error(`CustomResourceDefinition "${key.name}" is not established after 10 s`);
}

function kubeconfigFor(config: KubeConfig, user: string, token: string): string {
  const { server, caFile, caData } = config.getCurrentCluster() ?? {};
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      {
        name: "test",
        cluster: {
          server,
          ...(caFile !== undefined && { "certificate-authority": caFile }),
          ...(caData !== undefined && { "certificate-authority-data": caData }),
        },
      },
    ],
    contexts: [{ name: "test", context: { cluster: "test", user } }],
    users: [{ name: user, user: { token } }],
  });
}
