/** The directions of import that CONTRIBUTING.md draws, held: a folder of src/ sees only what lies further in. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

const INNERMOST = ["observe", "control", "resources"];

/** Folder → the folders it may import from, besides itself. */
const ALLOWED: Record<string, string[]> = {
  observe: [],
  control: [],
  resources: [],
  config: ["observe", "resources"],
  template: INNERMOST,
  delivery: [...INNERMOST, "template"],
  generator: [...INNERMOST, "template"],
  kube: INNERMOST,
  mail: INNERMOST,
  http: ["observe", "resources"],
  sandbox: ["observe", "resources"],
  author: [...INNERMOST, "template", "delivery", "generator", "mail"],
  app: [...INNERMOST, "config", "template", "delivery", "generator", "kube", "mail", "http", "sandbox"],
  cli: [
    ...INNERMOST,
    "config",
    "template",
    "delivery",
    "generator",
    "kube",
    "mail",
    "http",
    "sandbox",
    "author",
    "app",
  ],
};

/** What adapters may see of the folder whose ports they satisfy. */
const PORTS: Record<string, string[]> = {
  kube: ["delivery/ports.ts", "generator/ports.ts", "http/ports.ts"],
  mail: ["delivery/ports.ts", "delivery/reasons.ts"],
};

/** Library → the one folder that speaks to it. */
const LIBRARIES: Record<string, string> = {
  "@kubernetes/client-node": "kube",
  express: "http",
  handlebars: "template",
  maildev: "sandbox",
  nodemailer: "mail",
};

interface Import {
  from: string;
  to: string;
}

const files = globSync("**/*.ts", { cwd: SRC });
const imports: Import[] = files.flatMap((from) => {
  const source = readFileSync(join(SRC, from), "utf8");
  return [...source.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, to = ""]) => ({ from, to }));
});

function folderOf(file: string): string {
  return file.split("/")[0] ?? "";
}

test("every folder of src/ has a place in the order of imports", () => {
  const folders = new Set(files.filter((file) => file.includes("/")).map(folderOf));
  assert.deepEqual(
    [...folders].filter((folder) => !(folder in ALLOWED)),
    [],
  );
});

test("imports point inward", () => {
  const outward = imports.filter(({ from, to }) => {
    const folder = folderOf(from);
    if (!to.startsWith(".") || !(folder in ALLOWED)) return false;
    const target = relative(SRC, normalize(join(SRC, dirname(from), to)));
    if (target.startsWith("..")) return !target.endsWith("package.json");
    const seen = [folder, ...(ALLOWED[folder] ?? [])];
    return !seen.includes(folderOf(target)) && !PORTS[folder]?.includes(target);
  });
  assert.deepEqual(
    outward.map(({ from, to }) => `src/${from} imports ${to}`),
    [],
  );
});

test("each library is spoken to in one folder", () => {
  const strays = imports.filter(({ from, to }) =>
    Object.entries(LIBRARIES).some(
      ([library, folder]) => (to === library || to.startsWith(`${library}/`)) && folderOf(from) !== folder,
    ),
  );
  assert.deepEqual(
    strays.map(({ from, to }) => `src/${from} imports ${to}`),
    [],
  );
});
