/** What every message needs and no more: a raw watch, one mail, one status patch, one delete, 64 messages in flight. */
import { openApi } from "../../api.ts";
import { addressOf, MESSAGES_PATH } from "../messages.ts";

const IN_FLIGHT = 64;
const ADDED = '{"type":"ADDED"';

/** Drains the messages of the cluster until the process is ended. @param send resolves when the mail was accepted */
export async function drainLoop(kubeconfig: string, send: (to: string, name: string) => Promise<void>): Promise<void> {
  const api = await openApi(kubeconfig);
  const waiting: string[] = [];
  let active = 0;
  const drainOne = async (name: string) => {
    await send(addressOf(name), name);
    const condition = { method: "Email", addresses: [addressOf(name)], type: "Ready", status: "True" };
    const status = { phase: "Done", conditions: [condition] };
    await api.call("PATCH", `${MESSAGES_PATH}/${name}/status`, { status });
    await api.call("DELETE", `${MESSAGES_PATH}/${name}`);
  };
  const next = async () => {
    active += 1;
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await drainOne(name);
    active -= 1;
  };
  const ended = new AbortController();
  process.once("SIGTERM", () => process.exit(0));
  for await (const line of api.watchLines(MESSAGES_PATH, "0", ended.signal)) {
    if (!line.startsWith(ADDED)) continue;
    waiting.push(JSON.parse(line).object.metadata.name);
    if (active < IN_FLIGHT) void next();
  }
}
