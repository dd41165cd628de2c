import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const COURIER = fileURLToPath(new URL("../../bin/courier.js", import.meta.url));

for (const version of ["20.20.2", "22.19.0"]) {
  test(`on Node ${version} the command ends with one line that says what is needed`, () => {
    const pretend = `Object.defineProperty(process, "versions", { value: { node: "${version}" } });`;
    const args = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, COURIER, "--help"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^courier needs Node 24 and this is [\d.]+: run it with "npm start" or .* install Node 24\n$/);
  });
}
