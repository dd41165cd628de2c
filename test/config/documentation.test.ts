import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SETTINGS } from "../../src/config/settings.ts";

const documentation = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");

test("docs/configuration.md has every setting with its variable, default and commands", () => {
  const rows = SETTINGS.map(({ flag, env, default: value, help, commands }) => {
    const shown = flag.startsWith("--identity")
      ? "host name and process id"
      : value === undefined
        ? ""
        : `\`${value}\``;
    return `| \`${flag}\` | \`${env}\` | ${shown} | ${commands.join(", ")} | ${help} |`;
  });
  for (const row of rows) assert.ok(documentation.includes(row), `docs/configuration.md lacks this row:\n${row}`);
});
