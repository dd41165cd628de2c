import { describeType, type FieldReader, type Fields, isObject } from "../resources/fields.ts";
import type { JsonObject } from "./jmespath/values.ts";
import { parseContext } from "./parse-context.ts";
import { flag, refuseUnknown } from "./parse-fields.ts";
import { parsePreconditions } from "./parse-preconditions.ts";
import type { ForEach, GenerateBlock } from "./rule-model.ts";

const IDENTITY = ["apiVersion", "kind", "namespace", "name", "data"];
const FOR_EACH = ["list", "context", "preconditions"];

/** Parts of generate that are refused until they are built, each with what to do instead. */
const NOT_BUILT: Record<string, string> = {
  clone: "is not supported yet by courier's generator: write the object as data",
  cloneList: "is not supported yet by courier's generator: write one rule with data for each object",
};
const MUST_BE_FALSE: Record<string, string> = {
  synchronize: "true is not supported yet by courier's generator: targets are created and then left alone, say false",
  generateExisting: "true is not supported yet by courier's generator: only changes generate, say false",
  orphanDownstreamOnPolicyDelete: "true only has a meaning with synchronize, which is not supported yet, say false",
};

/** Reads a rule's `generate`: one block, or the entries of its `foreach`. */
export function parseGenerate(rule: Fields, path: string, reader: FieldReader): GenerateBlock[] {
  const generate = reader.object(rule, path, "generate") ?? {};
  const at = `${path}.generate`;
  const known = [...IDENTITY, "foreach", ...Object.keys(NOT_BUILT), ...Object.keys(MUST_BE_FALSE)];
  refuseUnknown(generate, at, known, reader);
  for (const [name, message] of Object.entries(MUST_BE_FALSE))
    if (flag(generate, at, name, false, reader)) reader.problems.push({ path: `${at}.${name}`, message });
  if (generate["foreach"] === undefined) return [parseBlock(generate, at, undefined, reader)];
  for (const name of [...IDENTITY, ...Object.keys(NOT_BUILT)])
    if (generate[name] !== undefined)
      reader.problems.push({
        path: `${at}.${name}`,
        message: "stands beside foreach: write it into foreach's entries",
      });
  return parseForEach(generate, at, reader);
}

function parseForEach(generate: Fields, path: string, reader: FieldReader): GenerateBlock[] {
  const entries = reader.list(generate, path, "foreach");
  if (entries.length === 0) reader.problems.push({ path: `${path}.foreach`, message: "has no entry" });
  return entries.flatMap((entry, index) => {
    const at = `${path}.foreach[${index}]`;
    if (!isObject(entry)) {
      reader.problems.push({ path: at, message: `must be an object and is ${describeType(entry)}` });
      return [];
    }
    refuseUnknown(entry, at, [...IDENTITY, ...FOR_EACH, ...Object.keys(NOT_BUILT)], reader);
    const list = reader.text(entry, at, "list") ?? "";
    if (list === "") reader.problems.push({ path: `${at}.list`, message: "is missing" });
    const context = parseContext(entry, at, reader);
    const preconditions = parsePreconditions(entry["preconditions"], `${at}.preconditions`, reader);
    return [parseBlock(entry, at, { list, context, preconditions }, reader)];
  });
}

function parseBlock(block: Fields, path: string, each: ForEach | undefined, reader: FieldReader): GenerateBlock {
  for (const [name, message] of Object.entries(NOT_BUILT))
    if (block[name] !== undefined) reader.problems.push({ path: `${path}.${name}`, message });
  const text = (name: string) => reader.text(block, path, name) ?? "";
  const isRefused = Object.keys(NOT_BUILT).some((name) => block[name] !== undefined);
  for (const name of isRefused ? [] : ["apiVersion", "kind", "name"])
    if (text(name) === "") reader.problems.push({ path: `${path}.${name}`, message: "is missing" });
  const data = reader.object(block, path, "data") ?? {};
  if (data["metadata"] !== undefined && !isObject(data["metadata"]) && typeof data["metadata"] !== "string")
    reader.problems.push({ path: `${path}.data.metadata`, message: "must be an object" });
  return {
    path,
    each,
    apiVersion: text("apiVersion"),
    kind: text("kind"),
    namespace: text("namespace"),
    name: text("name"),
    data: data as JsonObject,
  };
}
