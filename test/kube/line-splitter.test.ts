import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "../../src/kube/line-splitter.ts";

const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", " "));

test("lines are the same wherever the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
      const stream = Buffer.from(lines.map((each) => `${each}\n`).join(""));
      const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const splitter = new LineSplitter(1_000_000);
      const split = at.flatMap((start, index) => splitter.push(stream.subarray(start, at[index + 1])));
      assert.deepEqual(
        split,
        Buffer.from(lines.join("\n")).toString() === "" && lines.length === 0 ? [] : lines.map(asUtf8),
      );
      assert.equal(splitter.hasPartialLine, false);
    }),
  );
});

test("what follows the last newline waits for its own", () => {
  const splitter = new LineSplitter(100);
  assert.deepEqual(splitter.push(Buffer.from("a\nb")), ["a"]);
  assert.equal(splitter.hasPartialLine, true);
  assert.deepEqual(splitter.push(Buffer.from("c\n\n")), ["bc", ""]);
});

test("an unfinished line over the limit is refused", () => {
  const splitter = new LineSplitter(4);
  splitter.push(Buffer.from("abc"));
  assert.throws(() => splitter.push(Buffer.from("de")), RangeError);
});

test("a line of 8 MiB in 100,000 chunks takes no quadratic time", () => {
  const splitter = new LineSplitter(16 * 1024 * 1024);
  const chunk = Buffer.alloc(84, "x");
  const startedAt = performance.now();
  for (let index = 0; index < 100_000; index += 1) splitter.push(chunk);
  assert.equal(splitter.push(Buffer.from("\n"))[0]?.length, 8_400_000);
  assert.ok(performance.now() - startedAt < 2_000, "copying at each chunk takes minutes");
});

/** Lone surrogates have no UTF-8 form. */
function asUtf8(text: string): string {
  return Buffer.from(text).toString();
}
