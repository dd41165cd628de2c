/**
 * `npm run bench [-- SECTION… --scale N]`: courier against the limit, everything in one run on one machine. Prints a table
 * for each section and writes the figures to bench/results/. COURIER_TEST_KUBECONFIG names a real API server, else the
 * sandbox's is started in a process of its own.
 */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { parseArgs, promisify } from "node:util";
import { API_HEAD, measureApiRates, showApiRates } from "./api-rates.ts";
import { BACKLOG_HEAD, measureBacklog, showBacklog } from "./delivery/backlog.ts";
import { LATENCY_HEAD, type Load, measureLatency, showLatency, summarizeLatency } from "./delivery/latency.ts";
import { measureReplicas, REPLICAS_HEAD, showReplicas } from "./delivery/replicas.ts";
import { openStage, type Stage } from "./delivery/stage.ts";
import { measureStart, START_HEAD, showStart } from "./delivery/start.ts";
import { measureThroughput, showThroughput, THROUGHPUT_HEAD } from "./delivery/throughput.ts";
import { markdownTable } from "./table.ts";

/** What a section came to: rows for people, and all figures for machines. */
interface Result {
  table: string;
  figures: unknown;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: "string", default: "1" }, rounds: { type: "string", default: "3" } },
});
/** Every number of messages is multiplied by it: 0.1 for a look at a tenth of the work. */
const scale = Number(values.scale);
const rounds = Number(values.rounds);
const kubeconfig = process.env["COURIER_TEST_KUBECONFIG"];

const SECTIONS: Record<string, (stage: Stage) => Promise<Result>> = {
  async throughput(stage) {
    const rows = await measureThroughput(stage, [1_000, 10_000].map(scaled), rounds);
    return { table: markdownTable(THROUGHPUT_HEAD, showThroughput(rows)), figures: rows };
  },
  async latency(stage) {
    const loads: Load[] = [
      { perSecond: 1, seconds: scaled(40) },
      { perSecond: 10, seconds: scaled(20) },
      { perSecond: 50, seconds: scaled(20) },
      { burst: 500 },
    ];
    const rows = await measureLatency(stage, loads, rounds);
    return { table: markdownTable(LATENCY_HEAD, showLatency(rows)), figures: summarizeLatency(rows) };
  },
  async backlog(stage) {
    const rows = [await measureBacklog(stage, 1_000), await measureBacklog(stage, scaled(100_000))];
    return { table: markdownTable(BACKLOG_HEAD, showBacklog(rows)), figures: rows };
  },
  async start(stage) {
    const rows = await measureStart(stage, [0, scaled(20_000)], rounds);
    return { table: markdownTable(START_HEAD, showStart(rows)), figures: rows };
  },
  async replicas(stage) {
    const rows = await measureReplicas(stage, [1, 2, 4], scaled(4_000), rounds);
    return { table: markdownTable(REPLICAS_HEAD, showReplicas(rows)), figures: rows };
  },
  async sandbox(stage) {
    const rates: Parameters<typeof showApiRates>[0] = {};
    const count = scaled(2_000);
    if (!stage.isSandbox) rates["real"] = await measureApiRates(stage.api, count);
    const sandbox = stage.isSandbox ? stage : await openStage(undefined);
    rates["sandbox"] = await measureApiRates(sandbox.api, count);
    if (sandbox !== stage) await sandbox.close();
    return { table: markdownTable(API_HEAD, showApiRates(rates)), figures: rates };
  },
  templates: () => runBench("template.ts"),
  generator: () => runBench("generator.ts"),
};

const wanted = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
const unknown = wanted.filter((name) => SECTIONS[name] === undefined);
if (unknown.length > 0) {
  console.error(`no section ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}

const stage = await openStage(kubeconfig);
const machine = {
  node: process.version,
  cpus: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
  kernel: release(),
  apiServer: stage.isSandbox ? "sandbox" : "real",
};
console.log(`${machine.cpus}, Node ${machine.node}, ${stage.isSandbox ? "the sandbox's" : "a real"} API server`);
const file = `bench/results/${new Date().toISOString().slice(0, 10)}-${machine.apiServer}.json`;
const figures: Record<string, unknown> = {};
for (const name of wanted) {
  const startMs = performance.now();
  const result = await (SECTIONS[name] as (stage: Stage) => Promise<Result>)(stage);
  figures[name] = result.figures;
  await save(); // a run takes most of an hour: what it has is kept
  console.log(`\n## ${name} (${((performance.now() - startMs) / 1000).toFixed(0)} s)\n\n${result.table}`);
}
await stage.close();
console.log(`\nall figures: ${file}`);

async function save(): Promise<void> {
  await mkdir("bench/results", { recursive: true });
  const results = { date: new Date().toISOString(), machine, scale, rounds, figures };
  await writeFile(file, `${JSON.stringify(results, null, 1)}\n`);
}

function scaled(count: number): number {
  return Math.max(1, Math.round(count * scale));
}

/** A bench that prints its own lines. */
async function runBench(file: string): Promise<Result> {
  const { stdout } = await promisify(execFile)(process.execPath, [new URL(file, import.meta.url).pathname]);
  return { table: stdout.trimEnd(), figures: stdout.trimEnd().split("\n") };
}
