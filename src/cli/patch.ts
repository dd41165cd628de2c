import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { connect } from "../kube/connect.ts";
import { isObject } from "../resources/fields.ts";
import { print } from "./terminal.ts";

interface PatchOptions {
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

/** `courier patch`: what the guide does with `kubectl patch`. Returns the exit code. */
export async function patch(command: Command): Promise<number> {
  const [kind = "", name = ""] = command.args;
  const { namespace, patch: fields, kubeconfig } = command.opts<PatchOptions>();
  if (!existsSync(kubeconfig)) {
    console.error(
      `There is no ${kubeconfig}: start the sandbox with "npm start" first, or name another with --kubeconfig`,
    );
    return 1;
  }
  const client = await connect({ kubeconfig });
  try {
    const types = await client.discover();
    const type = types.find(
      ({ kind: own, plural, shortNames }) =>
        own.toLowerCase() === kind.toLowerCase() || plural === kind || shortNames.includes(kind),
    );
    if (type === undefined) {
      console.error(`The server has no resource type "${kind}"`);
      return 1;
    }
    await client.mergePatch(type, { namespace: type.namespaced ? namespace : "", name }, fields);
    print(`${type.kind.toLowerCase()}${type.group === "" ? "" : `.${type.group}`}/${name} patched`);
    return 0;
  } finally {
    await client.close();
  }
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
