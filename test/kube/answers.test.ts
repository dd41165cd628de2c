import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { openAnswer } from "../../src/kube/open-answer.ts";
import { Agent } from "../../src/kube/undici-agent.ts";
import { answerTo } from "../../src/kube/whole-answer.ts";
import { until } from "./scripted-server.ts";

const NEVER = new AbortController().signal;
const PIECE = Buffer.alloc(64 * 1024, "line of text\n");
/** More than the connection and both ends of it can hold. */
const LARGE = 1024 * PIECE.length;

async function serve(t: TestContext, listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ connections: 1 });
  t.after(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = { origin: `http://127.0.0.1:${port}`, path: "/", method: "GET" } as const;
  return { server, agent, ask };
}

describe("an answer as a whole", () => {
  test("is put together from however many pieces it comes in, between characters or inside one", async (t) => {
    const bytes = Buffer.from("grüße, 世界");
    const { agent, ask } = await serve(t, async (_, response) => {
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const { statusCode, body } = await answerTo(agent, ask, NEVER);
    assert.deepEqual([statusCode, body], [200, "grüße, 世界"]);
  });

  test("may be empty", async (t) => {
    const { agent, ask } = await serve(t, (_, response) => response.writeHead(409, { "retry-after": "3" }).end());
    const { statusCode, headers, body } = await answerTo(agent, ask, NEVER);
    assert.deepEqual([statusCode, headers["retry-after"], body], [409, "3", ""]);
  });

  test("that breaks off is an error", async (t) => {
    const { agent, ask } = await serve(t, (_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("half");
      setImmediate(() => response.destroy());
    });
    await assert.rejects(answerTo(agent, ask, NEVER), { code: "UND_ERR_SOCKET" });
  });

  test("is not waited for after an abort, nor asked for where the request still waited for a connection", async (t) => {
    const asked: (string | undefined)[] = [];
    const { agent, ask } = await serve(t, ({ url }, response) => {
      asked.push(url);
      if (url === "/fine") response.end();
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const held = answerTo(agent, { ...ask, path: "/held" }, first.signal);
    const queued = answerTo(agent, { ...ask, path: "/queued" }, second.signal);
    second.abort(new Error("enough"));
    await assert.rejects(queued, { message: "enough" });
    await until(() => asked.length === 1);
    first.abort(new Error("enough as well"));
    await assert.rejects(held, { message: "enough as well" });
    const late = answerTo(agent, { ...ask, path: "/late" }, AbortSignal.abort(new Error("before")));
    await assert.rejects(late, { message: "before" });
    await answerTo(agent, { ...ask, path: "/fine" }, NEVER);
    assert.deepEqual(asked, ["/held", "/fine"]);
  });
});

describe("an answer that still comes", () => {
  test("waits for who reads slowly, in the server, and is whole in the end", async (t) => {
    let taken = 0;
    const { agent, ask } = await serve(t, (_, response) => {
      const write = () => {
        while (taken < LARGE) {
          taken += PIECE.length;
          if (!response.write(PIECE)) return;
        }
        response.end();
      };
      response.on("drain", write);
      write();
    });
    const { body } = await openAnswer(agent, ask, NEVER);
    let read = (await body.next()).value?.length ?? 0;
    let [before, looks] = [0, 0];
    await until(() => {
      looks = taken === before ? looks + 1 : 0;
      before = taken;
      return looks === 20;
    });
    assert.ok(taken < LARGE / 2, `the server got rid of ${taken} bytes though nobody reads`);
    for await (const chunk of body) read += chunk.length;
    assert.equal(read, LARGE);
  });

  test("is ended by who reads no further", async (t) => {
    const { agent, ask, server } = await serve(t, (_, response) => response.write("a"));
    const closed = new Promise((resolve) => server.once("connection", (socket) => socket.once("close", resolve)));
    const { body } = await openAnswer(agent, ask, NEVER);
    for await (const _ of body) break;
    await closed;
  });

  test("throws the signal's reason, to who waits for its head and to who waits for more", async (t) => {
    const { agent, ask } = await serve(t, (request, response) => {
      if (request.url === "/open") response.write("a");
    });
    for (const path of ["/silent", "/open"]) {
      const controller = new AbortController();
      const reading = (async () => {
        const { body } = await openAnswer(agent, { ...ask, path }, controller.signal);
        for await (const _ of body) controller.abort(new Error("enough"));
      })();
      if (path === "/silent") setImmediate(() => controller.abort(new Error("enough")));
      await assert.rejects(reading, { message: "enough" });
    }
    await assert.rejects(openAnswer(agent, ask, AbortSignal.abort(new Error("before"))), { message: "before" });
  });

  test("is not asked for where an abort came while the request waited for a connection", async (t) => {
    const asked: (string | undefined)[] = [];
    const { agent, ask } = await serve(t, ({ url }, response) => {
      asked.push(url);
      response.end();
    });
    const leaving = new AbortController();
    const queued = openAnswer(agent, { ...ask, path: "/queued" }, leaving.signal);
    leaving.abort(new Error("enough"));
    await assert.rejects(queued, { message: "enough" });
    await answerTo(agent, { ...ask, path: "/fine" }, NEVER);
    assert.deepEqual(asked, ["/fine"]);
  });

  test("gives what came before it broke off, then the error", async (t) => {
    const { agent, ask } = await serve(t, (_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("half");
      setImmediate(() => response.destroy());
    });
    const { body } = await openAnswer(agent, ask, NEVER);
    const seen: string[] = [];
    await assert.rejects(
      async () => {
        for await (const chunk of body) seen.push(chunk.toString());
      },
      { code: "UND_ERR_SOCKET" },
    );
    assert.deepEqual(seen, ["half"]);
  });
});
