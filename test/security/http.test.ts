/** The HTTP port from an attacker's side: bytes that no honest client sends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { startPlatform } from "../support/platform.ts";

const RETRY = "/api/v1/messages/cpaas-system/x/retry";

/** What the server answers to these bytes before it closes, and after how long it does. */
async function answerTo(port: number, bytes: string): Promise<{ answer: string; ms: number }> {
  const began = performance.now();
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let answer = "";
  socket.on("data", (text: string) => {
    answer += text;
  });
  socket.on("error", () => undefined);
  socket.write(bytes);
  await once(socket, "close");
  return { answer, ms: performance.now() - began };
}

test("requests that smuggle, rebind, overflow or trickle are refused one by one, and health goes on", async (t) => {
  const { service } = await startPlatform(t);
  const { port } = service.address;
  const attacks: [what: string, bytes: string, status: RegExp][] = [
    [
      "two lengths",
      `POST ${RETRY} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      /^HTTP\/1\.1 400/,
    ],
    [
      "a name that leads here",
      `GET /api/v1/messages/a/b HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 403/,
    ],
    [
      "another site's page",
      `POST ${RETRY} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 403/,
    ],
    [
      "a path out of the API",
      "GET /api/v1/messages/..%2f..%2fsecrets/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      /^HTTP\/1\.1 400/,
    ],
    ["a long head", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1\.1 431/],
    ["a request without end", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ", /^HTTP\/1\.1 408/],
  ];
  const answers = await Promise.all(attacks.map(([, bytes]) => answerTo(port, bytes)));
  for (const [index, { answer, ms }] of answers.entries()) {
    const [what, , status] = attacks[index] ?? assert.fail();
    assert.match(answer, status, what);
    assert.equal(answer.split("HTTP/1.1 ").length, 2, `${what}: one answer`);
    assert.ok(ms < 20_000, `${what}: ${Math.round(ms)} ms`);
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});
