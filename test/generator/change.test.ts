import assert from "node:assert/strict";
import test from "node:test";
import { isStale, rememberObject, requestForUpdate } from "../../src/generator/change.ts";
import { CONFIG_MAP } from "../../src/resources/kinds.ts";
import type { ManagedFieldsEntry } from "../../src/resources/object.ts";
import { configMap } from "./objects.ts";

const TYPE = { ...CONFIG_MAP, preferred: true, verbs: [], hasStatus: true };
const wrote = (time: string, subresource?: string): ManagedFieldsEntry => ({
  manager: subresource ?? "kubectl",
  operation: "Update",
  time,
  ...(subresource === undefined ? {} : { subresource }),
});
const seen = (version: string, data: object, more: object = {}, managedFields: ManagedFieldsEntry[] = []) =>
  rememberObject({ ...configMap(version, { ...data } as never, { managedFields }), ...more });

test("a change of data is an UPDATE with the old object", () => {
  const request = requestForUpdate(seen("1", { a: "1" }), seen("2", { a: "2" }), TYPE);
  assert.equal(request?.operation, "UPDATE");
  assert.deepEqual([request?.oldObject?.["data"], request?.object["data"]], [{ a: "1" }, { a: "2" }]);
  assert.equal(request?.object.metadata.managedFields, undefined);
});

test("a change of status alone triggers nothing", () => {
  assert.equal(
    requestForUpdate(seen("1", {}, { status: { a: 1 } }), seen("2", {}, { status: { a: 2 } }), TYPE),
    undefined,
  );
});

test("a change of status on a kind without a status subresource is an UPDATE", () => {
  const type = { ...TYPE, hasStatus: false };
  assert.ok(requestForUpdate(seen("1", {}, { status: { a: 1 } }), seen("2", {}, { status: { a: 2 } }), type));
});

test("a write to scale triggers nothing, although it changes spec", () => {
  const before = seen("1", {}, { spec: { replicas: 1 } }, [wrote("t1")]);
  const after = seen("2", {}, { spec: { replicas: 2 } }, [wrote("t1"), wrote("t2", "scale")]);
  assert.equal(requestForUpdate(before, after, TYPE), undefined);
});

test("a Pod's ephemeral containers are the Pod itself, another kind's are not", () => {
  const before = seen("1", {}, { spec: {} }, [wrote("t1")]);
  const after = seen("2", {}, { spec: { a: 1 } }, [wrote("t1"), wrote("t2", "ephemeralcontainers")]);
  assert.equal(requestForUpdate(before, after, { ...TYPE, kind: "Pod" })?.operation, "UPDATE");
  assert.equal(requestForUpdate(before, after, TYPE), undefined);
});

test("a removed key is an UPDATE although a status write is the newest that managers left", () => {
  const fields = [wrote("t1"), wrote("t2", "status")];
  assert.ok(requestForUpdate(seen("1", { a: "1", b: "2" }, {}, fields), seen("2", { a: "1" }, {}, fields), TYPE));
});

test("the first deletionTimestamp is a DELETE of the old object, what follows is an UPDATE", () => {
  const terminating = rememberObject(configMap("2", { a: "1" }, { deletionTimestamp: "2026-11-22T10:00:00Z" }));
  const request = requestForUpdate(seen("1", { a: "1" }), terminating, TYPE);
  assert.equal(request?.operation, "DELETE");
  assert.equal(request?.object.metadata.resourceVersion, "1");
  const later = rememberObject(configMap("3", { a: "2" }, { deletionTimestamp: "2026-11-22T10:00:00Z" }));
  assert.equal(requestForUpdate(terminating, later, TYPE)?.operation, "UPDATE");
});

test("a version is stale when it is known or older", () => {
  assert.deepEqual(
    [isStale("5", "5"), isStale("4", "5"), isStale("10", "9"), isStale("b", "a")],
    [true, true, false, false],
  );
});
