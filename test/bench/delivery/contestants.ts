import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What drains messages: courier, or a loop that it is measured against. */
export type ContestantName = "bare" | "floor" | "courier";

/** A contestant at work, in a process of its own. */
export interface Contestant {
  readonly pid: number;
  /** Resolves when it has ended; rejects when it failed by itself. */
  stop(): Promise<void>;
}

export interface Course {
  kubeconfig: string;
  smtpPort: number;
}

const LOOPS = { bare: "./loops/bare.ts", floor: "./loops/floor.ts" };
/** As the Dockerfile's ENTRYPOINT and ENV have them. */
const NODE_FLAGS = ["--max-semi-space-size=8"];
const IMAGE_ENV = { MALLOC_TRIM_THRESHOLD_: "1048576" };
const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
/** The files of the image, once they are built. */
let image: string | undefined;

/** @param options further options of `courier serve` */
export function startContestant(name: ContestantName, course: Course, ...options: string[]): Contestant {
  if (name === "courier") return startCourier(course, ...options);
  const file = fileURLToPath(new URL(LOOPS[name], import.meta.url));
  return start([file, course.kubeconfig, String(course.smtpPort)]);
}

/** courier-api as its image runs it, but that its log goes nowhere. */
export function startCourier({ kubeconfig }: Pick<Course, "kubeconfig">, ...options: string[]): Contestant {
  const args = ["serve", "--kubeconfig", kubeconfig, "--http-listen", "127.0.0.1:0", ...options];
  image ??= buildImage();
  return start([...NODE_FLAGS, join(image, "bin/courier.js"), ...args], IMAGE_ENV);
}

/** What the Dockerfile copies into the image; from the sources Node would strip types first, and hold what does it. */
function buildImage(): string {
  const directory = mkdtempSync(join(tmpdir(), "courier-image-"));
  process.once("exit", () => rmSync(directory, { recursive: true }));
  const compiler = join(REPOSITORY, "node_modules/typescript/bin/tsc");
  const dist = join(directory, "dist");
  execFileSync(process.execPath, [compiler, "-p", join(REPOSITORY, "tsconfig.build.json"), "--outDir", dist]);
  for (const part of ["bin", "package.json"])
    cpSync(join(REPOSITORY, part), join(directory, part), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(directory, "node_modules"));
  return directory;
}

function start(args: string[], variables: NodeJS.ProcessEnv = {}): Contestant {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("COURIER_"));
  const env = { ...Object.fromEntries(own), ...variables };
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"], env });
  const ended = once(child, "exit");
  let isStopping = false;
  ended.then(([code, signal]) => {
    if (isStopping) return;
    console.error(`${args.join(" ")} ended by itself with ${code ?? signal}`);
    process.exit(1);
  });
  return {
    pid: child.pid ?? 0,
    async stop() {
      isStopping = true;
      child.kill("SIGTERM");
      await ended;
    },
  };
}
