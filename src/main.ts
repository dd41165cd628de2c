import { runCommandLine } from "./cli/command-line.ts";

let readerGone = false;
// Whoever read the output is gone (`courier … | head`): end as at a stop, so that nothing is left behind.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (!readerGone) process.kill(process.pid, "SIGTERM");
  readerGone = true;
});

process.exitCode = await runCommandLine(process.argv.slice(2));
