import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

/** The libraries that a process has loaded when it has made mails of these `Html` bodies. */
async function loadedFor(...bodies: string[]): Promise<string> {
  const program = `
    const { createRequire } = await import("node:module");
    const { alternativesOf } = await import("${new URL("../../src/mail/html.ts", import.meta.url)}");
    for (const body of ${JSON.stringify(bodies)}) alternativesOf(body, "Html");
    const files = Object.keys(createRequire("/").cache).join();
    console.log(["sanitize-html", "html-to-text", "postcss"].filter((name) => files.includes("/" + name + "/")).join());`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return stdout.trim();
}

test("a mail without an HTML element, as the guide's, needs none of what HTML mail does", async () => {
  assert.equal(await loadedFor("The watched ConfigMap was updated.\n\nName: payment"), "");
  assert.equal(await loadedFor("<p>The watched ConfigMap was updated.</p>"), "sanitize-html,html-to-text,postcss");
});
