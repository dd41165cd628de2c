/**
 * `npm run test:chaos`: kills, pauses, cuts and lies to courier on a real API server, and counts what became of every
 * mail. The same seed makes the same choices. `--short` is the same on a smaller scale, `--mutants` the proof that the
 * suite sees what it looks for.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { ROOT } from "../deploy/manifests.ts";
import { apiServerMissing } from "./api-server.ts";
import { playMutants } from "./mutants.ts";
import { namespacesMissing } from "./network.ts";
import { PHASES, type Phase } from "./phases.ts";
import { type Played, playPhase } from "./play.ts";
import { IN_HAND, openStage } from "./stage.ts";
import { formatDisturbances, formatTable, type Row } from "./table.ts";
import { judge } from "./verdict.ts";

const MAX_SHOWN = 20;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: `${randomInt(1_000_000)}` },
    short: { type: "boolean", default: false },
    phase: { type: "string", multiple: true, default: [] },
    mutants: { type: "boolean", default: false },
  },
});
const missing = await apiServerMissing();
if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit();
}
const noCuts = await namespacesMissing();
const namespaces = noCuts === undefined;
const { seed, short, phase: names } = values;
const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort(new Error(signal)));
const what = values.mutants ? "couriers that are broken on purpose" : short ? "the short run" : "the long run";
console.log(`seed ${seed}, ${what}`);
process.exitCode = values.mutants ? await playMutants(seed, names, namespaces, stopped.signal) : await run();

async function run(): Promise<number> {
  const chosen = PHASES.filter(({ name }) => names.length === 0 || names.includes(name));
  const phases = chosen.filter(({ needsCuts }) => namespaces || !needsCuts);
  for (const { name } of chosen.filter((phase) => !phases.includes(phase)))
    console.log(`skipped: ${name}, because ${noCuts}`);

  const stage = await openStage({ seed, root: ROOT, namespaces });
  try {
    const played: { phase: Phase; took: Played }[] = [];
    for (const phase of phases) {
      played.push({ phase, took: await playPhase(stage, phase, !short, stopped.signal) });
      const verdict = judge(stage.ledger, phase.name, IN_HAND);
      console.log(`\n${phase.name}: ${verdict.violations.length === 0 ? "as it must be" : "WRONG"}`);
      for (const line of formatDisturbances(verdict)) console.log(line);
    }
    // Once more at the end: a mail may be repeated in a later phase than its own.
    const rows: Row[] = played.map(({ phase, took }) => ({
      phase: phase.name,
      verdict: judge(stage.ledger, phase.name, IN_HAND),
      played: took,
    }));
    console.log(`\n${formatTable(rows)}\n`);
    const violations = rows.flatMap(({ verdict }) => verdict.violations);
    if (violations.length === 0) {
      console.log(`nothing was lost, and nothing was sent twice without need (seed ${seed})`);
      return 0;
    }
    for (const violation of violations.slice(0, MAX_SHOWN)) console.log(`WRONG ${violation}`);
    if (violations.length > MAX_SHOWN) console.log(`… and ${violations.length - MAX_SHOWN} more`);
    console.log(`${violations.length} things went wrong; again with --seed ${seed}; logs in ${await stage.saveLogs()}`);
    return 1;
  } finally {
    await stage.close();
  }
}
