import type { Dispatcher } from "undici";
import type { ClusterAccess, Credentials, TlsOptions } from "./cluster-access.ts";
import { noAnswer } from "./kube-error.ts";
import { Agent } from "./undici-agent.ts";

/** How long credentials are used before their files are read again, as client-go does. */
const CREDENTIALS_MS = 60_000;
/**
 * Credentials that are refused right after they were read again are not read once more for so long: less than the time
 * between two tries at a Lease, so that a token that comes late does not cost the term.
 */
const REFUSAL_MS = 1_500;
/** Below kube-apiserver's own idle limit (90 s and more), so that it is never the server that closes first. */
const KEEP_ALIVE_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
const TCP_KEEP_ALIVE_MS = 30_000;

/** What one request uses: headers that authenticate it and the connections it may go over. */
export interface Line {
  headers: Record<string, string>;
  requests: Dispatcher;
  /** Apart from the others: a watch keeps its connection, and must not keep a write waiting for one. */
  watches: Dispatcher;
}

/** The kept-alive connections to one API server, with credentials that renew themselves. */
export class Session {
  /** For everything but watches. */
  readonly maxConnections: number;
  readonly #access: ClusterAccess;
  readonly #now: () => number;
  readonly #retired = new Set<Dispatcher>();
  #line: Line | undefined;
  #tlsFingerprint = "";
  #readAt = 0;
  #isRefused = false;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #renewal: Promise<Line> | undefined;
  #isClosed = false;

  /** `now` in milliseconds, of a clock that only goes forward. */
  constructor(access: ClusterAccess, maxConnections: number, now: () => number = () => performance.now()) {
    this.#access = access;
    this.maxConnections = maxConnections;
    this.#now = now;
  }

  /** @throws KubeError when there are no credentials to be had, or the session is closed */
  async line(): Promise<Line> {
    if (this.#isClosed) throw noAnswer("ConnectionLost", `Cannot reach ${this.#access.server}: the client is closed`);
    const isCurrent = !this.#isRefused && this.#now() - this.#readAt < CREDENTIALS_MS;
    if (this.#line !== undefined && isCurrent) return this.#line;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** The server refused `line`'s credentials. True when there are others, or may be once they are read again. */
  refuse(line: Line): boolean {
    if (line !== this.#line) return true;
    const isNew = this.#now() - this.#refusedAt < REFUSAL_MS;
    if (!isNew) this.#isRefused = true;
    return !isNew;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const open = [...this.#retired, this.#line?.requests, this.#line?.watches];
    await Promise.all(open.map((dispatcher) => dispatcher?.destroy()));
  }

  async #renew(): Promise<Line> {
    try {
      this.#line = await this.#lineFor(await this.#access.authenticate(this.#isRefused ? "refusal" : undefined));
    } catch (error) {
      // A token file that cannot be read for a moment need not stop work that the old token still opens.
      if (this.#line === undefined || this.#isRefused) throw error;
    }
    if (this.#isRefused) this.#refusedAt = this.#now();
    this.#isRefused = false;
    this.#readAt = this.#now();
    return this.#line;
  }

  /** The same connections with new headers; new connections only where the certificates changed. */
  async #lineFor({ headers, tls }: Credentials): Promise<Line> {
    const fingerprint = JSON.stringify(tls, (_, value) => (Buffer.isBuffer(value) ? value.toString("base64") : value));
    if (this.#line !== undefined && fingerprint === this.#tlsFingerprint) return { ...this.#line, headers };
    if (this.#line !== undefined) this.#retire(this.#line);
    this.#tlsFingerprint = fingerprint;
    const { proxyUrl } = this.#access;
    return {
      headers,
      requests: await createDispatcher(proxyUrl, tls, this.maxConnections),
      watches: await createDispatcher(proxyUrl, tls, undefined),
    };
  }

  /** Requests under way finish on the old connections; watches move over when they next reopen. */
  #retire({ requests, watches }: Line): void {
    for (const dispatcher of [requests, watches]) {
      this.#retired.add(dispatcher);
      dispatcher.close(() => this.#retired.delete(dispatcher));
    }
  }
}

async function createDispatcher(
  proxyUrl: string | undefined,
  tls: TlsOptions,
  connections: number | undefined,
): Promise<Dispatcher> {
  const pool = {
    ...(connections === undefined ? {} : { connections }),
    pipelining: 1,
    allowH2: false, // measured: nothing gained over kept-alive HTTP/1.1
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  };
  const connect = {
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
  if (proxyUrl === undefined) return new Agent({ ...pool, connect: { ...connect, ...tls } });
  const { ProxyAgent, Socks5ProxyAgent } = await import("undici");
  if (/^socks5h?:/.test(proxyUrl)) return new Socks5ProxyAgent(proxyUrl, { ...pool, requestTls: tls });
  if (/^https?:/.test(proxyUrl)) return new ProxyAgent({ ...pool, uri: proxyUrl, requestTls: tls, connect });
  throw noAnswer(
    "ConfigInvalid",
    `Cannot use the proxy "${new URL(proxyUrl).protocol}//…": proxy-url must be http, https or socks5`,
  );
}
