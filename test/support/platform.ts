import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startDelivery } from "../../src/app/delivery-service.ts";
import { applyManifests } from "../../src/app/manifests.ts";
import type { Service } from "../../src/app/service.ts";
import { waitFor } from "../../src/cli/wait-for.ts";
import { defaultConfig, type ServeConfig } from "../../src/config/config.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { NOTIFICATION_MESSAGE, SECRET } from "../../src/resources/kinds.ts";
import { type NotificationMessage, parseNotificationMessage } from "../../src/resources/notification-message.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { openApiServer } from "./api-server.ts";
import { applyDefinitions } from "./definitions.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type Link, startLink } from "./link.ts";
import { type SmtpScript, startSmtpServer, type TestSmtpServer } from "./smtp-server.ts";

const NAMESPACE = "cpaas-system";
const PATIENCE_MS = 15_000;

/** An API server, an SMTP server and courier-api between them, all met over TCP. */
export interface Platform {
  /** Path of the administrator's kubeconfig for the API server. */
  kubeconfig: string;
  client: KubeClient;
  smtp: TestSmtpServer;
  /** The network between courier-api and the API server; the test's own client does not go through it. */
  link: Link;
  /** What stands between them instead of the link where the test asked for `faults`. */
  faults: FaultProxy;
  /** The file with the token that courier-api shows to {@link Platform.faults}. */
  tokenFile: string;
  /** What courier-api has logged. */
  logs: string[];
  /** Resolves when courier-api has logged a line with `part`, now or before. */
  logged(part: string): Promise<void>;
  service: Service;
  apply(...objects: KubeObject[]): Promise<void>;
  /** Creates a message and returns its name. */
  send(spec: unknown): Promise<string>;
  /**
   * Resolves with the message when its status is in `phase` and its first row, `<reason>: <message>`, matches `told`.
   * Templates, the Secret and messages come over separate watches: a message may meet what was before them first.
   */
  inPhase(name: string, phase: "Processing" | "Failed", told?: RegExp): Promise<NotificationMessage>;
  /** Resolves with the message when it is Failed, with undefined when it is gone. */
  ended(name: string): Promise<NotificationMessage | undefined>;
  /** Resolves when the message is gone. */
  gone(name: string): Promise<void>;
}

export interface PlatformOptions {
  smtp?: SmtpScript;
  serve?: Partial<ServeConfig>;
  /** Keys of the mail server's Secret; `null` leaves the Secret out. */
  secret?: Record<string, string> | null;
  /** The API server cannot be reached until `link.mend()`. */
  apiServerAway?: boolean;
  /** courier-api meets the API server through {@link Platform.faults}: a real one where the run has one. */
  faults?: boolean;
}

/** Starts a platform for one test; everything of it ends with the test. */
export async function startPlatform(t: TestContext, options: PlatformOptions = {}): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), "courier-test-"));
  const apiServer = options.faults ? await openApiServer() : await startApiServer();
  const kubeconfig = join(directory, "kubeconfig");
  await apiServer.writeKubeconfig(kubeconfig);
  const client = await connect({ kubeconfig });
  const link = await startLink(apiServer.port);
  const linked = join(directory, "linked.kubeconfig");
  await apiServer.writeKubeconfig(linked, `https://127.0.0.1:${link.port}`);
  if (options.apiServerAway) link.cut();
  const faults = await startFaultProxy(apiServer);
  const tokenFile = join(directory, "token");
  const faulty = join(directory, "faulty.kubeconfig");
  await writeFile(tokenFile, "first");
  await writeFile(faulty, kubeconfigWith(faults.url, tokenFile));
  const smtp = await startSmtpServer(options.smtp);
  const apply = async (...objects: KubeObject[]) => void (await applyManifests(client, objects));
  await applyDefinitions(client, ["deploy/crds", "deploy/legacy", "deploy/namespace.yaml"]);
  if (options.secret !== null) await apply(emailServer({ host: smtp.host, port: `${smtp.port}`, ...options.secret }));
  const logs: string[] = [];
  const lines = new EventEmitter().setMaxListeners(0);
  const write = (line: string) => {
    logs.push(line);
    lines.emit("line");
  };
  const service = await startDelivery(
    defaultConfig("serve", {
      kubeconfig: options.faults ? faulty : linked,
      httpListen: { host: "127.0.0.1", port: 0 },
      leaseName: `courier-${randomUUID()}`, // a replica that another test left behind holds no shard of ours
      ...options.serve,
    }),
    createLogger({ format: "text", level: "info", destination: { write } }),
  );
  t.after(async () => {
    await service.stop();
    await client.close();
    await smtp.close();
    await link.close();
    await faults.close();
    await apiServer.close();
    await rm(directory, { recursive: true });
  });
  if (!options.apiServerAway) await service.readiness.ready();

  let count = 0;
  const see = <Found>(name: string, isIt: (object: KubeObject | undefined) => Found | undefined) =>
    seeMessage(client, name, isIt);
  return {
    kubeconfig,
    client,
    smtp,
    link,
    faults,
    tokenFile,
    logs,
    async logged(part) {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      while (!logs.some((line) => line.includes(part))) await once(lines, "line", { signal });
    },
    service,
    apply,
    async send(spec) {
      count += 1;
      const name = `message-${count}`;
      await apply(messageOf(name, spec));
      return name;
    },
    inPhase: (name, phase, told = /^/) => {
      let last = "gone";
      const isIt = (object: KubeObject | undefined) => {
        if (object === undefined) return undefined;
        const message = parseNotificationMessage(object);
        const [row] = message.conditions;
        last = `${message.phase}, ${row?.reason}: ${row?.message}`;
        return message.phase === phase && told.test(`${row?.reason}: ${row?.message}`) ? message : undefined;
      };
      return see(name, isIt).catch((cause) => {
        throw new Error(`Message ${name} is not ${phase} with ${told}, but ${last}`, { cause });
      });
    },
    ended: async (name) => {
      const { left } = await see(name, (object) => {
        const message = object && parseNotificationMessage(object);
        return object === undefined || message?.phase === "Failed" ? { left: message } : undefined;
      });
      return left;
    },
    gone: async (name) => void (await see(name, (object) => (object === undefined ? true : undefined))),
  };
}

/** Watches one message until `isIt` finds something in it; it is undefined once the message is gone. */
async function seeMessage<Found>(
  client: KubeClient,
  name: string,
  isIt: (object: KubeObject | undefined) => Found | undefined,
): Promise<Found> {
  let there = false;
  return waitFor(
    client,
    NOTIFICATION_MESSAGE,
    { namespace: NAMESPACE, fieldSelector: `metadata.name=${name}` },
    (event) => {
      if (event.type === "Synced") return there ? undefined : isIt(undefined);
      there = event.type !== "Deleted";
      return isIt(there ? event.object : undefined);
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
}

/** YAML is a superset of JSON. */
function kubeconfigWith(server: string, tokenFile: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "faulty",
    clusters: [{ name: "faulty", cluster: { server } }],
    users: [{ name: "service", user: { tokenFile } }],
    contexts: [{ name: "faulty", context: { cluster: "faulty", user: "service" } }],
  });
}

export function messageOf(name: string, spec: unknown): KubeObject {
  return {
    apiVersion: "aitextensions.alauda.io/v1beta1",
    kind: "NotificationMessage",
    metadata: { name, namespace: NAMESPACE },
    spec,
  };
}

/** A subscription to `change` for the given destinations. */
export function subscriptionOf(...destinations: string[]) {
  return {
    name: "ops",
    ephemeral: { methods: ["Email"], template: "change" },
    receivers: destinations.map((destination) => ({ destination })),
  };
}

/** The template that {@link subscriptionOf} names. */
export function templateOf(content: string, subject = "Change of {{ .labels.name }}", labels = {}): KubeObject {
  return {
    apiVersion: "ait.alauda.io/v1beta1",
    kind: "NotificationTemplate",
    metadata: { name: "change", namespace: NAMESPACE, labels },
    spec: { templates: [{ type: "Email", subject, content }] },
  };
}

export function emailServer(keys: Record<string, string>): KubeObject {
  return {
    apiVersion: "v1",
    kind: SECRET.kind,
    metadata: { name: "platform-email-server", namespace: NAMESPACE },
    type: "NotificationServer",
    stringData: { from: "user@example.com", ...keys },
  };
}
