import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { parse } from "yaml";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";

/** The API server that this suite is held against. */
export interface Target {
  server: string;
  ca: string | undefined;
  token: string | undefined;
  certificate: { cert: string; key: string } | undefined;
  /** For kubectl. */
  kubeconfig: string;
  isSandbox: boolean;
}

/** Short, so that a test can outlive it. */
export const SANDBOX_HISTORY_EVENTS = 200;

interface Kubeconfig {
  "current-context": string;
  contexts: { name: string; context: { cluster: string; user: string } }[];
  clusters: { name: string; cluster: Record<string, string> }[];
  users: { name: string; user: Record<string, string> }[];
}

/**
 * The cluster of COURIER_TEST_KUBECONFIG, or a sandbox API server of this process' own. KUBECONFIG counts only for
 * `npm run test:cluster`: plain `npm test` must never write to whatever cluster a shell happens to be logged in to.
 */
export const target: Target = await openTarget();

async function openTarget(): Promise<Target> {
  const named = process.env["npm_lifecycle_event"] === "test:cluster" ? process.env["KUBECONFIG"] : undefined;
  const path = process.env["COURIER_TEST_KUBECONFIG"] ?? named;
  if (path !== undefined && path !== "") return { ...(await readTarget(path)), isSandbox: false };
  const directory = await mkdtemp(join(tmpdir(), "courier-conformance-"));
  const kubeconfig = join(directory, "kubeconfig");
  const sandbox = await startApiServer({ historyEvents: SANDBOX_HISTORY_EVENTS, bookmarkMs: 200 });
  await sandbox.writeKubeconfig(kubeconfig);
  after(async () => {
    await sandbox.close();
    await rm(directory, { recursive: true });
  });
  return { ...(await readTarget(kubeconfig)), isSandbox: true };
}

async function readTarget(path: string): Promise<Omit<Target, "isSandbox">> {
  const config = parse(await readFile(path, "utf8")) as Kubeconfig;
  const context = config.contexts.find(({ name }) => name === config["current-context"])?.context;
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users.find(({ name }) => name === context?.user)?.user;
  const server = cluster?.["server"];
  if (server === undefined) throw new Error(`Cannot read the kubeconfig "${path}": its current context has no server`);
  const credential = (fields: Record<string, string> | undefined, name: string) => readPem(fields ?? {}, name, path);
  const cert = await credential(user, "client-certificate");
  const key = await credential(user, "client-key");
  return {
    server: server.replace(/\/$/, ""),
    ca: await credential(cluster, "certificate-authority"),
    token: user?.["token"],
    certificate: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    kubeconfig: resolve(path),
  };
}

/** A credential stands in the kubeconfig itself (`…-data`) or in a file beside it. */
async function readPem(fields: Record<string, string>, name: string, path: string): Promise<string | undefined> {
  const data = fields[`${name}-data`];
  if (data !== undefined) return Buffer.from(data, "base64").toString();
  const file = fields[name];
  return file === undefined ? undefined : readFile(resolve(dirname(path), file), "utf8");
}
