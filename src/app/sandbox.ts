/** A whole platform in one process: API server, inbox, courier-api and generator, each met over TCP as in a cluster. */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { defaultConfig, type SandboxConfig } from "../config/config.ts";
import type { Address } from "../config/parse.ts";
import type { KubeClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { createLogger, type Logger } from "../observe/logger.ts";
import type { ObjectKey } from "../resources/object.ts";
import { type ApiServer, startApiServer } from "../sandbox/apiserver/index.ts";
import { type Inbox, startInbox } from "../sandbox/inbox/inbox.ts";
import { startDelivery } from "./delivery-service.ts";
import { startGenerator } from "./generator-service.ts";
import { LogTail } from "./log-tail.ts";
import { applyManifests } from "./manifests.ts";
import { platformObjects, WORKLOADS, type WorkloadName, workloadStatuses } from "./sandbox-platform.ts";
import type { Service } from "./service.ts";

export interface Sandbox {
  apiServer: ApiServer;
  /** Where the kubeconfig was written. */
  kubeconfig: string;
  /** Absent where mail goes to an SMTP server of the user's. */
  inbox?: Inbox;
  smtp: Address;
  client: KubeClient;
  stop(): Promise<void>;
}

/** The repository's own manifests that make a platform of an empty API server. */
const PLATFORM_MANIFESTS = ["deploy/crds", "deploy/generator/crds", "deploy/namespace.yaml"];

/** Resolves when both services are ready. `onLine` is told each line that one of them logs. */
export async function startSandbox(
  config: SandboxConfig,
  onLine: (workload: WorkloadName, line: string) => void,
): Promise<Sandbox> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const tails = new Map(WORKLOADS.map(({ name }) => [name, new LogTail()]));
    await checkPort(config.apiHost, config.apiPort, "--api-port");
    await checkPort("127.0.0.1", config.inboxPort, "--inbox-port");
    const apiServer = await startApiServer({
      host: config.apiHost,
      port: config.apiPort,
      podLogs: (pod, query) => tailOf(tails, pod)?.read(query),
    });
    stops.push(() => apiServer.close());
    const kubeconfig = join(config.stateDir, "kubeconfig");
    await apiServer.writeKubeconfig(kubeconfig, config.advertise);
    const inbox = config.smtp === undefined ? await startInbox({ webPort: config.inboxPort }) : undefined;
    if (inbox) stops.push(() => inbox.close());
    const smtp = config.smtp ?? { host: inbox?.smtpHost ?? "", port: inbox?.smtpPort ?? 0 };

    // The services are beside the API server, whatever address others have to use.
    const own = config.advertise === undefined ? kubeconfig : join(config.stateDir, "services.kubeconfig");
    if (own !== kubeconfig) await apiServer.writeKubeconfig(own);
    stops.push(() => Promise.all([rm(kubeconfig, { force: true }), rm(own, { force: true })]));
    const client = await connect({ kubeconfig: own });
    stops.push(() => client.close());
    await applyManifests(client, PLATFORM_MANIFESTS);
    await applyManifests(client, platformObjects(smtp));
    for (const { type, key, status } of workloadStatuses()) {
      await client.mergePatch(type, key, { status }, { subresource: "status" });
    }

    const loggerFor = (name: WorkloadName, fieldStyle: "object" | "pairs"): Logger =>
      createLogger({
        format: config.logFormat,
        level: config.logLevel,
        fieldStyle,
        destination: {
          write(line) {
            tails.get(name)?.write(line);
            onLine(name, line);
          },
        },
      });
    const common = { kubeconfig: own, httpListen: { host: "127.0.0.1", port: 0 }, shutdownTimeout: 5000 };
    const services: Service[] = await Promise.all([
      startDelivery(defaultConfig("serve", common), loggerFor("courier-api", "object")),
      startGenerator(defaultConfig("generate", common), loggerFor("kyverno-background-controller", "pairs")),
    ]);
    for (const service of services) stops.push(() => service.stop());
    await Promise.all(services.map((service) => service.readiness.ready()));
    return { apiServer, kubeconfig, smtp, client, stop, ...(inbox && { inbox }) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asked before anything is started, so that nothing has to be taken down. @throws Error that names the flag */
async function checkPort(host: string, port: number, flag: string): Promise<void> {
  if (port === 0) return;
  const server = createServer().listen(port, host);
  await once(server, "listening").catch((cause: Error) => {
    throw new Error(`Cannot start the sandbox: ${cause.message}; choose another port with ${flag}`, { cause });
  });
  server.close();
  await once(server, "close");
}

function tailOf(tails: Map<WorkloadName, LogTail>, pod: ObjectKey): LogTail | undefined {
  const workload = WORKLOADS.find(
    ({ name, namespace }) => namespace === pod.namespace && pod.name.startsWith(`${name}-`),
  );
  return workload && tails.get(workload.name);
}
