/** Prints a line a file, each failure with its error, why tests were skipped, and the counts. */
import { relative } from "node:path";
import { inspect } from "node:util";

interface TestEvent {
  type: string;
  data: {
    name: string;
    file?: string;
    skip?: string | boolean;
    details?: { type?: string; error?: Error & { cause?: unknown } };
    counts?: { passed: number; failed: number; cancelled: number; skipped: number; tests: number };
    duration_ms?: number;
  };
}

export async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped = new Map<string, number>();
  const failures: string[] = [];
  for await (const { type, data } of source) {
    if (type === "test:fail" && data.details?.type !== "suite") failures.push(explain(data));
    if (type === "test:pass" && data.skip) count(skipped, data.skip === true ? "no reason given" : data.skip);
    if (type !== "test:summary" || data.counts === undefined) continue;
    const { passed, tests } = data.counts;
    const failed = data.counts.failed + data.counts.cancelled; // those that took too long are counted apart
    const seconds = ((data.duration_ms ?? 0) / 1000).toFixed(1);
    if (data.file !== undefined) {
      yield `${failed === 0 ? "✔" : "✖"} ${relative(process.cwd(), data.file)}  ${passed}/${tests}  ${seconds} s\n`;
      continue;
    }
    yield "\n";
    for (const [reason, times] of skipped) yield `skipped ${times}: ${reason}\n`;
    for (const failure of failures) yield `\n${failure}\n`;
    const skips = [...skipped.values()].reduce((sum, times) => sum + times, 0);
    yield `in ${seconds} s\n${passed} passed, ${failed} failed, ${skips} skipped\n`;
  }
}

function explain({ name, file, details }: TestEvent["data"]): string {
  const error = details?.error?.cause ?? details?.error;
  return `✖ ${name}\n  ${relative(process.cwd(), file ?? "")}\n${inspect(error).replace(/^/gm, "  ")}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter module's default export
export default report;
