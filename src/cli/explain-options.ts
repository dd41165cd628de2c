import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseFilters } from "../config/parse.ts";
import type { ObjectKey } from "../resources/object.ts";
import { DEFAULT_RESOURCE_FILTERS, type ResourceFilterEntry } from "../resources/resource-filter.ts";

export interface ExplainOptions {
  filename: string[];
  old?: string;
  new?: string;
  object?: ObjectKey;
  kind: string;
  operation?: "CREATE" | "UPDATE" | "DELETE";
  resourceFilters: ResourceFilterEntry[];
  format: "text" | "json";
  kubeconfig?: string;
  context?: string;
}

/** The arguments of `courier explain`; files and cluster as kubectl names them. */
export function addExplainOptions(command: Command): Command {
  return command
    .requiredOption("-f, --filename <path>", "file or directory with policies; repeatable", collect)
    .option("--old <file>", "the object before the change, YAML or JSON; - is stdin")
    .option("--new <file>", "the object after the change; - is stdin")
    .addOption(
      new Option(
        "--object <namespace/name>",
        "take the side that has no file from the cluster; a bare name for a cluster-scoped object",
      ).argParser(parseKey),
    )
    .option("--kind <kind>", "kind of --object, such as ConfigMap, cm or apps/v1/Deployment", "ConfigMap")
    .addOption(
      new Option(
        "--operation <operation>",
        "default: UPDATE with both sides, CREATE with the new one, DELETE with the old one",
      ).choices(["CREATE", "UPDATE", "DELETE"]),
    )
    .addOption(
      new Option(
        "--resource-filters <filters>",
        "those of the generator, where it is given others than Kyverno's default",
      )
        .env("COURIER_RESOURCE_FILTERS")
        .argParser(parseFilters)
        .default(parseFilters(DEFAULT_RESOURCE_FILTERS), "Kyverno's"),
    )
    .addOption(new Option("--format <format>", "how it is printed").choices(["text", "json"]).default("text"))
    .option("--kubeconfig <file>", "how to reach the cluster (default: $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "context of the kubeconfig to use instead of its current one")
    .addHelpText("after", NOTES)
    .exitOverride((error) => {
      // 1 means that nothing is generated: a call that is not understood must not look like that.
      throw error.exitCode === 0 ? error : new CommanderError(2, error.code, error.message);
    });
}

const NOTES = `
Says for each generate rule what the generator would do with one change: which part of match holds, which precondition with
what on both sides, the context, and the object that would be generated. Nothing is written. A cluster is only asked for
--object, and for ConfigMaps, API calls and namespace labels that a matching rule names.

Exit code: 0 when something would be generated, 1 when nothing would, 2 when a file or object cannot be read or a policy
cannot run.

Examples:
  courier explain -f policy.yaml --old before.yaml --new after.yaml
  courier explain -f policy.yaml --new source.yaml                        the object is created
  courier explain -f policy.yaml --object app-team-a/app-notification-source --new after.yaml
  kubectl get cm app-notification-source -n app-team-a -o yaml | courier explain -f policy.yaml --old before.yaml --new -`;

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function parseKey(text: string): ObjectKey {
  const parts = text.split("/");
  const [first = "", second] = parts;
  if (parts.length > 2 || parts.includes("")) throw new InvalidArgumentError("it must be NAMESPACE/NAME or NAME");
  return second === undefined ? { namespace: "", name: first } : { namespace: first, name: second };
}
