import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { SourceFile } from "./source-file.ts";

/** A path that could not be read, and why. */
export interface UnreadablePath {
  path: string;
  message: string;
}

export interface ReadFiles {
  sources: SourceFile[];
  unreadable: UnreadablePath[];
}

/** No manifest is larger: etcd takes 1.5 MiB an object. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const SKIPPED = /^(?:\.|node_modules$)/;

/**
 * Reads YAML and JSON files; a directory stands for those in it and in its subdirectories, `-` for standard input. Hidden
 * directories and node_modules are passed over. Never rejects.
 */
export async function readFiles(paths: readonly string[]): Promise<ReadFiles> {
  const result: ReadFiles = { sources: [], unreadable: [] };
  for (const path of paths) {
    try {
      if (path === "-") result.sources.push(new SourceFile("<stdin>", await text(process.stdin)));
      else await readPath(path, result);
    } catch (error) {
      result.unreadable.push({ path, message: explain(error) });
    }
  }
  const seen = new Set<string>();
  result.sources = result.sources.filter(({ path }) => !seen.has(path) && seen.add(path));
  return result;
}

async function readPath(path: string, result: ReadFiles): Promise<void> {
  const found = await stat(path);
  const files = found.isDirectory() ? await filesBelow(path) : [path];
  if (files.length === 0) throw new Error("there is no .yaml, .yml or .json file in it");
  for (const file of files) {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw new Error(`${file} has ${size} bytes, ${MAX_FILE_BYTES} are allowed`);
    result.sources.push(new SourceFile(file, await readFile(file, "utf8")));
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !SKIPPED.test(entry.name)) files.push(...(await filesBelow(path)));
    else if (entry.isFile() && /\.(ya?ml|json)$/.test(entry.name)) files.push(path);
  }
  return files;
}

function explain(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file or directory";
  if (code === "EACCES") return "reading it is not permitted";
  return error instanceof Error ? error.message : String(error);
}
