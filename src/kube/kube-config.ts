import { registerHooks } from "node:module";

type ClientNode = typeof import("@kubernetes/client-node");

/** What client-node's configuration imports for its API classes alone, which courier does not use: module → names. */
const LEFT_OUT: Record<string, string[]> = {
  "./gen/index.js": ["createConfiguration", "ServerConfiguration"],
  undici: ["Agent", "ProxyAgent"],
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
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const names = context.parentURL === parentURL ? LEFT_OUT[specifier] : undefined;
      if (names === undefined) return nextResolve(specifier, context);
      const source = names.map((name) => `export const ${name} = undefined;`).join("");
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
