/** The licences of what courier runs on, from the lock file. Run it (`npm run licences`) to write docs/licences.md anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Dependency {
  name: string;
  version: string;
  /** SPDX; "" where the package says none. */
  licence: string;
  hasInstallScript: boolean;
}

export const LICENCES_FILE = fileURLToPath(new URL("../../docs/licences.md", import.meta.url));
const LOCK_FILE = new URL("../../package-lock.json", import.meta.url);

type Locked = Record<string, { version?: string; license?: string; dev?: boolean; hasInstallScript?: boolean }>;

/** Every package that is installed without the development dependencies, each version once, by name. */
export function productionDependencies(): Dependency[] {
  const { packages } = JSON.parse(readFileSync(LOCK_FILE, "utf8")) as { packages: Locked };
  const found = new Map<string, Dependency>();
  for (const [path, { version = "", license = "", dev, hasInstallScript = false }] of Object.entries(packages)) {
    if (path === "" || dev === true) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    found.set(`${name} ${version}`, { name, version, licence: license, hasInstallScript });
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** docs/licences.md as it has to be. */
export function licencesPage(dependencies: readonly Dependency[]): string {
  const rows = dependencies.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return `# Licences

courier is under the Apache License 2.0 (\`LICENSE\`). It runs on these packages; \`npm run licences\` writes this page from the
lock file, and a test holds each licence against the list of those that may be used. \`npm run sbom\` prints the same as a
CycloneDX bill of materials.

| package | version | licence |
| --- | --- | --- |
${rows.join("\n")}
`;
}

if (import.meta.main) writeFileSync(LICENCES_FILE, licencesPage(productionDependencies()));
