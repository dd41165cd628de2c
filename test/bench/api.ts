/** The fastest way to an API server that Node has: undici, connections kept alive. What courier is measured against. */
import { Agent } from "undici";
import { loadClusterAccess } from "../../src/kube/cluster-access.ts";

const CONNECTIONS = 32;
const ERROR = '{"type":"ERROR"';

export interface Api {
  /** Port of the API server. */
  readonly port: number;
  /** @throws Error when the answer is not 2xx */
  call(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<string>;
  /** The lines of a watch as they come, until `signal` aborts: a server ends one that lags, and it goes on where it ended. */
  watchLines(path: string, from: string, signal: AbortSignal): AsyncGenerator<string, void>;
  close(): Promise<void>;
}

/**
 * @param userAgent the field manager of its writes: a status written by whoever created the object is recorded with the
 *   rest, and costs the server less than any other's
 */
export async function openApi(kubeconfig: string, userAgent = "bench"): Promise<Api> {
  const { server, authenticate } = await loadClusterAccess({ kubeconfig });
  const { headers: credentials, tls } = await authenticate();
  const headers = { ...credentials, "user-agent": userAgent };
  const agent = () => new Agent({ connections: CONNECTIONS, keepAliveTimeout: 60_000, connect: tls, bodyTimeout: 0 });
  const [calls, watches] = [agent(), agent()];
  return {
    port: Number(new URL(server).port || 443),
    async call(method, path, body) {
      const { statusCode, body: answer } = await calls.request({
        origin: server,
        path,
        method,
        headers: { ...headers, ...(body === undefined ? {} : { "content-type": contentTypeOf(method) }) },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await answer.text();
      if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text.slice(0, 300)}`);
      return text;
    },
    async *watchLines(path, from, signal) {
      let version = from;
      while (!signal.aborted) {
        const query = `?watch=1&resourceVersion=${version}`;
        const { body } = await watches.request({ origin: server, path: path + query, method: "GET", headers, signal });
        for await (const line of linesOf(body.setEncoding("utf8"))) {
          if (line.startsWith(ERROR)) throw new Error(`GET ${path}${query}: ${line.slice(0, 300)}`);
          version = /"resourceVersion":"(\d+)"/.exec(line)?.[1] ?? version;
          yield line;
        }
      }
    },
    close: async () => void (await Promise.all([calls.destroy(), watches.destroy()])),
  };
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function contentTypeOf(method: string): string {
  return method === "PATCH" ? "application/merge-patch+json" : "application/json";
}

/** Does `work` for each item, so many at a time. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  inFlight: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}
