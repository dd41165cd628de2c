import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";

/** An HTTP answer with its whole body, which is text. */
export interface Answer {
  statusCode: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * Sends one request and reads the answer to its end. Not undici's `request`: a stream for each body is a good part of what a
 * short call costs (docs/decisions/030).
 * @throws the signal's reason at once when it aborts, and undici's own errors
 */
export function answerTo(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let controller: Dispatcher.DispatchController | undefined;
  let statusCode = 0;
  let headers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  const abort = () => {
    controller?.abort(signal.reason);
    reject(signal.reason);
  };
  const end = () => signal.removeEventListener("abort", abort);
  if (signal.aborted) {
    abort();
    return promise;
  }
  signal.addEventListener("abort", abort, { once: true });
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      if (signal.aborted) started.abort(signal.reason); // it waited for a connection until now
    },
    onResponseStart(_, code, received) {
      statusCode = code;
      headers = received;
    },
    onResponseData(_, chunk) {
      chunks.push(chunk);
    },
    onResponseEnd() {
      end();
      const [only = Buffer.alloc(0), ...others] = chunks;
      const body = (others.length === 0 ? only : Buffer.concat(chunks)).toString("utf8");
      resolve({ statusCode, headers, body });
    },
    onResponseError(_, error) {
      end();
      reject(error);
    },
  };
  try {
    dispatcher.dispatch(options, handler);
  } catch (error) {
    end();
    reject(error);
  }
  return promise;
}
