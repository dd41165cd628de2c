/** The sandbox's API server in a process of its own: `fork(this file, [KUBECONFIG])`. Tells its parent how many requests came. */
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";

const server = await startApiServer();
await server.writeKubeconfig(process.argv[2] ?? "kubeconfig");
process.on("message", () => process.send?.(server.requests()));
process.once("disconnect", () => process.exit(0));
process.send?.("ready");
