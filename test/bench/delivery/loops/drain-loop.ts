/** What every message needs and no more: a list in pages and a raw watch, one mail, one status patch, one delete, 64 messages in flight. */
import { type Api, openApi } from "../../api.ts";
import { addressOf, MESSAGES_PATH } from "../messages.ts";

const IN_FLIGHT = 64;
const PAGE = 500;
const ADDED = '{"type":"ADDED"';

interface Message {
  name: string;
  resourceVersion: string;
}

/** The same status as courier's: the more fields, the more an API server has to do. */
function doneStatus(address: string) {
  const row = {
    method: "Email",
    addresses: [address],
    type: "Ready",
    status: "True",
    notification: "ops",
    uid: "ops/Email",
    contentHash: "0123456789abcdef",
    reason: "Delivered",
    message: "127.0.0.1 took the mail: 250 2.0.0 Ok",
    retryTimes: 0,
    lastTransitionTime: "2026-11-22T10:00:00Z",
  };
  const summary = { ready: "True", recipients: "1/1", reason: "Delivered" };
  return { conditions: [row], phase: "Done", summary, observedGeneration: 1 };
}

/** Drains the messages of the cluster until the process is ended. @param send resolves when the mail was accepted */
export async function drainLoop(kubeconfig: string, send: (to: string, name: string) => Promise<void>): Promise<void> {
  const api = await openApi(kubeconfig, "drain-loop");
  const waiting: Message[] = [];
  let active = 0;
  const drainOne = async ({ name, resourceVersion }: Message) => {
    await send(addressOf(name), name);
    const status = { metadata: { resourceVersion }, status: doneStatus(addressOf(name)) };
    const { metadata } = JSON.parse(await api.call("PATCH", `${MESSAGES_PATH}/${name}/status`, status));
    const preconditions = { resourceVersion: metadata.resourceVersion };
    await api.call("DELETE", `${MESSAGES_PATH}/${name}`, { kind: "DeleteOptions", apiVersion: "v1", preconditions });
  };
  const next = async () => {
    active += 1;
    for (let message = waiting.pop(); message !== undefined; message = waiting.pop()) await drainOne(message);
    active -= 1;
  };
  const take = (message: Message) => {
    waiting.push(message);
    if (active < IN_FLIGHT) void next();
  };
  process.once("SIGTERM", () => process.exit(0));
  const version = await listAll(api, take);
  for await (const line of api.watchLines(MESSAGES_PATH, version, new AbortController().signal))
    if (line.startsWith(ADDED)) take(JSON.parse(line).object.metadata);
}

/** Names what is there, a page at a time; returns the version to watch from. */
async function listAll(api: Api, take: (message: Message) => void): Promise<string> {
  for (let query = `limit=${PAGE}`; ; ) {
    const { items, metadata } = JSON.parse(await api.call("GET", `${MESSAGES_PATH}?${query}`));
    for (const item of items) take(item.metadata);
    if (!metadata.continue) return metadata.resourceVersion;
    query = `limit=${PAGE}&continue=${metadata.continue}`;
  }
}
