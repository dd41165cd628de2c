import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { Certificate } from "./certificates.ts";

/** What the server says to a request for a token; a string is sent as it is, an object as JSON. */
export interface TokenAnswer {
  status?: number;
  body: object | string;
}

/** An OAuth 2.0 token endpoint on a loopback port of its own. */
export interface TestTokenServer {
  readonly url: string;
  /** The form of each request so far. */
  readonly requests: Record<string, string>[];
  answer: (count: number) => TokenAnswer | Promise<TokenAnswer>;
}

/** Starts a server that gives `token-1`, `token-2`, … for an hour each, unless told otherwise; stopped by `t.after`. */
export async function startTokenServer(t: TestContext, certificate?: Certificate): Promise<TestTokenServer> {
  const requests: Record<string, string>[] = [];
  const listener: RequestListener = async (request, response) => {
    let form = "";
    for await (const chunk of request) form += chunk;
    requests.push(Object.fromEntries(new URLSearchParams(form)));
    const { status = 200, body } = await self.answer(requests.length);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const server = certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const self: TestTokenServer = {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}/oauth2/token`,
    requests,
    answer: (count) => ({ body: { access_token: `token-${count}`, token_type: "Bearer", expires_in: 3600 } }),
  };
  return self;
}
