import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import knownDifferences from "./known-differences.json" with { type: "json" };
import { readVectors, refusedPlace, runVector } from "./vectors.ts";

const FILE = new URL("../../../shared/vectors/go-templates.json", import.meta.url);
const absent = existsSync(FILE) ? false : `Go's conformance vectors are not here: ${fileURLToPath(FILE)}`;
const known = new Map<string, string>(Object.entries(knownDifferences.cases));

for (const mode of ["text", "html"] as const) {
  test(`${mode} templates render and fail as in Go, known differences apart`, { skip: absent }, () => {
    const results = readVectors(FILE)
      .filter((vector) => vector.mode === mode)
      .map(runVector);
    const failed = results.filter(({ passed }) => !passed).map(({ vector }) => vector.name);
    assert.deepEqual(
      failed.filter((name) => !known.has(name)),
      [],
    );
    assert.ok(results.length > 300);
  });
}

test("at most one vector in a hundred is a known difference, and each has a reason", { skip: absent }, () => {
  assert.ok(known.size <= readVectors(FILE).length / 100);
  for (const reason of known.values()) assert.notEqual(reason, "");
});

test("the runner tells places where a value is refused from those where it is not", () => {
  assert.equal(refusedPlace("<p {{.a}}>"), "in the name of an attribute");
  assert.equal(refusedPlace("<p onclick='{{.a}}'>"), "in an event handler attribute");
  assert.equal(refusedPlace("<style>a { b: {{.a}} }</style>"), "inside <style>");
  assert.equal(refusedPlace('{{define "d"}}{{.}}{{end}}<script>{{template "d" .}}</script>'), "inside <script>");
  assert.equal(
    refusedPlace('<p {{if .a}}title="{{.a}}"{{end}} style="color: {{.c}}">{{.b}}</p><!-- <p {{.x}}> -->'),
    undefined,
  );
});
