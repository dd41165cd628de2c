import { existsSync } from "node:fs";
import type { Command } from "commander";
import { connect } from "../kube/connect.ts";
import type { PatchOptions } from "./patch-options.ts";
import { print } from "./terminal.ts";

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
