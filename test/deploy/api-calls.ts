import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";

/** A request as the API server's authorization sees it; absent fields are "". */
export interface ApiCall {
  verb: string;
  group: string;
  /** With its subresource, as a Role names it: `notificationmessages/status`. */
  resource: string;
  namespace: string;
  name: string;
}

const VERBS: Record<string, string> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };
const PATH =
  /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]))?\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?$/;

/** What is asked for, as Kubernetes' RequestInfo has it; undefined for what is no resource (discovery, /version). */
export function parseCall(method: string, url: string): ApiCall | undefined {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const [matched, group = "", namespace = "", plural = "", named = "", subresource] = PATH.exec(pathname) ?? [];
  if (matched === undefined) return undefined;
  const selected = /(?:^|,)metadata\.name=([^,]+)/.exec(searchParams.get("fieldSelector") ?? "")?.[1] ?? "";
  const isWatch = ["true", "1"].includes(searchParams.get("watch") ?? "");
  const read = isWatch ? "watch" : named === "" ? "list" : "get";
  return {
    verb: VERBS[method] ?? read,
    group,
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    namespace,
    name: named === "" ? selected : decodeURIComponent(named),
  };
}

/** A way to the API server that notes every request and how it was answered. */
export interface ApiRecorder {
  calls: (ApiCall & { code: number })[];
  /** Says which calls are answered with 503 instead of being passed on. */
  overloaded: (call: ApiCall) => boolean;
  /** Rewrites the kubeconfig at `path` so that its requests come through here. */
  redirect(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens such a way to the server of the kubeconfig at `path`: plain HTTP on loopback, for one ServiceAccount. */
export async function recordApiCalls(path: string): Promise<ApiRecorder> {
  const config = new KubeConfig();
  config.loadFromFile(path);
  const { server: target = "", caFile, caData } = config.getCurrentCluster() ?? {};
  const ca = caData === undefined ? await readFile(caFile ?? "") : Buffer.from(caData, "base64");

  function pass(near: IncomingMessage, answer: ServerResponse): void {
    const { method = "GET", url = "/", headers } = near;
    const { host: _, ...passed } = headers;
    const call = parseCall(method, url);
    if (call !== undefined && self.overloaded(call)) {
      const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 503, reason: "ServiceUnavailable" };
      near.resume();
      answer.writeHead(503, { "content-type": "application/json" }).end(JSON.stringify(status));
      return;
    }
    const far = request(new URL(url, target), { method, headers: passed, ca }, (response) => {
      if (call !== undefined) self.calls.push({ ...call, code: response.statusCode ?? 0 });
      answer.writeHead(response.statusCode ?? 502, response.headers).flushHeaders();
      response.pipe(answer);
    });
    far.on("error", () => answer.destroy());
    answer.on("close", () => far.destroy());
    near.pipe(far);
  }

  const server = createServer(pass).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const self: ApiRecorder = {
    calls: [],
    overloaded: () => false,
    async redirect(file) {
      const document = parse(await readFile(file, "utf8")) as { clusters: { cluster: object }[] };
      for (const entry of document.clusters) entry.cluster = { server: `http://127.0.0.1:${port}` };
      await writeFile(file, stringify(document), { mode: 0o600 });
    },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return self;
}
