/**
 * courier-api against the limit, in one run: a bare loop that does only what every message needs (one mail by nodemailer,
 * one status patch, one delete) over kept-alive connections. Prints messages a second and the ratio; the median of the
 * rounds is what counts. COURIER_TEST_KUBECONFIG names a real API server, else the sandbox's is started.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { startDelivery } from "../../src/app/delivery-service.ts";
import { applyManifests } from "../../src/app/manifests.ts";
import { waitFor } from "../../src/cli/wait-for.ts";
import { defaultConfig } from "../../src/config/config.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { connect } from "../../src/kube/connect.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { startApiServer } from "../../src/sandbox/apiserver/index.ts";
import { emailServer, messageOf, subscriptionOf, templateOf } from "../support/platform.ts";

const MESSAGES = Number(process.env.COURIER_BENCH_MESSAGES ?? 1000);
const ROUNDS = 3;
const IN_FLIGHT = 64;
const SMTP_CONNECTIONS = 10;

const directory = await mkdtemp(join(tmpdir(), "courier-bench-"));
const own = process.env.COURIER_TEST_KUBECONFIG;
const sandbox = own === undefined ? await startApiServer() : undefined;
const kubeconfig = own ?? join(directory, "kubeconfig");
await sandbox?.writeKubeconfig(kubeconfig);
const client = await connect({ kubeconfig });
const sink = await startSink();

await applyManifests(client, ["deploy/crds", "deploy/namespace.yaml"]);
await applyManifests(client, [
  emailServer({ host: "127.0.0.1", port: `${sink.port}` }),
  templateOf("Hello {{ .labels.name }}, the {{ .labels.kind }} changed.\n"),
]);

const ratios: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const bare = await measure(client, `bare-${round}`, bareLoop);
  const courier = await measure(client, `courier-${round}`, courierApi);
  ratios.push(courier / bare);
  const shown = `bare loop ${bare.toFixed(0)}/s  courier ${courier.toFixed(0)}/s  ratio ${(courier / bare).toFixed(2)}`;
  console.log(`round ${round}: ${shown}`);
}
const where = sandbox === undefined ? "a real API server" : "the sandbox's API server";
const median = ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
console.log(`${MESSAGES} messages a round on ${where}: median ratio ${median.toFixed(2)}`);

await client.close();
sink.close();
await sandbox?.close();
await rm(directory, { recursive: true });

/** Messages a second from the moment the work begins until the last message is gone. */
async function measure(kube: KubeClient, prefix: string, drain: (objects: KubeObject[]) => Promise<void>) {
  const names = Array.from({ length: MESSAGES }, (_, index) => `${prefix}-${index}`);
  const objects: KubeObject[] = [];
  await inParallel(names, async (name) => {
    const spec = { body: { labels: { name, kind: "ConfigMap" } }, notifications: [subscriptionOf("ann@example.com")] };
    objects.push(await kube.create(NOTIFICATION_MESSAGE, messageOf(name, spec)));
  });
  const startMs = performance.now();
  await drain(objects);
  return MESSAGES / ((performance.now() - startMs) / 1000);
}

async function bareLoop(objects: KubeObject[]): Promise<void> {
  const transport = createTransport({
    pool: true,
    host: "127.0.0.1",
    port: sink.port,
    maxConnections: SMTP_CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  await inParallel(objects, async ({ metadata }) => {
    const key = { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
    const text = `Hello ${key.name}, the ConfigMap changed.\n`;
    const html = `<p>${text}</p>`;
    await transport.sendMail({ from: "user@example.com", to: "ann@example.com", subject: "Change", text, html });
    const condition = { method: "Email", addresses: ["ann@example.com"], type: "Ready", status: "True" };
    const status = { conditions: [condition], phase: "Done" };
    await client.mergePatch(NOTIFICATION_MESSAGE, key, { status }, { subresource: "status" });
    await client.delete(NOTIFICATION_MESSAGE, key);
  });
  transport.close();
}

async function courierApi(): Promise<void> {
  const service = await startDelivery(
    defaultConfig("serve", {
      kubeconfig,
      httpListen: { host: "127.0.0.1", port: 0 },
      workers: IN_FLIGHT,
      smtpConnections: SMTP_CONNECTIONS,
    }),
    createLogger({ format: "json", level: "info", destination: { write: () => undefined } }),
  );
  const left = new Set<string>();
  await waitFor(
    client,
    NOTIFICATION_MESSAGE,
    { namespace: "cpaas-system" },
    (event) => {
      if (event.type === "Synced") return left.size === 0 ? true : undefined;
      const { name = "" } = event.object.metadata;
      if (event.type === "Deleted") left.delete(name);
      else left.add(name);
      return event.type === "Deleted" && left.size === 0 ? true : undefined;
    },
    AbortSignal.timeout(600_000),
  );
  await service.stop();
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** An SMTP server that costs next to nothing: it answers line by line and forgets. */
async function startSink(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    let buffer = "";
    let inData = false;
    socket.on("error", () => undefined);
    socket.write("220 sink ESMTP\r\n");
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      buffer += chunk;
      for (;;) {
        const end = inData ? buffer.indexOf("\r\n.\r\n") : buffer.indexOf("\r\n");
        if (end === -1) return;
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData ? 5 : 2));
        if (inData) socket.write("250 ok\r\n");
        else if (/^DATA/i.test(line)) socket.write("354 go on\r\n");
        else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
        inData = !inData && /^DATA/i.test(line);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, close: () => void server.close() };
}
