import { registerHooks } from "node:module";

type ClientNode = typeof import("@kubernetes/client-node");

/** Modules that client-node's configuration imports, and what it gets in their place. */
const REPLACED: Record<string, string> = {
  // For its API classes alone, and the agents of its requests: courier's are undici's.
  "./gen/index.js": emptyClasses("createConfiguration", "ServerConfiguration"),
  undici: emptyClasses("Agent", "ProxyAgent"),
  socks: emptyClasses("SocksClient"),
  "socks-proxy-agent": emptyClasses("SocksProxyAgent"),
  hpagent: emptyClasses("HttpProxyAgent", "HttpsProxyAgent"),
  // An import asks for all their names, and with WebSocket comes Node's own undici: 14 MiB (docs/decisions/036).
  "node:http": builtin("node:http"),
  "node:https": builtin("node:https"),
};

let loading: Promise<ClientNode["KubeConfig"]> | undefined;

/**
 * client-node's KubeConfig by itself: it reads kubeconfigs and gives credentials, and cannot make API clients. With
 * what they need, 900 models and all of undici, it is 35 MiB and half a second more (docs/decisions/030).
 */
export function loadKubeConfigClass(): Promise<ClientNode["KubeConfig"]> {
  loading ??= importAlone();
  return loading;
}

async function importAlone(): Promise<ClientNode["KubeConfig"]> {
  const parentURL = import.meta.resolve("@kubernetes/client-node/dist/config.js");
  const library = new URL(".", parentURL).href;
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const source = context.parentURL?.startsWith(library) ? REPLACED[specifier] : undefined;
      if (source === undefined) return nextResolve(specifier, context);
      return { url: `data:text/javascript,${source}`, format: "module", shortCircuit: true };
    },
  });
  try {
    const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
    return KubeConfig;
  } finally {
    hooks.deregister();
  }
}

function emptyClasses(...names: string[]): string {
  return names.map((name) => `export class ${name} {}`).join("");
}

function builtin(name: string): string {
  return `export default process.getBuiltinModule("${name}");`;
}
