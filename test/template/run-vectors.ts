import { readVectors, runVector } from "./vectors.ts";

/** Runs a file of vectors: `node test/template/run-vectors.ts FILE`. Prints the failures and, last, how many passed. */
const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node test/template/run-vectors.ts FILE");
  process.exit(2);
}
const tally = { text: { passed: 0, total: 0 }, html: { passed: 0, total: 0 } };
for (const vector of readVectors(file)) {
  const count = tally[vector.mode];
  count.total++;
  const { passed, wanted, got } = runVector(vector);
  if (passed) count.passed++;
  else {
    console.log(`${vector.mode} ${vector.name}`);
    console.log(`  template ${JSON.stringify(vector.template)}\n  want     ${wanted}\n  got      ${got}`);
  }
}
console.log(`text ${tally.text.passed}/${tally.text.total} html ${tally.html.passed}/${tally.html.total}`);
