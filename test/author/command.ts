import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const COURIER = fileURLToPath(new URL("../../bin/courier.js", import.meta.url));
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `courier ARGS` as a shell would, without colours. */
export function startCourier(
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): ChildProcess {
  const env = { ...process.env, NO_COLOR: "1", ...options.env };
  return spawn(process.execPath, [COURIER, ...args], { cwd: options.cwd ?? ROOT, env, stdio: "pipe" });
}

/** Runs `courier ARGS` to its end. */
export async function courier(
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const child = startCourier(args, options);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}
