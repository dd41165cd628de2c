import knownDifferences from "./known-differences.json" with { type: "json" };
import { readVectors, runVector, type VectorCase, type VectorResult } from "./vectors.ts";

/**
 * Runs a file of vectors: `node test/template/run-vectors.ts FILE`. Prints the failures, then the known differences with
 * their reasons, and last how many passed; known differences count as not passed. Exits with 1 if anything else failed.
 */
const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node test/template/run-vectors.ts FILE");
  process.exit(2);
}
const known = new Map<string, string>(Object.entries(knownDifferences.cases));
const differences: string[] = [];
const tally = { text: { passed: 0, total: 0 }, html: { passed: 0, total: 0 } };
for (const vector of readVectors(file)) {
  const count = tally[vector.mode];
  count.total++;
  const { passed, wanted, got } = run(vector);
  if (passed) count.passed++;
  else if (known.has(vector.name)) differences.push(`known difference ${vector.name}: ${known.get(vector.name)}`);
  else {
    process.exitCode = 1;
    console.log(`${vector.mode} ${vector.name}`);
    console.log(`  template ${JSON.stringify(vector.template)}\n  want     ${wanted}\n  got      ${got}`);
  }
}
for (const line of differences) console.log(line);
console.log(`text ${tally.text.passed}/${tally.text.total} html ${tally.html.passed}/${tally.html.total}`);

/** A crash is one case's failure, not the end of the run. */
function run(vector: VectorCase): VectorResult {
  try {
    return runVector(vector);
  } catch (error) {
    const wanted = vector.error ?? JSON.stringify(vector.output) ?? "";
    return { vector, passed: false, wanted, got: `a crash: ${error instanceof Error ? error.stack : error}` };
  }
}
