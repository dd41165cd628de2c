import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { metadataText } from "../../src/kube/metadata-text.ts";

const value = fc.jsonValue({ maxDepth: 3, stringUnit: "binary" });
const fields = fc.dictionary(fc.string(), value, { noNullPrototype: true });
const managedFields = fc.array(fc.record({ manager: fc.string(), fieldsV1: value }));
const metadata = fc
  .tuple(fields, fc.option(managedFields, { nil: undefined }), fields)
  .map(([before, managed, after]) => ({ ...before, ...(managed && { managedFields: managed }), ...after }));

test("the metadata is what a whole reading has, without the managed fields, whatever stands around and inside it", () => {
  fc.assert(
    fc.property(fields, metadata, fields, (before, own, after) => {
      const { metadata: _, ...others } = before;
      const line = JSON.stringify({ type: "MODIFIED", object: { ...others, metadata: own, ...after } });
      const { object } = JSON.parse(line) as { object: { metadata: Record<string, unknown> | null } };
      const text = metadataText(line);
      if (text === undefined) return assert.ok(typeof object.metadata !== "object" || Array.isArray(object.metadata));
      const whole = object.metadata ?? {};
      assert.deepEqual(JSON.parse(text), "managedFields" in whole ? { ...whole, managedFields: [] } : whole);
    }),
    { numRuns: 2_000 },
  );
});

test("a line that is broken anywhere, or none at all, is read without end or error", () => {
  const line = JSON.stringify({ type: "ADDED", object: { kind: "A", metadata: { name: "a", managedFields: [{}] } } });
  fc.assert(
    fc.property(fc.nat(line.length), fc.string(), fc.nat(5), (at, inserted, cut) => {
      const text = metadataText(line.slice(0, at) + inserted + line.slice(at + cut));
      assert.ok(text === undefined || text.startsWith("{"));
    }),
    { numRuns: 2_000 },
  );
});

for (const [what, line, expected] of [
  ["before the spec", '{"type":"ADDED","object":{"metadata":{"uid":"1"},"spec":{}}}', '{"uid":"1"}'],
  [
    "after a spec with metadata",
    '{"type":"ADDED","object":{"spec":{"metadata":{"uid":"2"}},"metadata":{"uid":"1"}}}',
    '{"uid":"1"}',
  ],
  [
    "after quotes and braces in a text",
    '{"type":"ADDED","object":{"a":"\\"}\\\\","metadata":{"uid":"1"}}}',
    '{"uid":"1"}',
  ],
  [
    "with spaces between, which an API server does not write",
    '{"type": "ADDED", "object": {"metadata": {}}}',
    undefined,
  ],
  ["that is no object", '{"type":"ADDED","object":{"metadata":"uid"}}', undefined],
  ["that is not there", '{"type":"ADDED","object":{"spec":{"metadata":{}}}}', undefined],
] as const) {
  test(`metadata ${what}: ${expected ?? "left to a JSON parser"}`, () => {
    assert.equal(metadataText(line), expected);
  });
}
