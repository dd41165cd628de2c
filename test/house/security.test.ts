/** docs/security.md names tests as its proof: each of them has to be there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");

/** Test files and titles in the order of the page; a title belongs to the file named last before it. */
function citations(): { file: string; title: string }[] {
  const found: { file: string; title: string }[] = [];
  let file = "";
  for (const [, link, title] of page.matchAll(/\]\(\.\.\/(test\/[^)]+\.test\.ts)\)|"([^"]+)"/g)) {
    if (link !== undefined) file = link;
    else if (title !== undefined) found.push({ file, title });
  }
  return found;
}

test("each test that docs/security.md names exists in the file that it names", () => {
  const cited = citations();
  assert.ok(cited.length > 40);
  const missing = cited.filter(({ file, title }) => {
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    return !existsSync(path) || !readFileSync(path, "utf8").includes(`("${title}"`);
  });
  assert.deepEqual(missing, []);
});
