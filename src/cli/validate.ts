import type { Command } from "commander";
import { readFiles } from "../author/manifest-files.ts";
import { countFindings, formatFinding, formatGithub, type Look, type ReportFormat } from "../author/report.ts";
import { type Validation, validate as validateFiles } from "../author/validate.ts";
import { endOnClosedPipe, STDERR } from "./render-streams.ts";
import { print, styled } from "./terminal.ts";
import type { ValidateOptions } from "./validate-options.ts";

const CLEAN = 0;
const WRONG = 1;
const UNREADABLE = 2;

/** `courier validate`: what is wrong with manifests, before a cluster sees them. Returns the exit code. */
export async function validate(command: Command): Promise<number> {
  endOnClosedPipe();
  const { format, strict } = command.opts<ValidateOptions>();
  const { sources, unreadable } = await readFiles(command.args);
  for (const { path, message } of unreadable) console.error(`Cannot read "${path}": ${message}`);
  const validation = validateFiles(sources);
  printFindings(validation, format);
  const summary = `${count(sources.length, "file")}, ${count(validation.checked, "object")}: ${countFindings(validation.findings)}`;
  console.error(STDERR.paint("dim", summary));
  if (unreadable.length > 0) return UNREADABLE;
  const isWrong = validation.findings.some(({ severity }) => strict === true || severity === "error");
  return isWrong ? WRONG : CLEAN;
}

function printFindings({ findings }: Validation, format: ReportFormat): void {
  if (format === "json") {
    print(JSON.stringify({ findings: findings.map(({ sourceLine: _, ...finding }) => finding) }, null, 2));
    return;
  }
  const look: Look = { excerpts: process.stdout.isTTY === true, paint: styled };
  for (const finding of findings) print(format === "github" ? formatGithub(finding) : formatFinding(finding, look));
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
