/** Many messages that wait for a mail server that is down, over a restart, until it comes back. */
import { setTimeout as pause } from "node:timers/promises";
import { residentMemory } from "../process-usage.ts";
import { type Contestant, startCourier } from "./contestants.ts";
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
  /** A process that is started before them: until it knows them all, and what it writes for each. */
  restart: { seconds: number; writes: number; peakMebibytes: number };
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
  const first = await startBefore(stage, waiting);
  const writesWhileDown = ((await stage.writes()) - writesBefore) / waiting;
  const peakMebibytes = residentMemory(first.courier.pid).peak;
  await first.courier.stop();

  const writesAtRestart = await stage.writes();
  const { courier, seconds } = await startBefore(stage, waiting);
  const writes = ((await stage.writes()) - writesAtRestart) / waiting;
  const restart = { seconds, writes, peakMebibytes: residentMemory(courier.pid).peak };

  const upAt = performance.now();
  const sink = await startRecordingSink(smtpPort);
  const begunMs = await gone.count(1);
  const last = await gone.count(waiting);
  const [earliest = ["", Number.NaN]] = await sink.accepted();
  const drainPeak = residentMemory(courier.pid).peak;
  await courier.stop();
  await sink.close();
  gone.close();
  return {
    waiting,
    parkedSeconds: first.seconds,
    writesWhileDown,
    restart,
    firstMailSeconds: (earliest[1] - performance.timeOrigin - upAt) / 1000,
    drainPerSecond: (waiting - 1) / ((last - begunMs) / 1000),
    peakMebibytes: Math.max(peakMebibytes, drainPeak),
  };
}

/** Starts courier, and resolves when it knows that all of them wait. */
async function startBefore(stage: Stage, waiting: number): Promise<{ courier: Contestant; seconds: number }> {
  const httpPort = await freePort();
  const startMs = performance.now();
  const courier = startCourier(stage, "--http-listen", `127.0.0.1:${httpPort}`);
  await untilWaiting(httpPort, waiting);
  return { courier, seconds: (performance.now() - startMs) / 1000 };
}

async function untilWaiting(httpPort: number, count: number): Promise<void> {
  while ((await readMetric(httpPort, WAITING).catch(() => 0)) < count) await pause(500);
}

export const BACKLOG_HEAD = [
  "messages",
  "all parked s",
  "status writes each while down",
  "known again after a restart s",
  "status writes each then",
  "first mail after s",
  "drained /s",
  "peak RSS MiB",
];

export function showBacklog(rows: Backlog[]): string[][] {
  return rows.map((row) => [
    String(row.waiting),
    row.parkedSeconds.toFixed(1),
    row.writesWhileDown.toFixed(2),
    row.restart.seconds.toFixed(1),
    row.restart.writes.toFixed(4),
    row.firstMailSeconds.toFixed(2),
    row.drainPerSecond.toFixed(0),
    row.peakMebibytes.toFixed(0),
  ]);
}
