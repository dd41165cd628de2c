import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { connect } from "../../src/kube/connect.ts";

/** A server that answers as a test says, over real sockets, and counts the connections made to it. */
export interface ScriptedServer {
  url: string;
  port: number;
  connections(): number;
  /** Breaks all connections, as a crash would. */
  breakConnections(): void;
}

export interface Exchange {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: string;
  response: ServerResponse;
}

/** Starts a server on a free loopback port; it is gone at the test's end. */
export async function startServer(
  t: TestContext,
  answer: (exchange: Exchange) => void,
  tls?: ServerOptions,
): Promise<ScriptedServer> {
  const listener: RequestListener = (request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => answer(exchangeOf(request, response, Buffer.concat(parts).toString())));
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.keepAliveTimeout = 60_000; // the server must not be the one that closes
  let count = 0;
  server.on(tls === undefined ? "connection" : "secureConnection", () => {
    count += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return { url, port, connections: () => count, breakConnections: () => server.closeAllConnections() };
}

function exchangeOf(request: IncomingMessage, response: ServerResponse, body: string): Exchange {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://server");
  const { method = "", headers } = request;
  return { method, path: pathname, query: searchParams, headers, body, response };
}

export function json(response: ServerResponse, body: unknown, code = 200, headers: Record<string, string> = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

export function status(code: number, reason: string, message: string, details?: object): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
}

/** A directory that is gone at the test's end. */
export function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "courier-kube-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Writes a kubeconfig (YAML is a superset of JSON) for one cluster and user, and returns its path. */
export function writeKubeconfig(t: TestContext, cluster: object, user: object = { token: "t0ken" }): string {
  const file = join(scratch(t), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "here", context: { cluster: "c", user: "u" } }],
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** A client of the scripted server, closed at the test's end. */
export async function clientOf(t: TestContext, server: ScriptedServer, options: { maxConnections?: number } = {}) {
  const client = await connect({ kubeconfig: writeKubeconfig(t, { server: server.url }), ...options });
  t.after(() => client.close());
  return client;
}

/** Resolves once `holds()` is true, asked after each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
