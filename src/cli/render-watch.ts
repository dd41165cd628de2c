import { statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Quiet time after which a change counts as written: editors write in several steps. */
const QUIET_MS = 40;

/**
 * Calls `onChange` after each change of the paths (files, or directories with all below them), one call at a time, until
 * `signal` aborts. Files are watched through their directory, because editors replace them.
 */
export async function watchPaths(
  paths: readonly string[],
  onChange: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let wake = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const touch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => wake.resolve(), QUIET_MS);
  };
  for (const path of paths) {
    const isDirectory = statSync(path).isDirectory();
    const watcher = watch(isDirectory ? path : dirname(path), { recursive: isDirectory, signal }, (_event, name) => {
      if (isDirectory || name === null || name === basename(path)) touch();
    });
    watcher.on("error", touch); // a directory that went away: the next rendering says so
  }
  signal.addEventListener("abort", () => wake.resolve(), { once: true });
  while (!signal.aborted) {
    await wake.promise;
    if (signal.aborted) break;
    wake = Promise.withResolvers<void>();
    await onChange();
  }
  clearTimeout(timer);
}
