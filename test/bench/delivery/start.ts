/** From the start of the process to ready, and what it costs to have it running with nothing to do. */
import { setTimeout as pause } from "node:timers/promises";
import { cpuSeconds, residentMemory } from "../process-usage.ts";
import { spread } from "../statistics.ts";
import { startCourier } from "./contestants.ts";
import { createMessages, MESSAGES_PATH } from "./messages.ts";
import { untilReady } from "./ready.ts";
import { freePort } from "./sinks.ts";
import { type Stage, watchGone } from "./stage.ts";

export interface StartRow {
  waiting: number;
  readyMs: number[];
  idleMebibytes: number[];
  /** Percent of one core. Both idle figures are taken once, where nothing waits. */
  idleCpuPercent: number[];
}

/** V8 gives back what starting took when it has been idle for 100 s or so (docs/decisions/036). */
const SETTLE_SECONDS = 180;
const IDLE_SECONDS = 20;

/** The messages cannot be delivered: nobody listens where the Secret says, so that they wait. */
export async function measureStart(stage: Stage, waiting: number[], rounds: number): Promise<StartRow[]> {
  await stage.useSmtp(await freePort());
  const rows: StartRow[] = [];
  let there = 0;
  for (const count of waiting) {
    await createMessages(stage.api, `start-${Date.now().toString(36)}`, count - there);
    there = count;
    const row: StartRow = { waiting: count, readyMs: [], idleMebibytes: [], idleCpuPercent: [] };
    for (let round = 0; round < rounds; round += 1) await startOnce(stage, row, count === 0 && round === 0);
    rows.push(row);
  }
  await removeAll(stage, there);
  return rows;
}

async function startOnce({ kubeconfig }: Stage, row: StartRow, idles: boolean): Promise<void> {
  const port = await freePort();
  const startMs = performance.now();
  const courier = startCourier({ kubeconfig }, "--http-listen", `127.0.0.1:${port}`);
  await untilReady(port);
  row.readyMs.push(performance.now() - startMs);
  if (idles) {
    await pause(SETTLE_SECONDS * 1000);
    const before = cpuSeconds(courier.pid);
    await pause(IDLE_SECONDS * 1000);
    row.idleCpuPercent.push(((cpuSeconds(courier.pid) - before) / IDLE_SECONDS) * 100);
    row.idleMebibytes.push(residentMemory(courier.pid).now);
  }
  await courier.stop();
}

/** Deletes every message of the stage. */
export async function removeAll(stage: Stage, count: number): Promise<void> {
  if (count === 0) return;
  const gone = await watchGone(stage);
  await stage.api.call("DELETE", MESSAGES_PATH);
  await gone.count(count);
  gone.close();
}

export const START_HEAD = ["messages that wait", "start to ready ms", "idle RSS MiB", "idle CPU % of a core"];

export function showStart(rows: StartRow[]): string[][] {
  const shown = (values: number[], digits: number) => (values.length === 0 ? "" : spread(values, digits));
  return rows.map(({ waiting, readyMs, idleMebibytes, idleCpuPercent }) => [
    String(waiting),
    shown(readyMs, 0),
    shown(idleMebibytes, 0),
    shown(idleCpuPercent, 2),
  ]);
}
