import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Accepted } from "./loops/sink.ts";

/** An SMTP server in a process of its own. */
export interface Sink {
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** One that tells what it accepted, and when. */
export interface RecordingSink extends Sink {
  /** What was accepted since it was asked before. */
  accepted(): Promise<Accepted[]>;
}

/** Where Debian's package postfix has it; nothing of postfix needs to run. */
const SMTP_SINK = "/usr/sbin/smtp-sink";

/** Postfix's smtp-sink, the least that a sender's rate can be limited by; our own where it is not installed. */
export async function startFastSink(): Promise<Sink & { name: string }> {
  if (!existsSync(SMTP_SINK)) return { ...(await startRecordingSink()), name: "our own sink (no smtp-sink here)" };
  const port = await freePort();
  const asUser = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn(SMTP_SINK, [...asUser, `127.0.0.1:${port}`, "1000"], { stdio: "ignore" });
  await untilListening(port);
  return { name: "smtp-sink", port, pid: child.pid ?? 0, close: () => end(child) };
}

/** @param port 0 for a free one */
export async function startRecordingSink(port = 0): Promise<RecordingSink> {
  const child = fork(fileURLToPath(new URL("./loops/sink.ts", import.meta.url)), [String(port)]);
  const [actual] = (await once(child, "message")) as [number];
  return {
    port: actual,
    pid: child.pid ?? 0,
    async accepted() {
      child.send("accepted");
      const [list] = (await once(child, "message")) as [Accepted[]];
      return list;
    },
    close: () => end(child),
  };
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const answers = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (answers) return;
    await pause(20);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, "exit");
}
