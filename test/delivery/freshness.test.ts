import assert from "node:assert/strict";
import { test } from "node:test";
import { Freshness } from "../../src/delivery/freshness.ts";
import { createLogger } from "../../src/observe/logger.ts";

test("a version that cannot be asked for is logged once until it can be, and nothing is trusted meanwhile", async (t) => {
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const lines: string[] = [];
  const answers = [new Error("refused"), new Error("refused"), "7", new Error("refused")];
  const freshness = new Freshness({
    messages: {
      async version() {
        const answer = answers.shift() ?? "";
        if (typeof answer === "string") return answer;
        throw answer;
      },
    },
    logger: createLogger({ format: "text", level: "info", destination: { write: (line) => void lines.push(line) } }),
  });
  const isFresh = (resourceVersion: string) =>
    freshness.isFresh({ apiVersion: "v1", kind: "Thing", metadata: { resourceVersion } }, "event");
  const shardsCome = async () => {
    void freshness.renew(stopping.signal);
    await new Promise((resolve) => setImmediate(resolve));
    return { trusts: ["7", "8"].filter(isFresh), logged: lines.filter((line) => line.includes("refused")).length };
  };
  assert.deepEqual(await shardsCome(), { trusts: [], logged: 1 });
  assert.deepEqual(await shardsCome(), { trusts: [], logged: 1 });
  assert.deepEqual(await shardsCome(), { trusts: ["8"], logged: 1 });
  assert.deepEqual(await shardsCome(), { trusts: [], logged: 2 });
});
