import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Agent } from "undici";

/** A request as the proxy saw it come. */
export interface SeenRequest {
  /** As in a Role: get, list, watch, create, update, patch, delete. */
  verb: string;
  /** "" for core kinds. */
  group: string;
  /** Plural, with its subresource: `notificationmessages/status`. */
  resource: string;
  /** Milliseconds of the process' clock. */
  at: number;
  /** The status that was answered; undefined while there is none. */
  answered?: number;
  answeredAt?: number;
}

/** What becomes of a request instead of a plain answer. */
export type Fault =
  | { answer: number; retryAfterSeconds?: number }
  | { delayMs: number }
  /** Closes the connection: before the API server hears of the request, or after it has done it. */
  | { drop: "before" | "after" };

/** An HTTP proxy on loopback before an API server, that does to requests and watches what a test says, and counts. */
export interface FaultProxy {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Connections made so far. */
  readonly connections: number;
  /** Asked for every request; undefined lets it through. */
  fault: (request: SeenRequest) => Fault | undefined;
  /** The bearer token that is taken; undefined takes any. */
  token: string | undefined;
  /** Whether connections are closed as soon as they are made; becoming so breaks those that are there. */
  setAway(isAway: boolean): void;
  /** Open watches carry nothing from now on, and do not end. Later ones are well. */
  freezeWatches(): void;
  /** Open watches end with 410 Expired. */
  expireWatches(): void;
  /** Open watches break in the middle of the next line that they carry. */
  cutWatches(): void;
  /** Watches that are open and carry what comes. */
  openWatches(): number;
  close(): Promise<void>;
}

interface OpenWatch {
  response: ServerResponse;
  mode: "pass" | "frozen" | "cut";
}

const EXPIRED = {
  type: "ERROR",
  object: { kind: "Status", apiVersion: "v1", status: "Failure", code: 410, reason: "Expired", message: "too old" },
};

/** Starts a proxy before the API server at `url`, which it asks with `token`. */
export async function startFaultProxy(target: { url: string; token: string; caPem: string }): Promise<FaultProxy> {
  const upstream = new Agent({ connect: { ca: target.caPem }, bodyTimeout: 0 });
  const sockets = new Set<Socket>();
  const watches = new Set<OpenWatch>();
  let connections = 0;
  let isAway = false;

  async function forward(request: IncomingMessage, response: ServerResponse, body: Buffer, seen: SeenRequest) {
    const fault = isAccepted(request, self.token) ? self.fault(seen) : { answer: 401 };
    if (fault !== undefined && "answer" in fault) return refuse(response, fault, seen);
    if (fault !== undefined && "delayMs" in fault) await new Promise((done) => setTimeout(done, fault.delayMs));
    if (fault !== undefined && "drop" in fault && fault.drop === "before") return response.destroy();
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const { "content-type": contentType, accept } = request.headers;
    const answer = await upstream.request({
      origin: target.url,
      path: request.url ?? "/",
      method: request.method as "GET",
      headers: {
        authorization: `Bearer ${target.token}`,
        ...(accept && { accept }),
        ...(contentType && { "content-type": contentType }),
      },
      body: body.length > 0 ? body : null,
      signal: gone.signal,
    });
    if (fault !== undefined && "drop" in fault) {
      await answer.body.dump();
      return response.destroy();
    }
    seen.answered = answer.statusCode;
    seen.answeredAt = performance.now();
    response.writeHead(answer.statusCode, { "content-type": "application/json" }).flushHeaders();
    const watch: OpenWatch = { response, mode: "pass" };
    if (seen.verb === "watch") watches.add(watch);
    try {
      for await (const chunk of answer.body) pass(watch, chunk as Buffer);
      if (watch.mode === "pass") response.end();
    } finally {
      watches.delete(watch);
    }
  }

  const server = createServer((request, response) => {
    const seen = describe(request);
    self.requests.push(seen);
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on(
      "end",
      () => void forward(request, response, Buffer.concat(parts), seen).catch(() => response.destroy()),
    );
  });
  server.keepAliveTimeout = 90_000;
  server.on("connection", (socket) => {
    connections += 1;
    if (isAway) return socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    return undefined;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const self: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    get connections() {
      return connections;
    },
    fault: () => undefined,
    token: undefined,
    setAway(away) {
      isAway = away;
      if (away) for (const socket of sockets) socket.destroy();
    },
    freezeWatches() {
      for (const watch of watches) watch.mode = "frozen";
    },
    expireWatches() {
      for (const { response } of watches) response.end(`${JSON.stringify(EXPIRED)}\n`);
    },
    cutWatches() {
      for (const watch of watches) watch.mode = "cut";
    },
    openWatches: () => [...watches].filter(({ mode }) => mode === "pass").length,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await Promise.all([once(server, "close"), upstream.destroy()]);
    },
  };
  return self;
}

function pass({ response, mode }: OpenWatch, chunk: Buffer): void {
  if (mode === "frozen" || response.writableEnded) return;
  if (mode === "pass") return void response.write(chunk);
  response.write(chunk.subarray(0, chunk.length >> 1), () => response.destroy());
}

function isAccepted({ headers }: IncomingMessage, token: string | undefined): boolean {
  return token === undefined || headers.authorization === `Bearer ${token}`;
}

function refuse(
  response: ServerResponse,
  { answer, retryAfterSeconds }: Extract<Fault, { answer: number }>,
  seen: SeenRequest,
) {
  seen.answered = answer;
  seen.answeredAt = performance.now();
  const retry = retryAfterSeconds === undefined ? {} : { "retry-after": `${retryAfterSeconds}` };
  response.writeHead(answer, { "content-type": "application/json", ...retry });
  response.end(
    JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code: answer, message: "as scripted" }),
  );
}

const VERBS: Record<string, string> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

function describe({ method = "", url = "/" }: IncomingMessage): SeenRequest {
  const { pathname, searchParams } = new URL(url, "http://proxy");
  const segments = pathname.split("/").filter((segment) => segment !== "");
  const rest = segments.slice(segments[0] === "api" ? 2 : 3);
  const [resource = pathname, name, subresource] = rest[0] === "namespaces" && rest.length > 2 ? rest.slice(2) : rest;
  const read = searchParams.has("watch") ? "watch" : name === undefined ? "list" : "get";
  return {
    verb: VERBS[method] ?? read,
    group: segments[0] === "api" ? "" : (segments[1] ?? ""),
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    at: performance.now(),
  };
}
