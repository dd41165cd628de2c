import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { applyManifests } from "../../src/app/manifests.ts";
import { waitFor } from "../../src/cli/wait-for.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { LEASE, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { type CourierProcess, startCourier } from "../deploy/courier-process.ts";
import { emailServer, messageOf, subscriptionOf, templateOf } from "./platform.ts";
import { type SmtpScript, startSmtpServer, type TestSmtpServer } from "./smtp-server.ts";

const NAMESPACE = "cpaas-system";
const PATIENCE_MS = 60_000;

/** Short enough to be waited for, long enough for processes that share two cores with other suites. */
export const LEASE_SECONDS = 4;

/** Several `courier serve` processes on one API server and one SMTP server. */
export interface Replicas {
  client: KubeClient;
  smtp: TestSmtpServer;
  /** Starts a replica; it is killed with the test if it still runs then. */
  start(identity: string, ...options: string[]): CourierProcess;
  /** Creates messages, each to an address of its own; returns the addresses. */
  send(count: number): Promise<string[]>;
  /** Resolves with the number of shards of each replica when `isIt` is true of them, and each shard has an owner. */
  shares(isIt: (shares: Record<string, number>) => boolean): Promise<Record<string, number>>;
  /** Resolves when no message is left. */
  drained(): Promise<void>;
}

/** An API server, an SMTP server, and what a message needs; everything of it ends with the test. */
export async function startReplicas(t: TestContext, script: SmtpScript = {}): Promise<Replicas> {
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  const apiServer = await startApiServer();
  const kubeconfig = join(directory, "kubeconfig");
  await apiServer.writeKubeconfig(kubeconfig);
  const client = await connect({ kubeconfig });
  const smtp = await startSmtpServer(script);
  await applyManifests(client, ["deploy/crds", "deploy/namespace.yaml"]);
  await applyManifests(client, [emailServer({ host: smtp.host, port: `${smtp.port}` }), templateOf("Hello")]);
  const processes: CourierProcess[] = [];
  t.after(async () => {
    for (const each of processes) each.signal("SIGKILL");
    await Promise.all(processes.map(({ ended }) => ended));
    await client.close();
    await smtp.close();
    await apiServer.close();
    await rm(directory, { recursive: true });
  });
  let sent = 0;
  return {
    client,
    smtp,
    start(identity, ...options) {
      const own = ["--identity", identity, "--lease-duration", `${LEASE_SECONDS}s`, "--http-listen", "127.0.0.1:0"];
      const started = startCourier(["serve", "--kubeconfig", kubeconfig, ...own, ...options]);
      processes.push(started);
      return started;
    },
    async send(count) {
      const addresses = Array.from({ length: count }, (_, index) => `a${sent + index}@example.com`);
      for (const address of addresses) {
        sent += 1;
        await client.create(NOTIFICATION_MESSAGE, messageOf(`m-${sent}`, { notifications: [subscriptionOf(address)] }));
      }
      return addresses;
    },
    shares: (isIt) => seeShares(client, isIt),
    drained: () => seeNone(client),
  };
}

async function seeShares(client: KubeClient, isIt: (shares: Record<string, number>) => boolean) {
  return waitFor(
    client,
    LEASE,
    { namespace: NAMESPACE, fieldSelector: "metadata.name=courier-api-shards" },
    (event) => {
      if (event.type === "Synced") return undefined;
      const owners = JSON.parse(event.object.metadata.annotations?.["courier.io/shard-owners"] ?? "[]") as string[];
      const shares: Record<string, number> = {};
      for (const owner of owners) {
        const identity = owner.replace(/_.*/, "");
        shares[identity] = (shares[identity] ?? 0) + 1;
      }
      return shares[""] === undefined && isIt(shares) ? shares : undefined;
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
}

async function seeNone(client: KubeClient): Promise<void> {
  const left = new Set<string>();
  await waitFor(
    client,
    NOTIFICATION_MESSAGE,
    { namespace: NAMESPACE },
    (event) => {
      if (event.type === "Synced") return left.size === 0 ? true : undefined;
      const { name = "" } = event.object.metadata;
      if (event.type !== "Deleted") left.add(name);
      else left.delete(name);
      return event.type === "Deleted" && left.size === 0 ? true : undefined;
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
}
