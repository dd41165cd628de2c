import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const MODULE = "github.com/mailhog/MailHog@v1.0.1";
const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "courier", "bin");

/** A mail as MailHog's API tells of it (`/api/v2/messages`), as far as the test reads it. */
export interface StoredMail {
  Raw: { From: string; To: string[]; Data: string };
  Content: { Headers: Record<string, string[]> };
}

export interface MailHog {
  smtpPort: number;
  mails(): Promise<StoredMail[]>;
  stop(): Promise<void>;
}

/** The program's path, or why there is none: on PATH, installed before, or installed now where Go is. */
export async function findMailHog(): Promise<{ path: string } | { missing: string }> {
  const path = onPath("MailHog") ?? onPath("mailhog") ?? executable(join(CACHE, "MailHog"));
  if (path !== undefined) return { path };
  const go = onPath("go");
  if (go === undefined) return { missing: `there is neither MailHog nor Go (go install ${MODULE}) on PATH` };
  try {
    await promisify(execFile)(go, ["install", MODULE], { cwd: homedir(), env: { ...process.env, GOBIN: CACHE } });
    return { path: join(CACHE, "MailHog") };
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-2).join(" ") ?? String(error);
    return { missing: `go install ${MODULE} failed: ${said}` };
  }
}

/** Starts MailHog on free loopback ports; resolves when its API answers. */
export async function startMailHog(path: string): Promise<MailHog> {
  const [smtpPort, httpPort] = await freePorts();
  const http = `127.0.0.1:${httpPort}`;
  const binds = ["-smtp-bind-addr", `127.0.0.1:${smtpPort}`, "-api-bind-addr", http, "-ui-bind-addr", http];
  const child = spawn(path, binds, { stdio: "ignore" });
  const messages = `http://${http}/api/v2/messages`;
  await answering(messages, child);
  return {
    smtpPort,
    async mails() {
      const { items } = (await (await fetch(messages)).json()) as { items: StoredMail[] };
      return items;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null) throw new Error(`MailHog ended with ${child.exitCode}`);
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await pause(100);
  }
  child.kill("SIGKILL");
  throw new Error(`MailHog does not answer at ${url} after 10 s`);
}

/** MailHog does not say which port it took, so it is given ports that were free a moment ago. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) server.close();
  return ports as [number, number];
}

function onPath(program: string): string | undefined {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = executable(join(directory, program));
    if (path !== undefined) return path;
  }
  return undefined;
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}
