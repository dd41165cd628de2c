import type { Place, SourceFile } from "./source-file.ts";

/**
 * `error`: the mail does not go out, or does not read as it is written. `warning`: it may well be meant so, or it
 * depends on what a message will hold.
 */
export type Severity = "error" | "warning";

/** What kind of thing was found; the JSON output and the titles of annotations use these words. */
export type Rule =
  | "yaml-syntax"
  | "unknown-kind"
  | "unknown-field"
  | "wrong-value"
  | "template-syntax"
  | "render-failed"
  | "unset-variable"
  | "empty-subject"
  | "html"
  | "template-not-found"
  | "policy"
  | "mail-server";

/** One thing that is wrong: what, where, and how to mend it. */
export interface Finding extends Place {
  severity: Severity;
  rule: Rule;
  file: string;
  message: string;
  /** The line itself; absent where it could hold a credential. */
  sourceLine?: string;
}

/** A finding at an offset of a file, with the line that is there. */
export function findingAt(
  source: SourceFile,
  offset: number,
  fact: { severity: Severity; rule: Rule; message: string },
): Finding {
  const place = source.placeAt(offset);
  return { ...fact, file: source.path, ...place, sourceLine: source.lineText(place.line) };
}

/** Findings in the order of files, lines and columns, each once. */
export function sortFindings(findings: readonly Finding[], files: readonly string[]): Finding[] {
  const rank = new Map(files.map((file, index) => [file, index]));
  const unique = new Map(findings.map((finding) => [formatKey(finding), finding]));
  return [...unique.values()].sort(
    (a, b) => (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  );
}

function formatKey({ file, line, column, severity, message }: Finding): string {
  return `${file}:${line}:${column}:${severity}:${message}`;
}
