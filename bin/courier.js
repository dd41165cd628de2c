#!/usr/bin/env node
// The one file that must parse on any Node: it checks the version before anything newer is read.
import { existsSync } from "node:fs";
import module from "node:module";
import v8 from "node:v8";

if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `courier needs Node 24 and this is ${process.versions.node}: run it with "npm start" or "npx courier", which bring their own Node on Linux, or install Node 24`,
  );
  process.exit(1);
}
// The heap may grow by so much before it is collected; by itself V8 doubles it (docs/decisions/036).
v8.setFlagsFromString("--heap-growing-percent=45");
module.enableCompileCache?.();
const source = new URL("../src/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href);
