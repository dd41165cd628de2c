/** What courier runs on: under licences that may be used, listed, pinned, and without code that runs when it is installed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LICENCES_FILE, licencesPage, productionDependencies } from "./licences.ts";

/** Licences that ask for no more than to be named, and MPL-2.0, which asks for changes of its own files alone. */
const ALLOWED = [
  ...["MIT", "MIT-0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Unlicense", "BlueOak-1.0.0"],
  ...["PSF-2.0", "MPL-2.0"],
];

const dependencies = productionDependencies();
const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, string>
>;

test("every package that courier runs on has a licence that may be used", () => {
  assert.ok(dependencies.length > 50);
  const others = dependencies.filter(({ licence }) => !ALLOWED.includes(licence));
  assert.deepEqual(others, []);
});

test("docs/licences.md names every one of them; npm run licences writes it", () => {
  assert.equal(readFileSync(LICENCES_FILE, "utf8"), licencesPage(dependencies));
});

test("none of them runs code when it is installed", () => {
  const hooked = dependencies.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  assert.deepEqual(hooked, []);
});

test("each is pinned to one version", () => {
  const { dependencies: direct = {}, optionalDependencies = {} } = manifest;
  const ranges = Object.entries({ ...direct, ...optionalDependencies }).filter(([, version]) => !/^\d/.test(version));
  assert.deepEqual(ranges, []);
});

test("CONTRIBUTING.md says what every script is for", () => {
  const contributing = readFileSync(new URL("../../CONTRIBUTING.md", import.meta.url), "utf8");
  const silent = Object.keys(manifest["scripts"] ?? {}).filter(
    (name) => !["start", "test"].includes(name) && !contributing.includes(`| \`npm run ${name}`),
  );
  assert.deepEqual(silent, []);
});
