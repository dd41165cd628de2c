import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { stringify } from "yaml";

/** What a client needs to reach the server. */
export interface Access {
  server: string;
  caPem: string;
  token: string;
}

const NAME = "courier-sandbox";

/** A kubeconfig (YAML) with one cluster, one user and one context, which is the current one. */
export function renderKubeconfig({ server, caPem, token }: Access): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": NAME,
    clusters: [
      { name: NAME, cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } },
    ],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME, namespace: "default" } }],
    users: [{ name: NAME, user: { token } }],
  });
}

/** Writes the file whole or not at all, readable by its owner alone; makes its folder so too where it is missing. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const created = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (created !== undefined) await chmod(dirname(path), 0o700);
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode: 0o600, flag: "wx" }); // in a shared folder the name may be somebody's link
  await rename(temporary, path);
}
