/** Many messages that wait for a mail server that is down, and then comes back. */
import { setTimeout as pause } from "node:timers/promises";
import { residentMemory } from "../process-usage.ts";
import { startCourier } from "./contestants.ts";
import { createMessages } from "./messages.ts";
import { readMetric } from "./ready.ts";
import { freePort, startRecordingSink } from "./sinks.ts";
import { type Stage, watchGone } from "./stage.ts";

export interface Backlog {
  waiting: number;
  /** Until every message is known to wait. */
  parkedSeconds: number;
  /** Status writes a message until the server came back. */
  writesWhileDown: number;
  firstMailSeconds: number;
  drainPerSecond: number;
  peakMebibytes: number;
}

const WAITING = 'courier_messages_waiting{reason="ServerUnavailable"}';

/** @param waiting how many messages there are */
export async function measureBacklog(stage: Stage, waiting: number): Promise<Backlog> {
  const smtpPort = await freePort();
  await stage.useSmtp(smtpPort);
  await createMessages(stage.api, `backlog-${Date.now().toString(36)}`, waiting);
  const gone = await watchGone(stage);
  const writesBefore = await stage.writes();
  const httpPort = await freePort();
  const startMs = performance.now();
  const courier = startCourier(stage, "--http-listen", `127.0.0.1:${httpPort}`);
  await untilWaiting(httpPort, waiting);
  const parkedSeconds = (performance.now() - startMs) / 1000;
  const writesWhileDown = ((await stage.writes()) - writesBefore) / waiting;

  const upAt = performance.now();
  const sink = await startRecordingSink(smtpPort);
  const first = await gone.count(1);
  const last = await gone.count(waiting);
  const [earliest = ["", Number.NaN]] = await sink.accepted();
  const peakMebibytes = residentMemory(courier.pid).peak;
  await courier.stop();
  await sink.close();
  gone.close();
  return {
    waiting,
    parkedSeconds,
    writesWhileDown,
    firstMailSeconds: (earliest[1] - performance.timeOrigin - upAt) / 1000,
    drainPerSecond: (waiting - 1) / ((last - first) / 1000),
    peakMebibytes,
  };
}

async function untilWaiting(httpPort: number, count: number): Promise<void> {
  while ((await readMetric(httpPort, WAITING).catch(() => 0)) < count) await pause(500);
}

export const BACKLOG_HEAD = [
  "messages",
  "all parked s",
  "status writes each while down",
  "first mail after s",
  "drained /s",
  "peak RSS MiB",
];

export function showBacklog(rows: Backlog[]): string[][] {
  return rows.map((row) => [
    String(row.waiting),
    row.parkedSeconds.toFixed(1),
    row.writesWhileDown.toFixed(2),
    row.firstMailSeconds.toFixed(2),
    row.drainPerSecond.toFixed(0),
    row.peakMebibytes.toFixed(0),
  ]);
}
