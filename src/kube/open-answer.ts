import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

/** An HTTP answer whose body still comes. */
export interface OpenAnswer {
  statusCode: number;
  headers: IncomingHttpHeaders;
  /** Read by one, once; whoever leaves off ends the request. Throws what ends it: the signal's reason, or undici's error. */
  body: AsyncIterableIterator<Buffer>;
}

/** What is read ahead of who reads, before the connection is made to wait. */
const MAX_AHEAD_BYTES = 64 * 1024;

/**
 * Sends a request and resolves with the head of its answer. Not undici's `request`, whose streams cost as much for each chunk as
 * what is done with a watch event (docs/decisions/030).
 * @throws the signal's reason when it aborts, and undici's own errors
 */
export function openAnswer(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<OpenAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OpenAnswer>();
  if (signal.aborted) {
    reject(signal.reason);
    return promise;
  }
  const body = new Body();
  const abort = () => {
    body.abort(signal.reason);
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  const fail = (error: Error) => {
    signal.removeEventListener("abort", abort);
    body.fail(error);
    reject(error);
  };
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      body.controller = controller;
      if (signal.aborted) controller.abort(signal.reason); // it waited for a connection until now
    },
    onResponseStart(_, statusCode, headers) {
      if (statusCode >= 200) resolve({ statusCode, headers, body });
    },
    onResponseData(_, chunk) {
      body.push(chunk);
    },
    onResponseEnd() {
      signal.removeEventListener("abort", abort);
      body.end();
    },
    onResponseError(_, error) {
      fail(error);
    },
  };
  try {
    dispatcher.dispatch(options, handler);
  } catch (error) {
    fail(error as Error);
  }
  return promise;
}

const END: IteratorResult<Buffer> = { done: true, value: undefined };

/** The chunks as they come. */
class Body implements AsyncIterableIterator<Buffer> {
  controller: Dispatcher.DispatchController | undefined;
  readonly #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #hasEnded = false;
  #error: Error | undefined;
  /** Who waits for the next chunk. */
  #reader: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    const chunk = this.#ahead.shift();
    if (chunk !== undefined) {
      this.#aheadBytes -= chunk.length;
      if (this.#ahead.length === 0 && this.controller?.paused) this.controller.resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#hasEnded) return Promise.resolve(END);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  return(): Promise<IteratorResult<Buffer>> {
    if (!this.#hasEnded && this.#error === undefined) this.abort(new Error("nobody reads the answer any more"));
    return Promise.resolve(END);
  }

  push(chunk: Buffer): void {
    if (this.#reader !== undefined) {
      this.#takeReader()?.resolve({ done: false, value: chunk });
      return;
    }
    this.#ahead.push(chunk);
    this.#aheadBytes += chunk.length;
    if (this.#aheadBytes > MAX_AHEAD_BYTES) this.controller?.pause();
  }

  end(): void {
    this.#hasEnded = true;
    this.#takeReader()?.resolve(END);
  }

  /** What came before is still read. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#takeReader()?.reject(error);
  }

  /** Nothing is read any more. */
  abort(reason: Error): void {
    this.#ahead.length = 0;
    this.fail(reason);
    this.controller?.abort(reason);
  }

  #takeReader(): PromiseWithResolvers<IteratorResult<Buffer>> | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
