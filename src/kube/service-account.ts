import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { ClusterAccess } from "./cluster-access.ts";
import { noAnswer } from "./kube-error.ts";

/** Where the kubelet puts a pod's token and the cluster's certificate authority. */
const DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The pod's own cluster as its ServiceAccount sees it, found as client-go's `rest.InClusterConfig` finds it; undefined
 * outside a pod. The kubelet renews both files: each is read whenever credentials are asked for.
 */
export function findServiceAccount(env: NodeJS.ProcessEnv, directory = DIRECTORY): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (!host || !existsSync(join(directory, "token"))) return undefined;
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    async authenticate() {
      const [token, ca] = await Promise.all([read(join(directory, "token")), read(join(directory, "ca.crt"))]);
      return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
    },
  };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw noAnswer(
      "CredentialsUnavailable",
      `Cannot read the ServiceAccount's file "${file}": ${(cause as Error).message}; check automountServiceAccountToken`,
      cause,
    );
  }
}
