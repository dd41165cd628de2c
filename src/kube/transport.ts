import { type LimitedSignal, limitedSignal } from "../control/limited-signal.ts";
import { pauseMs } from "../control/pause.ts";
import { Semaphore } from "../control/semaphore.ts";
import { errorFromAnswer, errorFromFailure, KubeError, noAnswer, retold } from "./kube-error.ts";
import { type OpenAnswer, openAnswer } from "./open-answer.ts";
import { Outage } from "./outage.ts";
import { type ChunkReader, ReadChunks } from "./read-chunks.ts";
import { RequestPauses } from "./request-pauses.ts";
import type { Line, Session } from "./session.ts";
import { answerTo } from "./whole-answer.ts";

/** One request. `action` says in words what it is for: "get configmaps \"a/b\"". */
export interface KubeRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With leading slash and query, below the server's address. */
  path: string;
  action: string;
  /** What it asks for, `leases.coordination.k8s.io`: a Retry-After holds for all that ask for the same. */
  kind: string;
  body?: string;
  contentType?: string;
  /** Media type of the answer; JSON when absent. */
  accept?: string;
}

/** From the call to the last byte of the answer, waiting for a free connection and for Retry-After included. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_TRIES = 3;
/** Asked for even while the server seems to be away: seldom, and a renewal that comes too late costs the term. */
const URGENT_KIND = "leases.coordination.k8s.io";
/** Failures that any other request would have met too; so is a 401. */
const AWAY: readonly string[] = ["ConnectionRefused", "ConnectionLost", "HostNotFound", "Timeout"];
const USER_AGENT = "courier";

/** Sends requests of one session: deadline, credentials, and the retries that are safe for any call. */
export class Transport {
  readonly server: string;
  readonly #session: Session;
  readonly #requestTimeoutMs: number;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #outage = new Outage();
  readonly #pauses = new RequestPauses();
  /** As many as there are connections: what waits for one here, not in undici's queue, can still be held back. */
  readonly #turns: Semaphore;

  constructor(server: string, session: Session, requestTimeoutMs: number = REQUEST_TIMEOUT_MS) {
    const { origin, pathname } = new URL(server);
    this.server = server;
    this.#session = session;
    this.#turns = new Semaphore(session.maxConnections);
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#origin = origin;
    this.#basePath = pathname.replace(/\/+$/, "");
  }

  /** The body of a 2xx answer. @throws KubeError for every other end, or the signal's reason */
  async send(request: KubeRequest, signal: AbortSignal | undefined): Promise<string> {
    const late = () => {
      const told = `no answer in ${this.#requestTimeoutMs / 1000} s`;
      return noAnswer("Timeout", `Cannot ${request.action} at ${this.server}: ${told}`);
    };
    using deadline = deadlineOf(this.#requestTimeoutMs, late, signal);
    for (let attempt = 1; ; attempt += 1) {
      using _turn = await this.#takeTurn(request, deadline);
      this.#requireServer(request);
      const line = await this.#session.line();
      try {
        const body = await this.#tryOnce(request, line, deadline.signal);
        this.#outage.over();
        return body;
      } catch (error) {
        const failure = deadline.signal.aborted
          ? deadline.signal.reason
          : errorFromFailure(request.action, this.server, error);
        const mayRepeat = attempt < MAX_TRIES && !deadline.signal.aborted && this.#mayRepeat(request, failure, line);
        if (mayRepeat) this.#pauses.begin(request.kind, { action: request.action, error: failure });
        else throw this.#learn(request, failure);
      }
    }
  }

  /** Waits for a free connection, and while requests of this kind are to pause. */
  async #takeTurn(request: KubeRequest, deadline: Deadline): Promise<Disposable | undefined> {
    for (;;) {
      await this.#outwait(request, deadline);
      if (request.kind === URGENT_KIND) return undefined; // undici has it wait for the next free connection
      const turn = await this.#turns.acquire(deadline.signal);
      if (this.#pauses.of(request.kind) === undefined) return turn;
      turn[Symbol.dispose]();
    }
  }

  /** Waits while requests of this kind are to pause. @throws KubeError when that is longer than the request may take */
  async #outwait({ action, kind }: KubeRequest, deadline: Pick<Deadline, "signal" | "remainingMs">): Promise<void> {
    for (let pause = this.#pauses.of(kind); pause !== undefined; pause = this.#pauses.of(kind)) {
      const { remainingMs, refusal } = pause;
      if (remainingMs > deadline.remainingMs()) throw retold(refusal.error, refusal.action, action);
      await pauseMs(Math.ceil(remainingMs), deadline.signal);
    }
  }

  /** @throws KubeError when the server is known to be away, and others find out when it is back */
  #requireServer({ action, kind }: KubeRequest): void {
    const away = kind === URGENT_KIND ? undefined : this.#outage.tryEnter();
    if (away !== undefined) throw retold(away.error, away.action, action);
  }

  /** Remembers what the failure says about the requests to come, and returns it. */
  #learn({ action, kind }: KubeRequest, error: unknown): unknown {
    if (!(error instanceof KubeError)) return error;
    if (error.code === 401 || AWAY.includes(error.reason)) this.#outage.failed({ action, error });
    else if (error.code > 0) this.#outage.over();
    this.#pauses.begin(kind, { action, error });
    return error;
  }

  /**
   * The body of a watch as it comes, until the server ends it. Resolves when the server has begun to answer.
   * @throws KubeError also while iterating: after `silenceMs` without a byte, or when the connection breaks
   */
  async stream<Item>(
    request: KubeRequest,
    silenceMs: number,
    reader: ChunkReader<Item>,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<Item>> {
    await this.#outwait(request, { signal, remainingMs: () => Number.POSITIVE_INFINITY });
    this.#requireServer(request);
    const explain = (error: unknown) =>
      signal.aborted ? signal.reason : this.#learn(request, errorFromFailure(request.action, this.server, error));
    try {
      const line = await this.#session.line();
      const options = {
        ...this.#dispatchOptions(request, line),
        headersTimeout: Math.min(silenceMs, this.#requestTimeoutMs),
        bodyTimeout: silenceMs,
      };
      const answer = await openAnswer(line.watches, options, signal);
      if (answer.statusCode >= 300) {
        if (answer.statusCode === 401) this.#session.refuse(line);
        throw await refusal(request.action, answer);
      }
      this.#outage.over();
      return new ReadChunks(answer.body, reader, explain);
    } catch (error) {
      throw explain(error);
    }
  }

  async #tryOnce(request: KubeRequest, line: Line, signal: AbortSignal): Promise<string> {
    const { statusCode, headers, body } = await answerTo(line.requests, this.#dispatchOptions(request, line), signal);
    if (statusCode >= 300) throw errorFromAnswer(request.action, statusCode, body, headers["retry-after"]?.toString());
    return body;
  }

  /**
   * A 429 with Retry-After and a 401 were turned away before anything was done, so any call may go again; after a lost
   * connection only a read may.
   */
  #mayRepeat({ method }: KubeRequest, failure: KubeError, line: Line): boolean {
    if (failure.code === 429) return failure.retryAfterMs !== undefined;
    if (failure.code === 401) return this.#session.refuse(line);
    return method === "GET" && failure.reason === "ConnectionLost";
  }

  #dispatchOptions({ method, path, body, contentType, accept = "application/json" }: KubeRequest, line: Line) {
    return {
      origin: this.#origin,
      path: this.#basePath + path,
      method,
      headers: {
        ...line.headers,
        accept,
        "user-agent": USER_AGENT,
        ...(contentType === undefined ? {} : { "content-type": contentType }),
      },
      body: body ?? null,
      reset: false, // undici closes the connection after a DELETE with a body unless it is told not to
    };
  }
}

async function refusal(action: string, { statusCode, headers, body }: OpenAnswer): Promise<KubeError> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return errorFromAnswer(
    action,
    statusCode,
    Buffer.concat(chunks).toString("utf8"),
    headers["retry-after"]?.toString(),
  );
}

interface Deadline extends LimitedSignal {
  remainingMs(): number;
}

/** Aborts with what `reason` makes after `ms`, or with `outer`'s reason. */
function deadlineOf(ms: number, reason: () => unknown, outer: AbortSignal | undefined): Deadline {
  const endsAt = performance.now() + ms;
  return { ...limitedSignal(outer, ms, reason), remainingMs: () => endsAt - performance.now() };
}
