import { type Command, Option } from "commander";
import type { ReportFormat } from "../author/report.ts";

export interface ValidateOptions {
  format: ReportFormat;
  strict?: true;
}

/** The arguments of `courier validate`. */
export function addValidateOptions(command: Command): Command {
  return command
    .argument("<path...>", "YAML and JSON files, directories with all below them; - is stdin")
    .addOption(
      new Option("--format <format>", "how findings are printed; github: annotations of a GitHub Actions run")
        .choices(["text", "json", "github"])
        .default("text"),
    )
    .option("--strict", "warnings, too, make the exit code 1")
    .addHelpText("after", NOTES);
}

const NOTES = `
Checks NotificationTemplates, NotificationMessages, ClusterPolicies and Policies with generate rules, and the Secret of
the mail server; other kinds are passed over. Files given together are seen together: give the messages and policies that
use a template, and its variables are checked against what they set. No cluster is asked.

An error is what keeps a mail from being sent, or from reading as it is written. A warning may be meant so.
Exit code: 0 without errors, 1 with errors (with --strict: with warnings), 2 when a path cannot be read.

Examples:
  courier validate templates/ policies/
  kustomize build . | courier validate -
  courier validate --format github .`;
