import { existsSync, readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Cluster, KubeConfig } from "@kubernetes/client-node";
import { loadKubeConfigClass } from "./kube-config.ts";
import { type KubeError, noAnswer } from "./kube-error.ts";
import { findServiceAccount } from "./service-account.ts";

/** What TLS needs, as `tls.connect` takes it; absent parts are Node's defaults. */
export interface TlsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/** What a request brings along. Never logged. */
export interface Credentials {
  headers: Record<string, string>;
  tls: TlsOptions;
}

/** One cluster as one user sees it. */
export interface ClusterAccess {
  /** Base address without a trailing slash; may hold a path (`https://rancher/k8s/clusters/c-1`). */
  server: string;
  proxyUrl?: string;
  /**
   * Reads token and certificate files afresh, and asks the exec plugin when its answer has expired. After the server
   * refused what came of it, the kubeconfig itself is read again and the plugin asked in any case.
   * @throws KubeError
   */
  authenticate(after?: "refusal"): Promise<Credentials>;
}

export interface AccessOptions {
  /** Path of a kubeconfig file. */
  kubeconfig?: string;
  context?: string;
}

/**
 * The cluster to talk to: the given kubeconfig; else, inside a pod, its ServiceAccount; else `$KUBECONFIG` or
 * `~/.kube/config`.
 * @throws KubeError with reason ConfigInvalid
 */
export async function loadClusterAccess({ kubeconfig, context }: AccessOptions): Promise<ClusterAccess> {
  const pod = kubeconfig === undefined ? findServiceAccount(process.env) : undefined;
  if (pod === undefined) return loadKubeconfig(kubeconfig ?? defaultFile(), context);
  if (context === undefined) return pod;
  throw configInvalid(`Cannot use the context "${context}": a pod's ServiceAccount has none; give a kubeconfig`);
}

/**
 * client-node does the reading. It is imported here and late, so that neither a command that meets no cluster nor a
 * service in its pod pays for it.
 */
async function loadKubeconfig(file: string, context: string | undefined): Promise<ClusterAccess> {
  const KubeConfig = await loadKubeConfigClass();
  const load = async () => {
    const config = new KubeConfig();
    await loadFile(config, file);
    return config;
  };
  let config = await load();
  const { server, proxyUrl } = selectCluster(config, context);
  return {
    server: server.replace(/\/+$/, ""),
    ...(proxyUrl ? { proxyUrl } : {}),
    authenticate: async (after) => {
      if (after === "refusal") {
        config = await load(); // with it client-node's own caches of tokens go
        selectCluster(config, context);
      }
      return authenticate(config, server);
    },
  };
}

/** The first existing file of `$KUBECONFIG`, or kubectl's default. */
function defaultFile(): string {
  const listed = process.env["KUBECONFIG"]?.split(delimiter).filter((file) => file !== "") ?? [];
  const candidates = listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
  const found = candidates.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw configInvalid(
    `Cannot find a cluster: this is no pod with a ServiceAccount, and ${candidates.join(", ")} does not exist; give a kubeconfig`,
  );
}

async function loadFile(config: KubeConfig, file: string): Promise<void> {
  try {
    config.loadFromFile(file);
    await adoptTokenFiles(config, file);
  } catch (cause) {
    throw configInvalid(`Cannot read the kubeconfig "${file}": ${(cause as Error).message}`, cause);
  }
}

/**
 * client-node 2.0.1 does not know the kubeconfig field `tokenFile` (it looks for `token-file`), but reads and rereads
 * the file of an auth provider of its own.
 */
async function adoptTokenFiles(config: KubeConfig, file: string): Promise<void> {
  const source = readFileSync(file, "utf8");
  if (!source.includes("tokenFile")) return;
  const { parse } = await import("yaml"); // few need it
  const { users = [] } = (parse(source) ?? {}) as {
    users?: { name?: string; user?: { tokenFile?: string } }[];
  };
  for (const { name, user } of users) {
    if (user?.tokenFile === undefined || name === undefined) continue;
    const tokenFile = resolve(dirname(file), user.tokenFile);
    config.users = config.users.map((known) =>
      known.name === name ? { name, authProvider: { name: "tokenFile", config: { tokenFile } } } : known,
    );
  }
}

/** Makes the context current and its cluster and user such that client-node can use them. */
function selectCluster(config: KubeConfig, context: string | undefined): Cluster {
  if (context !== undefined) config.setCurrentContext(context);
  const name = config.getCurrentContext() ?? "";
  const chosen = config.getContextObject(name);
  const cluster = config.getCurrentCluster();
  if (chosen === null || cluster === null) {
    const known = config.getContexts().map((each) => `"${each.name}"`);
    const state = chosen === null ? "is not in the kubeconfig" : `names the cluster "${chosen.cluster}", which is not`;
    throw configInvalid(`Cannot use the context "${name}": it ${state}; there are ${known.join(", ") || "none"}`);
  }
  if (config.getCurrentUser() === null) adoptAnonymousUser(config, name);
  requireSafeAddress(cluster.server, cluster.skipTLSVerify === true);
  // client-node refuses plain HTTP unless told to skip TLS checks, of which plain HTTP has none.
  if (cluster.server.startsWith("http:")) config.clusters = [{ ...cluster, skipTLSVerify: true }];
  return cluster;
}

/** client-node skips the certificate authority of a context without user. */
function adoptAnonymousUser(config: KubeConfig, contextName: string): void {
  const named = config.getContextObject(contextName)?.user;
  if (named)
    throw configInvalid(`Cannot use the context "${contextName}": its user "${named}" is not in the kubeconfig`);
  config.users = [...config.users, { name: "anonymous" }];
  config.contexts = config.contexts.map((each) => (each.name === contextName ? { ...each, user: "anonymous" } : each));
}

/** A token must not travel readable: plain HTTP is for this machine, or for who asked for no TLS checks anyway. */
function requireSafeAddress(server: string, skipsTlsChecks: boolean): void {
  if (!URL.canParse(server))
    throw configInvalid(`Cannot use the server "${server}": it is no address like https://host:6443`);
  const { protocol, hostname } = new URL(server);
  if (protocol === "https:") return;
  const isLoopback = /^(127(\.\d+){3}|localhost|\[::1\])$/.test(hostname);
  if (protocol === "http:" && (isLoopback || skipsTlsChecks)) return;
  throw configInvalid(
    `Cannot use the server "${server}": credentials would travel readable; use https, or set insecure-skip-tls-verify`,
  );
}

async function authenticate(config: KubeConfig, server: string): Promise<Credentials> {
  const options: RequestOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw noAnswer(
      "CredentialsUnavailable",
      `Cannot get credentials for ${server}: ${(cause as Error).message.trim()}; check the user's entry in the kubeconfig`,
      cause,
    );
  }
  return { headers: headersOf(options), tls: tlsOf(options) };
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const entries = Object.entries(headers as Record<string, string>);
  // A token file usually ends with a newline, which no header may hold.
  const trimmed = Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
  return auth ? { ...trimmed, authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : trimmed;
}

function tlsOf(options: RequestOptions & { servername?: string }): TlsOptions {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const given = Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given) as TlsOptions;
}

function configInvalid(message: string, cause?: unknown): KubeError {
  return noAnswer("ConfigInvalid", message, cause);
}
