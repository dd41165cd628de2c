import { readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { connect } from "../../src/kube/connect.ts";
import { NOTIFICATION_MESSAGE, NOTIFICATION_TEMPLATE, type ResourceType, SECRET } from "../../src/resources/kinds.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";

const NAMESPACE = "cpaas-system";

/** An API server over TCP, and its administrator. */
export interface TestApiServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly caPem: string;
  /** Writes an administrator's kubeconfig, for `server` where that is another address than its own. */
  writeKubeconfig(path: string, server?: string): Promise<void>;
  /** Ends it, or takes away what a test has left in it. */
  close(): Promise<void>;
}

/** The kubeconfig of a real API server that tests may write to; undefined where there is none. */
export const REAL_KUBECONFIG: string | undefined = process.env["COURIER_TEST_KUBECONFIG"];

interface Kubeconfig {
  clusters: [{ cluster: { server: string; "certificate-authority": string } }];
  users: [{ user: { token: string } }];
}

/** The API server of {@link REAL_KUBECONFIG}, which one test at a time can have; else a sandbox of this test's own. */
export async function openApiServer(): Promise<TestApiServer> {
  return REAL_KUBECONFIG === undefined ? startApiServer() : openReal(REAL_KUBECONFIG);
}

async function openReal(path: string): Promise<TestApiServer> {
  const config = parse(await readFile(path, "utf8")) as Kubeconfig;
  const [{ cluster }] = config.clusters;
  const ca = resolve(dirname(path), cluster["certificate-authority"]);
  const url = cluster.server.replace(/\/$/, "");
  await cleanUp(path);
  return {
    url,
    port: Number(new URL(url).port),
    token: config.users[0].user.token,
    caPem: await readFile(ca, "utf8"),
    async writeKubeconfig(to, server = url) {
      const clusters = [{ ...config.clusters[0], cluster: { server, "certificate-authority": ca } }];
      await writeFile(to, stringify({ ...config, clusters }), { mode: 0o600 });
    },
    close: () => cleanUp(path),
  };
}

async function cleanUp(kubeconfig: string): Promise<void> {
  const client = await connect({ kubeconfig });
  try {
    const served = await client.discover();
    const isServed = ({ group, kind }: ResourceType) =>
      served.some((type) => type.group === group && type.kind === kind);
    await client.delete(SECRET, { namespace: NAMESPACE, name: "platform-email-server" });
    for (const type of [NOTIFICATION_TEMPLATE, NOTIFICATION_MESSAGE].filter(isServed))
      for await (const { items } of client.listPages(type, { namespace: NAMESPACE }))
        for (const { metadata } of items)
          await client.delete(type, { namespace: NAMESPACE, name: metadata.name ?? "" });
  } finally {
    await client.close();
  }
}
