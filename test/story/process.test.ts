/** `courier` as a process: what it says and how it ends when it cannot begin, and when it is told to stop. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";

const BIN = fileURLToPath(new URL("../../bin/courier.js", import.meta.url));

interface Run {
  child: ChildProcess;
  /** All of standard error so far. */
  errors(): string;
  /** Resolves with the first line of standard output, from the start on, that holds `part`. */
  said(part: string): Promise<string>;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

function start(t: TestContext, args: string[], environment: Record<string, string> = {}): Run {
  const env = { PATH: process.env.PATH ?? "", HOME: "/nonexistent", ...environment };
  const child = spawn(process.execPath, [BIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const told = { out: "", errors: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    told.out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    told.errors += text;
  });
  t.after(() => child.kill("SIGKILL"));
  return {
    child,
    errors: () => told.errors,
    async said(part) {
      for (;;) {
        const line = told.out.split("\n").find((text) => text.includes(part));
        if (line !== undefined) return line;
        await once(child.stdout ?? child, "data", { signal: AbortSignal.timeout(15_000) });
      }
    },
    ended: once(child, "close").then(([code, signal]) => ({ code, signal })),
  };
}

async function kubeconfigOf(t: TestContext): Promise<string> {
  const apiServer = await startApiServer();
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  t.after(async () => {
    await apiServer.close();
    await rm(directory, { recursive: true });
  });
  const path = join(directory, "kubeconfig");
  await apiServer.writeKubeconfig(path);
  return path;
}

/** Flags with which serve leads on an empty API server. */
async function reachable(t: TestContext): Promise<string[]> {
  return ["--kubeconfig", await kubeconfigOf(t), "--http-listen", "127.0.0.1:0", "--lease-namespace", "default"];
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a kubeconfig that is not there ends serve with one line and 1", async (t) => {
  const run = start(t, ["serve", "--kubeconfig", "/nonexistent/kubeconfig"]);
  assert.deepEqual(await run.ended, { code: 1, signal: null });
  assert.match(run.errors(), /^courier: [^\n]*\/nonexistent\/kubeconfig[^\n]*\n$/);
});

test("a taken HTTP port ends serve with one line that names the flag, and 1", async (t) => {
  const port = await takenPort(t);
  const run = start(t, ["serve", "--kubeconfig", await kubeconfigOf(t), "--http-listen", `127.0.0.1:${port}`]);
  assert.deepEqual(await run.ended, { code: 1, signal: null });
  assert.match(run.errors(), new RegExp(`^courier: Cannot listen on 127.0.0.1:${port}: [^\n]*--http-listen\n$`));
});

test("a taken port of the sandbox ends it with one line that names the flag, and 1", async (t) => {
  const port = await takenPort(t);
  for (const flag of ["--api-port", "--inbox-port"]) {
    const run = start(t, ["sandbox", "--once", flag, `${port}`]);
    assert.deepEqual(await run.ended, { code: 1, signal: null });
    assert.match(run.errors(), new RegExp(`^courier: [^\n]*${port}[^\n]*${flag}[^\n]*\n$`));
  }
});

test("SIGTERM stops serve at once when nothing is in flight, with 0", async (t) => {
  const run = start(t, ["serve", ...(await reachable(t))]);
  await run.said("Working on shards");
  const startMs = performance.now();
  run.child.kill("SIGTERM");
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  assert.ok(performance.now() - startMs < 5000);
});

test("a second signal, of whichever kind, ends serve at once", async (t) => {
  const run = start(t, ["serve", ...(await reachable(t))]);
  await run.said("Working on shards");
  run.child.kill("SIGSTOP"); // both signals are there before the first one's stop has come to its end
  run.child.kill("SIGTERM");
  run.child.kill("SIGINT");
  run.child.kill("SIGCONT");
  const { code } = await run.ended;
  assert.ok(code === 130 || code === 143, `${code}`);
});
