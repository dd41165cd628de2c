import { PolicyError } from "../generator/errors.ts";
import { parseGlobalContextEntry } from "../generator/global-context-entry.ts";
import { formatProblem } from "../resources/fields.ts";
import { type Finding, findingAt } from "./finding.ts";
import type { Manifest } from "./manifest.ts";

/** What keeps rules from reading a GlobalContextEntry. */
export function checkGlobalContext(manifest: Manifest): Finding[] {
  try {
    parseGlobalContextEntry(manifest.object);
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map((problem) =>
      findingAt(manifest.source, manifest.offsetOf(problem.path), {
        severity: "error",
        rule: "policy",
        message: formatProblem(problem),
      }),
    );
  }
}
