/** How long a mail takes from the create request to the SMTP server's acceptance, for courier and for the bare loop. */
import { setTimeout as pause } from "node:timers/promises";
import { quantile } from "../statistics.ts";
import { type ContestantName, startContestant } from "./contestants.ts";
import { addressOf, benchMessage, MESSAGES_PATH } from "./messages.ts";
import { type RecordingSink, startRecordingSink } from "./sinks.ts";
import { type Stage, watchGone } from "./stage.ts";

/** Messages created evenly at a rate, or all at once. */
export type Load = { perSecond: number; seconds: number } | { burst: number };

export interface LatencyRow {
  load: Load;
  name: ContestantName;
  /** Milliseconds, one for each message. */
  latencies: number[];
}

const NAMES: ContestantName[] = ["bare", "courier"];
/** Everything is warm, connections included, before anything counts. */
const WARM_UP = 200;

export async function measureLatency(stage: Stage, loads: Load[], rounds: number): Promise<LatencyRow[]> {
  const sink = await startRecordingSink();
  await stage.useSmtp(sink.port);
  const rows = loads.flatMap((load) => NAMES.map((name): LatencyRow => ({ load, name, latencies: [] })));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of NAMES) {
      const contestant = startContestant(name, { kubeconfig: stage.kubeconfig, smtpPort: sink.port });
      await play(stage, sink, { burst: WARM_UP }, `warm-${name}-${round}`);
      for (const row of rows.filter((each) => each.name === name)) {
        const prefix = `${name}-${round}-${rows.indexOf(row)}`;
        row.latencies.push(...(await play(stage, sink, row.load, prefix)));
      }
      await contestant.stop();
    }
  }
  await sink.close();
  return rows;
}

async function play(stage: Stage, sink: RecordingSink, load: Load, prefix: string): Promise<number[]> {
  const count = "burst" in load ? load.burst : load.perSecond * load.seconds;
  const gone = await watchGone(stage);
  const createdAt = new Map<string, number>();
  const creations: Promise<unknown>[] = [];
  const startMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    if (!("burst" in load)) await pause(Math.max(0, startMs + (index * 1000) / load.perSecond - performance.now()));
    const name = `${prefix}-${index}`;
    createdAt.set(addressOf(name), performance.timeOrigin + performance.now());
    creations.push(stage.api.call("POST", MESSAGES_PATH, benchMessage(name)));
  }
  await Promise.all(creations);
  await gone.count(count);
  gone.close();
  const accepted = await sink.accepted();
  return accepted.map(([address, atMs]) => atMs - (createdAt.get(address) ?? Number.NaN));
}

export const LATENCY_HEAD = ["load", "who", "p50 ms", "p99 ms", "p50 / bare", "p99 / bare"];

export function showLatency(rows: LatencyRow[]): string[][] {
  return rows.map(({ load, name, latencies }) => {
    const bare = rows.find((row) => row.load === load && row.name === "bare")?.latencies ?? [];
    const ratio = (share: number) =>
      name === "bare" ? "" : (quantile(latencies, share) / quantile(bare, share)).toFixed(2);
    const shown = "burst" in load ? `burst of ${load.burst}` : `${load.perSecond} a second`;
    const [p50, p99] = [quantile(latencies, 0.5).toFixed(1), quantile(latencies, 0.99).toFixed(1)];
    return [shown, name, p50, p99, ratio(0.5), ratio(0.99)];
  });
}

/** Quantiles instead of every single latency, for the machine-readable copy. */
export function summarizeLatency(rows: LatencyRow[]) {
  return rows.map(({ load, name, latencies }) => {
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => quantile(latencies, share));
    return { load, name, count: latencies.length, p50, p90, p99 };
  });
}
