import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import type { RequestCounts } from "../../src/sandbox/apiserver/index.ts";
import { type Api, openApi } from "./api.ts";
import { processListeningOn } from "./process-usage.ts";

/** The API server that a bench runs on. */
export interface BenchApiServer {
  readonly kubeconfig: string;
  /** Its process, where it is one of this machine. */
  readonly pid: number | undefined;
  readonly isSandbox: boolean;
  readonly api: Api;
  /** Status writes and deletes of NotificationMessages so far, as the server itself counts them. */
  writes(): Promise<number>;
  close(): Promise<void>;
}

/** @param kubeconfig of a real API server; when absent the sandbox's own is started, in a process of its own */
export async function startBenchApiServer(kubeconfig: string | undefined, directory: string): Promise<BenchApiServer> {
  if (kubeconfig === undefined) return startSandbox(join(directory, "kubeconfig"));
  const api = await openApi(kubeconfig);
  return {
    kubeconfig,
    pid: processListeningOn(api.port),
    isSandbox: false,
    api,
    writes: async () => sumWrites(await api.call("GET", "/metrics")),
    close: () => api.close(),
  };
}

async function startSandbox(kubeconfig: string): Promise<BenchApiServer> {
  const child = fork(fileURLToPath(new URL("./sandbox-process.ts", import.meta.url)), [kubeconfig]);
  await once(child, "message");
  const api = await openApi(kubeconfig);
  return {
    kubeconfig,
    pid: child.pid,
    isSandbox: true,
    api,
    async writes() {
      child.send("requests");
      const [counts] = (await once(child, "message")) as [RequestCounts];
      return (counts["PATCH"] ?? 0) + (counts["DELETE"] ?? 0);
    },
    async close() {
      await api.close();
      child.kill();
      await once(child, "exit");
    },
  };
}

/** kube-apiserver's own counter, in Prometheus' text format. */
function sumWrites(metrics: string): number {
  let sum = 0;
  for (const line of metrics.split("\n")) {
    if (!line.startsWith("apiserver_request_total{")) continue;
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1];
    if (label("resource") !== NOTIFICATION_MESSAGE.plural) continue;
    if (["PATCH", "DELETE", "PUT"].includes(label("verb") ?? "")) sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}
