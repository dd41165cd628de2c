/** The real API server of the shared folder, which this suite may kill: it starts one of its own. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { ROOT } from "../deploy/manifests.ts";

const run = promisify(execFile);
const KUBE = resolve(ROOT, "../shared/kube");
const PATIENCE_MS = 60_000;

export interface ApiServer {
  /** The administrator's. */
  readonly kubeconfig: string;
  readonly port: number;
  kubectl(...args: string[]): Promise<string>;
  /** kill -9; etcd stays. */
  kill(): Promise<void>;
  /** Starts it again with the flags it had, and resolves when it is ready. */
  restart(): Promise<void>;
  /** Stops the process without ending it: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): Promise<void>;
  /** Requests that it has answered so far, but for the creation of messages, which is this suite's. */
  requests(): Promise<number>;
  close(): Promise<void>;
}

/** Why there can be no API server here; undefined when there can. */
export async function apiServerMissing(): Promise<string | undefined> {
  if (!existsSync(join(KUBE, "kube-up"))) return "there is no shared/kube/kube-up beside the repository";
  return run("kubectl", ["version", "--client"]).then(
    () => undefined,
    () => "kubectl is not on PATH",
  );
}

/** Starts etcd and kube-apiserver with their files in `directory`. */
export async function startApiServer(directory: string): Promise<ApiServer> {
  await run(join(KUBE, "kube-up"), [directory]);
  const kubeconfig = join(directory, "kubeconfig");
  const pidFile = join(directory, "kube-apiserver.pid");
  let pid = Number(await readFile(pidFile, "utf8"));
  const [command = "", ...args] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0").slice(0, -1);
  const port = Number((await readFile(join(directory, "ports"), "utf8")).trim().split(" ")[2]);
  const kubectl = async (...given: string[]) =>
    (await run("kubectl", ["--kubeconfig", kubeconfig, ...given], { cwd: ROOT, maxBuffer: 2 ** 26 })).stdout;
  const answered = async () => countRequests(await kubectl("get", "--raw", "/metrics"));
  let earlier = 0; // answered by processes that were killed

  async function ready(): Promise<void> {
    for (const endMs = Date.now() + PATIENCE_MS; ; await pause(100)) {
      const answer = await kubectl("get", "--raw", "/readyz", "--request-timeout=2s").catch((error) => `${error}`);
      if (answer === "ok") return;
      if (Date.now() > endMs) throw new Error(`the API server is not ready after ${PATIENCE_MS / 1000} s: ${answer}`);
    }
  }

  return {
    kubeconfig,
    port,
    kubectl,
    async kill() {
      earlier += await answered();
      process.kill(pid, "SIGKILL");
    },
    async restart() {
      const child = spawn(command, args, { cwd: directory, detached: true, stdio: "ignore" });
      child.unref();
      pid = child.pid ?? 0;
      await writeFile(pidFile, `${pid}\n`); // what kube-down stops
      await ready();
    },
    freeze: () => void process.kill(pid, "SIGSTOP"),
    async thaw() {
      process.kill(pid, "SIGCONT");
      await ready();
    },
    requests: async () => earlier + (await answered()),
    close: async () => void (await run(join(KUBE, "kube-down"), [directory])),
  };
}

/** The kubeconfig at `path` with the API server at `host`, whose certificate knows it by its names in a cluster. */
export async function moveKubeconfig(path: string, host: string): Promise<void> {
  const config = parse(await readFile(path, "utf8")) as { clusters: { cluster: Record<string, string> }[] };
  for (const { cluster } of config.clusters) {
    cluster["server"] = (cluster["server"] ?? "").replace("127.0.0.1", host);
    cluster["tls-server-name"] = "kubernetes.default.svc";
  }
  await writeFile(path, stringify(config), { mode: 0o600 });
}

function countRequests(metrics: string): number {
  const lines = metrics.split("\n").filter((line) => line.startsWith("apiserver_request_total{"));
  return lines.reduce((sum, line) => {
    const isOurs = /resource="(notificationmessages|notificationtemplates|leases|events|secrets)"/.test(line);
    const isCreation = line.includes('verb="POST"') && line.includes('resource="notificationmessages"');
    return isOurs && !isCreation ? sum + Number(line.slice(line.lastIndexOf(" "))) : sum;
  }, 0);
}
