import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SmtpCommand, SmtpEvent, SmtpMode, SmtpReport } from "./smtp-script.ts";

/** The scripted SMTP server in its process. */
export interface Smtp {
  readonly host: string;
  readonly port: number;
  setMode(mode: SmtpMode): Promise<void>;
  /** Closes the port and all connections; `resume` opens the port again. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Resolves when every event so far has been told. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the server on a free port of `host`; `onEvent` is told all that happens. */
export async function startSmtp(host: string, seed: string, onEvent: (event: SmtpEvent) => void): Promise<Smtp> {
  const child = fork(fileURLToPath(new URL("smtp-process.ts", import.meta.url)), { serialization: "json" });
  const waiting = new Map<number, (port: number | undefined) => void>();
  let commands = 0;
  child.on("message", (report: SmtpReport) => {
    if ("event" in report) return onEvent(report.event);
    waiting.get(report.done)?.(report.port);
    waiting.delete(report.done);
  });
  const send = (command: SmtpCommand) =>
    new Promise<number | undefined>((resolve) => {
      commands += 1;
      waiting.set(commands, resolve);
      child.send({ number: commands, command });
    });
  const port = (await send({ type: "start", host, port: 0, seed })) ?? 0;
  return {
    host,
    port,
    setMode: async (mode) => void (await send({ type: "mode", mode })),
    suspend: async () => void (await send({ type: "suspend" })),
    resume: async () => void (await send({ type: "resume" })),
    flush: async () => void (await send({ type: "flush" })),
    close: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
