import type { Dispatcher } from "undici";
import { pauseMs } from "../control/pause.ts";
import { errorFromAnswer, errorFromFailure, type KubeError, noAnswer } from "./kube-error.ts";
import type { Line, Session } from "./session.ts";

/** One request. `action` says in words what it is for: "get configmaps \"a/b\"". */
export interface KubeRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With leading slash and query, below the server's address. */
  path: string;
  action: string;
  body?: string;
  contentType?: string;
}

/** From the call to the last byte of the answer, waiting for a free connection and for Retry-After included. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_TRIES = 3;
const USER_AGENT = "courier";

/** Sends requests of one session: deadline, credentials, and the retries that are safe for any call. */
export class Transport {
  readonly server: string;
  readonly #session: Session;
  readonly #requestTimeoutMs: number;
  readonly #origin: string;
  readonly #basePath: string;

  constructor(server: string, session: Session, requestTimeoutMs: number = REQUEST_TIMEOUT_MS) {
    const { origin, pathname } = new URL(server);
    this.server = server;
    this.#session = session;
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
      const line = await this.#session.line();
      try {
        return await this.#tryOnce(request, line, deadline.signal);
      } catch (error) {
        if (deadline.signal.aborted) throw deadline.signal.reason;
        const failure = errorFromFailure(request.action, this.server, error);
        const waitMs = attempt < MAX_TRIES ? this.#retryDelayMs(request, failure, line) : undefined;
        if (waitMs === undefined || waitMs > this.#requestTimeoutMs) throw failure;
        await pauseMs(waitMs, deadline.signal);
      }
    }
  }

  /**
   * The body of a watch as it comes, after one empty chunk that says "the server has begun to answer".
   * Ends when the server ends it.
   * @throws KubeError also while iterating: after `silenceMs` without a byte, or when the connection breaks
   */
  async *stream(request: KubeRequest, silenceMs: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    try {
      const line = await this.#session.line();
      const answer = await line.watches.request({
        ...this.#dispatchOptions(request, line, signal),
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
      });
      if (answer.statusCode >= 300) {
        if (answer.statusCode === 401) this.#session.refuse(line);
        throw await refusal(request.action, answer);
      }
      yield Buffer.alloc(0);
      for await (const chunk of answer.body) yield chunk as Buffer;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw errorFromFailure(request.action, this.server, error);
    }
  }

  async #tryOnce(request: KubeRequest, line: Line, signal: AbortSignal): Promise<string> {
    const answer = await line.requests.request(this.#dispatchOptions(request, line, signal));
    if (answer.statusCode >= 300) throw await refusal(request.action, answer);
    return answer.body.text();
  }

  /**
   * Undefined for "do not try again". A 429 with Retry-After and a 401 were turned away before anything was done, so any
   * call may go again; after a lost connection only a read may.
   */
  #retryDelayMs({ method }: KubeRequest, failure: KubeError, line: Line): number | undefined {
    if (failure.code === 429) return failure.retryAfterMs;
    if (failure.code === 401) return this.#session.refuse(line) ? 0 : undefined;
    return method === "GET" && failure.reason === "ConnectionLost" ? 0 : undefined;
  }

  #dispatchOptions({ method, path, body, contentType }: KubeRequest, line: Line, signal: AbortSignal) {
    return {
      origin: this.#origin,
      path: this.#basePath + path,
      method,
      headers: {
        ...line.headers,
        accept: "application/json",
        "user-agent": USER_AGENT,
        ...(contentType === undefined ? {} : { "content-type": contentType }),
      },
      body: body ?? null,
      reset: false, // undici closes the connection after a DELETE with a body unless it is told not to
      signal,
    };
  }
}

async function refusal(action: string, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<KubeError> {
  const text = await body.text();
  return errorFromAnswer(action, statusCode, text, headers["retry-after"]?.toString());
}

/** Aborts with what `reason` makes after `ms`, or with `outer`'s reason. Disposing leaves nothing behind on a long-lived `outer`. */
function deadlineOf(
  ms: number,
  reason: () => unknown,
  outer: AbortSignal | undefined,
): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => controller.abort(reason()), ms);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}
