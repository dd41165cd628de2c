import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { Authenticator, newToken } from "./auth.ts";
import { renderKubeconfig, writePrivateFile } from "./kubeconfig.ts";
import { send } from "./protocol/answer.ts";
import { ApiError, badRequest, internal, tooLarge, unauthorized } from "./protocol/api-error.ts";
import { BODY_LIMIT_BYTES, drain } from "./protocol/body.ts";
import { type ApiRequest, flag, pathSegments } from "./protocol/request.ts";
import { builtinResources } from "./resources/builtin.ts";
import { serveDefinitions } from "./resources/definitions.ts";
import { Registry } from "./resources/registry.ts";
import { route } from "./router.ts";
import { seedNamespaces } from "./seed.ts";
import type { PodLogs, ServerState } from "./server-state.ts";
import { Snapshots } from "./store/snapshots.ts";
import { Store } from "./store/store.ts";
import { selfSigned } from "./tls.ts";

export type { PodLogQuery, PodLogs } from "./server-state.ts";

export interface ApiServerOptions {
  /** Address to listen on; loopback when absent. */
  host?: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** The administrator's bearer token; random when absent. */
  token?: string;
  /** DNS names and IP addresses for the certificate beside loopback's. */
  names?: readonly string[];
  /** Where `kubectl logs` gets its text from. */
  podLogs?: PodLogs;
  /** How many writes a watch can reach back; 10,000 when absent. */
  historyEvents?: number;
  /** How often a watch gets a bookmark; 30,000 ms when absent. */
  bookmarkMs?: number;
}

/** How many requests came, by HTTP method; `WATCH` counts watches apart from GET. */
export type RequestCounts = Record<string, number>;

/** A running Kubernetes API server, all of it in memory. */
export interface ApiServer {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly caPem: string;
  /** YAML for kubectl and client-node; `server` replaces the address in it. */
  kubeconfig(server?: string): string;
  /** Writes the kubeconfig, readable by its owner alone. */
  writeKubeconfig(path: string, server?: string): Promise<void>;
  requests(): RequestCounts;
  /** Ends watches and connections. */
  close(): Promise<void>;
}

const HISTORY_BYTES = 128 * 1024 * 1024;
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

/** Starts an API server that kubectl and client-node work with as with a real one. @throws when it cannot listen */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { host = "127.0.0.1", port: wantedPort = 0, token = newToken(), names = [] } = options;
  const { certificatePem, keyPem } = await selfSigned([...new Set([...LOOPBACK, ...names])]);
  const state = createState(options, token);
  const counts: RequestCounts = {};
  const closing = new AbortController();
  const server = createServer({ cert: certificatePem, key: keyPem }, (message, response) => {
    void handle(state, message, response, { counts, signal: closing.signal });
  });
  server.keepAliveTimeout = 90_000;
  server.requestTimeout = 0; // watches and logs last
  await listen(server, host, wantedPort);
  const { port } = server.address() as AddressInfo;
  const url = `https://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${port}`;
  const kubeconfig = (address = url): string => renderKubeconfig({ server: address, caPem: certificatePem, token });
  return {
    url,
    port,
    token,
    caPem: certificatePem,
    kubeconfig,
    writeKubeconfig: (path, address) => writePrivateFile(path, kubeconfig(address)),
    requests: () => ({ ...counts }),
    close: () => close(server, closing),
  };
}

function createState(
  { podLogs, historyEvents = 10_000, bookmarkMs = 30_000 }: ApiServerOptions,
  token: string,
): ServerState {
  const registry = new Registry();
  for (const resource of builtinResources()) registry.add(resource);
  const store = new Store({ events: historyEvents, bytes: HISTORY_BYTES });
  serveDefinitions(store, registry);
  seedNamespaces(store);
  const authenticator = new Authenticator(token);
  return { store, registry, snapshots: new Snapshots(), authenticator, podLogs, bookmarkMs };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Serving {
  counts: RequestCounts;
  signal: AbortSignal;
}

/** Takes one request to its answer. Whatever goes wrong becomes a Status; nothing gets out. */
async function handle(
  state: ServerState,
  message: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const request = readRequest(state, message, AbortSignal.any([gone.signal, serving.signal]));
    const verb = request.method === "GET" && flag(request.query, "watch") ? "WATCH" : request.method;
    serving.counts[verb] = (serving.counts[verb] ?? 0) + 1;
    await route(state, request, response);
  } catch (error) {
    await refuse(message, response, asApiError(error));
  }
}

function readRequest(state: ServerState, message: IncomingMessage, signal: AbortSignal): ApiRequest {
  const user = state.authenticator.authenticate(message.headers.authorization);
  if (user === undefined) throw unauthorized();
  const url = message.url ?? "/";
  const question = url.indexOf("?");
  const segments = pathSegments(question === -1 ? url : url.slice(0, question));
  if (segments === undefined) throw badRequest(`Cannot read the path "${url.slice(0, 200)}": invalid percent-escape`);
  const query = new URLSearchParams(question === -1 ? "" : url.slice(question + 1));
  return {
    method: message.method ?? "GET",
    segments,
    query,
    headers: message.headers,
    user,
    message,
    warnings: [],
    signal,
  };
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // Nesting beyond the stack: JSON of a few megabytes can hold millions of brackets.
  if (error instanceof RangeError) return badRequest("the object is nested too deeply");
  return internal(error);
}

async function refuse(message: IncomingMessage, response: ServerResponse, error: ApiError): Promise<void> {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error.code === tooLarge(BODY_LIMIT_BYTES).code) {
    response.setHeader("connection", "close");
    await drain(message);
  }
  send(response, { code: error.code, body: { value: error.toStatus() } }, []);
  message.resume();
}
