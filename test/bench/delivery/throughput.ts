/** How fast waiting messages are drained, against the two loops that do only what must be done. */
import { cpuSeconds } from "../process-usage.ts";
import { median, spread } from "../statistics.ts";
import { type ContestantName, startContestant } from "./contestants.ts";
import { createMessages } from "./messages.ts";
import { startFastSink } from "./sinks.ts";
import { type Stage, watchGone } from "./stage.ts";

/** One contestant's drain of so many messages. */
export interface Drain {
  messagesPerSecond: number;
  writesPerMessage: number;
  /** CPU seconds for 1,000 messages; undefined where the process cannot be seen. */
  cpu: { own: number; apiServer: number | undefined; smtpServer: number };
}

export interface ThroughputRow {
  messages: number;
  name: ContestantName;
  drains: Drain[];
}

const NAMES: ContestantName[] = ["bare", "floor", "courier"];

/** Each contestant drains each number of messages `rounds` times, in turns. */
export async function measureThroughput(stage: Stage, sizes: number[], rounds: number): Promise<ThroughputRow[]> {
  const sink = await startFastSink();
  await stage.useSmtp(sink.port);
  const rows: ThroughputRow[] = [];
  for (const messages of sizes) {
    const drains = new Map<ContestantName, Drain[]>(NAMES.map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const name of rotate(NAMES, round)) drains.get(name)?.push(await drain(stage, name, sink, messages));
    }
    rows.push(...NAMES.map((name) => ({ messages, name, drains: drains.get(name) ?? [] })));
  }
  await sink.close();
  return rows;
}

/** From the first message that is gone to the last: what starting takes is measured apart. */
export async function drain(
  stage: Stage,
  name: ContestantName,
  sink: { port: number; pid: number },
  messages: number,
): Promise<Drain> {
  await createMessages(stage.api, `${name}-${Date.now().toString(36)}`, messages);
  const gone = await watchGone(stage);
  const writesBefore = await stage.writes();
  const contestant = startContestant(name, { kubeconfig: stage.kubeconfig, smtpPort: sink.port });
  const pids = { own: contestant.pid, apiServer: stage.pid, smtpServer: sink.pid };
  const first = await gone.count(1);
  const cpuBefore = cpuOf(pids);
  const last = await gone.count(messages);
  const cpuAfter = cpuOf(pids);
  await contestant.stop();
  gone.close();
  const perThousand = 1000 / (messages - 1);
  const used = (part: keyof typeof pids) => ((cpuAfter[part] ?? 0) - (cpuBefore[part] ?? 0)) * perThousand;
  return {
    messagesPerSecond: (messages - 1) / ((last - first) / 1000),
    writesPerMessage: ((await stage.writes()) - writesBefore) / messages,
    cpu: {
      own: used("own"),
      apiServer: stage.pid === undefined ? undefined : used("apiServer"),
      smtpServer: used("smtpServer"),
    },
  };
}

function cpuOf(pids: { own: number; apiServer: number | undefined; smtpServer: number }) {
  const { own, apiServer, smtpServer } = pids;
  return {
    own: cpuSeconds(own),
    apiServer: apiServer === undefined ? undefined : cpuSeconds(apiServer),
    smtpServer: cpuSeconds(smtpServer),
  };
}

/** Table lines: rate, ratio to the loops of the same round, writes, CPU. */
export function showThroughput(rows: ThroughputRow[]): string[][] {
  return rows.map(({ messages, name, drains }) => {
    const ratioTo = (other: ContestantName) => {
      const others = rows.find((row) => row.messages === messages && row.name === other)?.drains ?? [];
      const ratios = drains.map(({ messagesPerSecond }, round) => messagesPerSecond / rateOf(others[round]));
      return name === other ? "" : spread(ratios, 2);
    };
    const cpu = (part: keyof Drain["cpu"]) => {
      const values = drains.flatMap((each) => each.cpu[part] ?? []);
      return values.length === 0 ? "-" : median(values).toFixed(2);
    };
    const rate = spread(
      drains.map((each) => each.messagesPerSecond),
      0,
    );
    const writes = median(drains.map((each) => each.writesPerMessage)).toFixed(2);
    const count = String(messages);
    return [
      count,
      name,
      rate,
      ratioTo("bare"),
      ratioTo("floor"),
      writes,
      cpu("own"),
      cpu("apiServer"),
      cpu("smtpServer"),
    ];
  });
}

export const THROUGHPUT_HEAD = [
  "messages",
  "who",
  "messages/s",
  "/ bare",
  "/ floor",
  "writes each",
  "CPU s per 1,000: own",
  "API server",
  "SMTP server",
];

function rateOf(drain: Drain | undefined): number {
  return drain?.messagesPerSecond ?? Number.NaN;
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
