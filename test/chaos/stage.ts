/** Everything that a run needs, started and ended: API server, SMTP server, network, replicas, ledger. */
import { EventEmitter } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyManifests } from "../../src/app/manifests.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { openCluster } from "../deploy/cluster.ts";
import { emailServer } from "../support/platform.ts";
import { type ApiServer, moveKubeconfig, startApiServer } from "./api-server.ts";
import { Ledger } from "./ledger.ts";
import { goodTemplate } from "./messages.ts";
import { createNamespaces, loopbackNetwork, type Network } from "./network.ts";
import { observeMessages } from "./observer.ts";
import { Replica } from "./replicas.ts";
import { type Smtp, startSmtp } from "./smtp.ts";

const REPLICAS = 3;
/** Mails a replica may have sent and not recorded: its workers', and as many as end while the watch tells of others. */
export const IN_HAND = 64 + 10;
export const SMTP_TIMEOUT_MS = 5_000;
/** Shorter than the default, so that more happens in a run. */
const LEASE_MS = 6_000;
/** After so long, others have taken what a replica held: its Lease's duration, and time to see it and to share it out. */
export const TAKEN_OVER_MS = LEASE_MS + 4_000;

const FLAGS = ["--smtp-timeout", `${SMTP_TIMEOUT_MS / 1000}s`, "--lease-duration", `${LEASE_MS / 1000}s`];

export interface StageOptions {
  seed: string;
  /** The checkout whose courier runs. */
  root: string;
  /** Whether each replica gets a network namespace. */
  namespaces: boolean;
}

export interface Stage {
  readonly seed: string;
  readonly ledger: Ledger;
  /** Emits `change` after everything that the ledger is told. */
  readonly changed: EventEmitter;
  readonly api: ApiServer;
  readonly smtp: Smtp;
  readonly network: Network;
  readonly canCut: boolean;
  readonly replicas: readonly Replica[];
  /** The administrator. */
  readonly client: KubeClient;
  /** Writes what the replicas have printed into a directory that stays, and returns its path. */
  saveLogs(): Promise<string>;
  close(): Promise<void>;
}

export async function openStage({ seed, root, namespaces }: StageOptions): Promise<Stage> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.reverse()) await closer().catch((error) => console.error(`closing: ${error}`));
  };
  try {
    const directory = await mkdtemp(join(tmpdir(), "courier-chaos-"));
    closers.push(() => rm(directory, { recursive: true, force: true }));
    const network = namespaces ? await createNamespaces(REPLICAS) : loopbackNetwork();
    closers.push(() => network.close());
    const api = await startApiServer(join(directory, "kube"));
    closers.push(() => api.close());
    await network.forward(api.port);
    const ledger = new Ledger();
    const changed = new EventEmitter().setMaxListeners(0);
    const smtp = await startSmtp(network.host, seed, (event) => {
      ledger.smtp(event);
      changed.emit("change");
    });
    closers.push(() => smtp.close());

    await api.kubectl("apply", "-k", "deploy/");
    const cluster = await openCluster(api.kubeconfig);
    closers.push(() => cluster.close());
    const secret = emailServer({ host: smtp.host, port: `${smtp.port}`, from: "courier@chaos.example" });
    await applyManifests(cluster.admin, [secret, goodTemplate()]);
    const kubeconfig = await cluster.kubeconfigOf("courier-api");
    if (namespaces) await moveKubeconfig(kubeconfig, network.host);

    const over = new AbortController();
    const observing = observeMessages(cluster.admin, ledger, changed, over.signal);
    closers.push(() => {
      over.abort();
      return observing;
    });
    const options = { root, kubeconfig, flags: FLAGS, network };
    const replicas = Array.from({ length: REPLICAS }, (_, index) => new Replica(index + 1, options));
    closers.push(() => Promise.all(replicas.map((replica) => replica.kill())));
    await Promise.all(replicas.map((replica) => replica.start()));
    const canCut = namespaces;
    const saveLogs = () => saveLogsOf(replicas);
    return { seed, ledger, changed, api, smtp, network, canCut, replicas, client: cluster.admin, saveLogs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function saveLogsOf(replicas: Replica[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "courier-chaos-logs-"));
  for (const { number, logs } of replicas) await writeFile(join(directory, `replica-${number}.log`), logs.join("\n"));
  return directory;
}
