import { type Command, InvalidArgumentError, Option } from "commander";
import { isObject } from "../resources/fields.ts";

export interface PatchOptions {
  namespace: string;
  patch: object;
  kubeconfig: string;
}

/** The arguments of `kubectl patch` that the guide uses, with kubectl's names. */
export function addPatchOptions(command: Command): Command {
  return command
    .argument("<kind>", "such as configmap, cm or nfm")
    .argument("<name>")
    .option("-n, --namespace <name>", "namespace of the object", "default")
    .addOption(new Option("--type <type>", "kind of patch").choices(["merge"]).default("merge"))
    .addOption(
      new Option("-p, --patch <json>", "the fields to change, as JSON").argParser(parsePatch).makeOptionMandatory(),
    )
    .option("--kubeconfig <file>", "how to reach the cluster", ".courier/kubeconfig");
}

function parsePatch(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    throw new InvalidArgumentError(`it is no JSON: ${(error as Error).message}`);
  }
  throw new InvalidArgumentError('it must be a JSON object, such as {"data":{"severity":"critical"}}');
}
