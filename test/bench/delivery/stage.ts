import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyManifests } from "../../../src/app/manifests.ts";
import { connect } from "../../../src/kube/connect.ts";
import { applyDefinitions } from "../../support/definitions.ts";
import { emailServer } from "../../support/platform.ts";
import { type BenchApiServer, startBenchApiServer } from "../api-server.ts";
import { MESSAGES_PATH, TEMPLATE } from "./messages.ts";

/** An API server with courier's kinds, the bench's template and no message. */
export interface Stage extends BenchApiServer {
  /** Points the Secret of the mail server at a port of this machine. */
  useSmtp(port: number): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(kubeconfig: string | undefined): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), "courier-bench-"));
  const server = await startBenchApiServer(kubeconfig, directory);
  const client = await connect({ kubeconfig: server.kubeconfig });
  await applyDefinitions(client, ["deploy/crds", "deploy/namespace.yaml"]);
  await applyManifests(client, [TEMPLATE]);
  return {
    ...server,
    useSmtp: async (port) => {
      await applyManifests(client, [emailServer({ host: "127.0.0.1", port: `${port}` })]);
    },
    async close() {
      await client.close();
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** Messages as they go, seen by a watch of its own. */
export interface GoneWatch {
  /** Resolves with the time (performance.now) when so many have gone since the watch was opened. */
  count(count: number): Promise<number>;
  close(): void;
}

const DELETED = '{"type":"DELETED"';

export async function watchGone({ api }: Stage): Promise<GoneWatch> {
  const list = JSON.parse(await api.call("GET", `${MESSAGES_PATH}?limit=1`));
  const closed = new AbortController();
  const waiters = new Set<{ count: number; resolve: (at: number) => void }>();
  let gone = 0;
  const follow = async () => {
    for await (const line of api.watchLines(MESSAGES_PATH, list.metadata.resourceVersion, closed.signal)) {
      if (!line.startsWith(DELETED)) continue;
      gone += 1;
      for (const waiter of waiters) {
        if (gone < waiter.count) continue;
        waiters.delete(waiter);
        waiter.resolve(performance.now());
      }
    }
  };
  follow().catch((error) => {
    if (!closed.signal.aborted) throw error;
  });
  return {
    count: (count) =>
      gone >= count ? Promise.resolve(performance.now()) : new Promise((resolve) => waiters.add({ count, resolve })),
    close: () => closed.abort(),
  };
}
