import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { LineCounter, parseAllDocuments } from "yaml";
import type { KubeObject } from "../resources/object.ts";
import { messageOf, PolicyError } from "./errors.ts";
import { isGeneratePolicy, parsePolicy } from "./parse-policy.ts";
import type { Policy } from "./rule-model.ts";

/** A policy of a file that cannot run, or a file that cannot be read. */
export interface PolicyFileProblem {
  /** `file:line`, or the path as it was given. */
  origin: string;
  message: string;
}

export interface PolicyFiles {
  policies: Policy[];
  problems: PolicyFileProblem[];
}

/**
 * Reads the generate policies of YAML and JSON files; a directory stands for its `.yaml`, `.yml` and `.json` files.
 * Documents of other kinds are passed over. Never rejects: what is wrong is in `problems`.
 */
export async function loadPolicyFiles(paths: readonly string[]): Promise<PolicyFiles> {
  const result: PolicyFiles = { policies: [], problems: [] };
  for (const path of paths) {
    try {
      for (const file of await filesOf(path)) readPolicies(file, await readFile(file, "utf8"), result);
    } catch (error) {
      result.problems.push({ origin: path, message: `Cannot read policies from "${path}": ${messageOf(error)}` });
    }
  }
  return result;
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return names.map((name) => join(path, name));
}

function readPolicies(file: string, text: string, result: PolicyFiles): void {
  const lineCounter = new LineCounter();
  for (const document of parseAllDocuments(text, { lineCounter })) {
    if (!("errors" in document)) continue;
    const [error] = document.errors;
    const lineOf = (offset: number) => `${file}:${lineCounter.linePos(offset).line}`;
    if (error !== undefined) {
      const [reason = ""] = error.message.split("\n");
      result.problems.push({ origin: lineOf(error.pos[0]), message: `Cannot parse YAML: ${reason}` });
      continue;
    }
    const object: unknown = document.toJS({ maxAliasCount: 100 });
    if (!isGeneratePolicy(object)) continue;
    readPolicy(object as KubeObject, lineOf(document.contents?.range?.[0] ?? document.range[0]), result);
  }
}

function readPolicy(object: KubeObject, origin: string, result: PolicyFiles): void {
  try {
    result.policies.push(parsePolicy(object, origin));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const name = object.metadata?.name ?? "";
    result.problems.push({ origin, message: `${object.kind} "${name}" cannot run: ${error.message}` });
  }
}
