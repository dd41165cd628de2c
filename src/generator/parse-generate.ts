import { type FieldReader, type Fields, isObject } from "../resources/fields.ts";
import type { JsonObject } from "./jmespath/values.ts";
import { flag, refuseUnknown } from "./parse-fields.ts";
import type { GenerateBlock } from "./rule-model.ts";

const IDENTITY = ["apiVersion", "kind", "namespace", "name", "data"];

/** Parts of generate that are refused until they are built, each with what to do instead. */
const NOT_BUILT: Record<string, string> = {
  clone: "is not supported yet by courier's generator: write the object as data",
  cloneList: "is not supported yet by courier's generator: write one rule with data for each object",
  foreach: "is not supported yet by courier's generator: write one rule for each object",
};
const MUST_BE_FALSE: Record<string, string> = {
  synchronize: "true is not supported yet by courier's generator: targets are created and then left alone, say false",
  generateExisting: "true is not supported yet by courier's generator: only changes generate, say false",
  orphanDownstreamOnPolicyDelete: "true only has a meaning with synchronize, which is not supported yet, say false",
};

/** Reads a rule's `generate` block. */
export function parseGenerate(rule: Fields, path: string, reader: FieldReader): GenerateBlock {
  const block = reader.object(rule, path, "generate") ?? {};
  const at = `${path}.generate`;
  refuseUnknown(block, at, [...IDENTITY, ...Object.keys(NOT_BUILT), ...Object.keys(MUST_BE_FALSE)], reader);
  for (const [name, message] of Object.entries(NOT_BUILT))
    if (block[name] !== undefined) reader.problems.push({ path: `${at}.${name}`, message });
  for (const [name, message] of Object.entries(MUST_BE_FALSE))
    if (flag(block, at, name, false, reader)) reader.problems.push({ path: `${at}.${name}`, message });
  const text = (name: string) => reader.text(block, at, name) ?? "";
  const isRefused = Object.keys(NOT_BUILT).some((name) => block[name] !== undefined);
  for (const name of isRefused ? [] : ["apiVersion", "kind", "name"])
    if (text(name) === "") reader.problems.push({ path: `${at}.${name}`, message: "is missing" });
  const data = reader.object(block, at, "data") ?? {};
  if (data["metadata"] !== undefined && !isObject(data["metadata"]) && typeof data["metadata"] !== "string")
    reader.problems.push({ path: `${at}.data.metadata`, message: "must be an object" });
  return {
    apiVersion: text("apiVersion"),
    kind: text("kind"),
    namespace: text("namespace"),
    name: text("name"),
    data: data as JsonObject,
  };
}
