import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { TestContext } from "node:test";

/** A TCP way to a loopback port that keeps the bytes that go in. */
export interface Wiretap {
  port: number;
  /** What clients have sent so far, connection by connection. */
  sent(): string[];
}

/** Opens a way to `target` that ends with the test. */
export async function tapWire(t: TestContext, target: number): Promise<Wiretap> {
  const connections: Buffer[][] = [];
  const server = createServer((near) => {
    const chunks: Buffer[] = [];
    connections.push(chunks);
    const far = connect(target, "127.0.0.1");
    near.on("data", (chunk: Buffer) => void chunks.push(chunk));
    for (const socket of [near, far]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => connections.map((chunks) => Buffer.concat(chunks).toString("latin1")),
  };
}
