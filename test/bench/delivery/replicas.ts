/** What a message costs when several replicas share the work on one machine. */
import { cpuSeconds } from "../process-usage.ts";
import { median, spread } from "../statistics.ts";
import { startCourier } from "./contestants.ts";
import { createMessages } from "./messages.ts";
import { untilReady } from "./ready.ts";
import { freePort, startFastSink } from "./sinks.ts";
import { type Stage, watchGone } from "./stage.ts";

export interface ReplicasRow {
  replicas: number;
  /** CPU seconds of all replicas together for 1,000 messages. */
  cpu: number[];
  messagesPerSecond: number[];
}

/** Each replica has so many of its own before anything counts: that each compiles for itself is the price of a start. */
const WARM_UP_SHARE = 0.25;

/** The replicas are there and ready before the messages come, as in a cluster. */
export async function measureReplicas(
  stage: Stage,
  counts: number[],
  messages: number,
  rounds: number,
): Promise<ReplicasRow[]> {
  const sink = await startFastSink();
  await stage.useSmtp(sink.port);
  const rows = counts.map((replicas): ReplicasRow => ({ replicas, cpu: [], messagesPerSecond: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const row of rows) await measureOnce(stage, row, messages, round);
  }
  await sink.close();
  return rows;
}

async function measureOnce(stage: Stage, row: ReplicasRow, messages: number, round: number): Promise<void> {
  const ports = await Promise.all(Array.from({ length: row.replicas }, freePort));
  const replicas = ports.map((port, index) =>
    startCourier(stage, "--http-listen", `127.0.0.1:${port}`, "--identity", `bench-${index}`),
  );
  await Promise.all(ports.map(untilReady));
  const warmUp = Math.ceil(WARM_UP_SHARE * messages * row.replicas);
  const warm = await watchGone(stage);
  await createMessages(stage.api, `warm-${row.replicas}-${round}`, warmUp);
  await warm.count(warmUp);
  warm.close();

  const gone = await watchGone(stage);
  const used = () => replicas.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  const [startMs, before] = [performance.now(), used()];
  await createMessages(stage.api, `replicas-${row.replicas}-${round}`, messages);
  const last = await gone.count(messages);
  row.cpu.push(((used() - before) * 1000) / messages);
  row.messagesPerSecond.push(messages / ((last - startMs) / 1000));
  gone.close();
  await Promise.all(replicas.map((replica) => replica.stop()));
}

export const REPLICAS_HEAD = ["replicas", "CPU s per 1,000, all together", "/ one replica's", "created and drained /s"];

export function showReplicas(rows: ReplicasRow[]): string[][] {
  const one = median(rows[0]?.cpu ?? []);
  return rows.map(({ replicas, cpu, messagesPerSecond }) => [
    String(replicas),
    spread(cpu, 2),
    (median(cpu) / one).toFixed(2),
    spread(messagesPerSecond, 0),
  ]);
}
