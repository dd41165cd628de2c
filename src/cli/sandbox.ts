import { relative } from "node:path";
import { type Sandbox, startSandbox } from "../app/sandbox.ts";
import type { WorkloadName } from "../app/sandbox-platform.ts";
import type { SandboxConfig } from "../config/config.ts";
import { PATCH_ARGUMENTS, playGuide } from "./play-guide.ts";
import { print, styled } from "./terminal.ts";

/** How long `--once` waits for the guide's mail. */
const ONCE_TIMEOUT_MS = 30_000;

/** `courier sandbox`: everything in one process, and the guide played in it. Returns the exit code. */
export async function sandbox(config: SandboxConfig): Promise<number> {
  const startMs = performance.now();
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  let isUp = false; // what the services say while they start is for kubectl logs
  const running = await startSandbox(config, (workload, line) => {
    if (isUp) printLogLine(workload, line);
  });
  try {
    isUp = true;
    printAddresses(running, performance.now() - startMs);
    await playGuide(running, AbortSignal.any([interrupted.signal, AbortSignal.timeout(ONCE_TIMEOUT_MS)]));
    if (config.once) return 0;
    printNextThings(running);
    await announceMails(running, interrupted.signal);
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    print();
    console.error(styled("red", (error as Error).message));
    return 1;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    await running.stop();
  }
}

function printAddresses({ apiServer, inbox, kubeconfig, smtp }: Sandbox, tookMs: number): void {
  print(`${styled("bold", "courier sandbox")} is up after ${(tookMs / 1000).toFixed(1)} s`);
  print();
  print(`  API server  ${apiServer.url}`);
  print(`  kubeconfig  ${relativePath(kubeconfig)}`);
  print(inbox ? `  Inbox       ${inbox.url}` : `  Mail goes to ${smtp.host}:${smtp.port}`);
}

/**
 * The services' own words, each with who said it. Time, level INFO and the message's name are left out here, so that the
 * lines stand as the guide has them; `kubectl logs` shows them whole.
 */
function printLogLine(workload: WorkloadName, line: string): void {
  const who = workload === "courier-api" ? "courier-api" : "generator  ";
  const told = line.trimEnd().replace(/^\S+Z (?:INFO +)?(?:\[\S+\] )?/, "");
  print(`${styled("cyan", who)} ${styled("dim", "│")} ${told}`);
}

function printNextThings({ inbox, kubeconfig }: Sandbox): void {
  const file = relativePath(kubeconfig);
  print();
  print(styled("bold", "Try next"));
  if (inbox) print(`  open ${inbox.url}`);
  print(`  kubectl --kubeconfig ${file} ${PATCH_ARGUMENTS.replace("critical", "info")}`);
  print(`  npx courier ${PATCH_ARGUMENTS.replace("critical", "warning")}   ${styled("dim", "# without kubectl")}`);
  print(`  kubectl --kubeconfig ${file} get nfm -A -w`);
  print(`  kubectl --kubeconfig ${file} logs -n cpaas-system deploy/courier-api --since=5m`);
  print();
  print(styled("dim", "Ctrl-C ends it; nothing is left behind."));
}

function relativePath(path: string): string {
  const shorter = relative(process.cwd(), path);
  return shorter.startsWith("..") ? path : shorter;
}

/** Says of each mail that arrives that it did, until `signal` aborts. */
async function announceMails({ inbox }: Sandbox, signal: AbortSignal): Promise<void> {
  const told = new Set((await inbox?.messages())?.map(({ id }) => id));
  while (!signal.aborted) {
    const mail = await inbox?.waitForMail(({ id }) => !told.has(id), signal).catch(() => undefined);
    if (mail === undefined) return untilAborted(signal);
    told.add(mail.id);
    print(`${styled("cyan", "inbox      ")} ${styled("dim", "│")} "${mail.subject}" for ${mail.recipients.join(", ")}`);
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
