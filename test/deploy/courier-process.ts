import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./manifests.ts";

/** One `courier COMMAND`, as an operating system runs it. */
export interface CourierProcess {
  /** What it printed, standard error included. */
  readonly lines: readonly string[];
  /** Resolves with the first line, printed already or yet to come, that contains `text`. @throws Error after its end, or a minute */
  line(text: string): Promise<string>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** Asks it to end (SIGTERM). Resolves with the exit code. */
  stop(): Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

export interface CourierProcessOptions {
  /** Another checkout than this one. */
  root?: string;
  /** What the command line begins with, such as `ip netns exec NAME`. */
  prefix?: string[];
  /** Node's own arguments. */
  nodeArgs?: string[];
  env?: Record<string, string>;
}

/** A start takes seconds where other suites load the machine. */
const PATIENCE_MS = 60_000;

/** Starts `node bin/courier.js ARGS` without the courier settings of this process' environment. */
export function startCourier(args: string[], options: CourierProcessOptions = {}): CourierProcess {
  const { root = ROOT, prefix = [], nodeArgs = [], env = {} } = options;
  const node = [process.execPath, ...nodeArgs, join(root, "bin/courier.js")];
  const [command = "", ...rest] = [...prefix, ...node, ...args];
  const inherited = Object.entries(process.env).filter(([name]) => !/^(COURIER_|KUBECONFIG$|POD_)/.test(name));
  const child = spawn(command, rest, {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const waiting = new Set<{ text: string; resolve: (line: string) => void; reject: (error: Error) => void }>();
  const onLine = (line: string) => {
    lines.push(line);
    for (const waiter of waiting) {
      if (!line.includes(waiter.text)) continue;
      waiting.delete(waiter);
      waiter.resolve(line);
    }
  };
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
  const ended = endOf(child);
  ended.then((code) => {
    const story = lines.join("\n");
    for (const { text, reject } of waiting)
      reject(new Error(`ended with ${code} before it printed "${text}":\n${story}`));
  });
  return {
    lines,
    ended,
    line(text) {
      const printed = lines.find((line) => line.includes(text));
      if (printed !== undefined) return Promise.resolve(printed);
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const giveUp = () => reject(new Error(`has not printed "${text}" in ${PATIENCE_MS} ms:\n${lines.join("\n")}`));
      const timer = setTimeout(giveUp, PATIENCE_MS);
      waiting.add({ text, resolve, reject });
      return promise.finally(() => clearTimeout(timer));
    },
    async stop() {
      child.kill("SIGTERM");
      return ended;
    },
    signal: (name) => void child.kill(name),
  };
}

async function endOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}
