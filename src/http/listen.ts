import { once } from "node:events";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** An `import` of node:http brings Node's own fetch and WebSocket with it, 14 MiB that nobody here uses. */
const { createServer } = process.getBuiltinModule("node:http");

export interface HttpServer {
  host: string;
  port: number;
  /** Ends at once: probes and scrapes are short, and nobody waits for them at a stop. */
  close(): Promise<void>;
}

/** Serves `app` on an address. @throws Error that names the address, when it is taken */
export async function listen(app: RequestListener, address: { host: string; port: number }): Promise<HttpServer> {
  // Node looks at these limits every 30 s by default, and a request that comes drop by drop has that long.
  const limits = { requestTimeout: 10_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };
  const server = createServer(limits, app);
  server.listen(address.port, address.host);
  await once(server, "listening").catch((cause: Error) => {
    throw new Error(
      `Cannot listen on ${address.host}:${address.port}: ${cause.message}; choose another with --http-listen`,
      { cause },
    );
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: address.host,
    port,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
