import { describeType, type FieldReader, type Fields, isObject } from "../resources/fields.ts";
import type { JsonObject } from "./jmespath/values.ts";
import { parseKindSelector } from "./kind-selector.ts";
import { parseContext } from "./parse-context.ts";
import { flag, refuseUnknown } from "./parse-fields.ts";
import { parseSelector } from "./parse-match.ts";
import { parsePreconditions } from "./parse-preconditions.ts";
import type { BlockContent, ForEach, GenerateBlock, Rule } from "./rule-model.ts";

const IDENTITY = ["apiVersion", "kind", "namespace", "name"];
const CONTENTS = ["data", "clone", "cloneList"];
const FOR_EACH = ["list", "context", "preconditions"];
const FLAGS = ["synchronize", "generateExisting", "orphanDownstreamOnPolicyDelete"];

type GeneratePart = Pick<Rule, "generate" | "generateExisting" | "synchronize" | "orphanOnPolicyDelete">;

/**
 * Reads a rule's `generate`: its flags, and one block or the entries of its `foreach`.
 * @param existing what the policy says where the rule does not say whether it generates for what exists
 */
export function parseGenerate(rule: Fields, path: string, existing: boolean, reader: FieldReader): GeneratePart {
  const generate = reader.object(rule, path, "generate") ?? {};
  const at = `${path}.generate`;
  refuseUnknown(generate, at, [...IDENTITY, ...CONTENTS, ...FLAGS, "foreach"], reader);
  const blocks = parseBlocks(generate, at, reader);
  const synchronize = flag(generate, at, "synchronize", false, reader);
  if (synchronize) requirePlainKinds(blocks, reader);
  return {
    generate: blocks,
    generateExisting: flag(generate, at, "generateExisting", existing, reader),
    synchronize,
    orphanOnPolicyDelete: flag(generate, at, "orphanDownstreamOnPolicyDelete", false, reader),
  };
}

/** What is synchronized is watched, so its kind must be known before anything happens. */
function requirePlainKinds(blocks: readonly GenerateBlock[], reader: FieldReader): void {
  for (const { path, apiVersion, kind, content } of blocks) {
    const kinds = content.type === "cloneList" ? content.kinds : [];
    const given = { apiVersion, kind, ...Object.fromEntries(kinds.map((text, i) => [`cloneList.kinds[${i}]`, text])) };
    for (const [name, text] of Object.entries(given))
      if (text.includes("{{"))
        reader.problems.push({ path: `${path}.${name}`, message: "must be plain text where synchronize is true" });
  }
}

function parseBlocks(generate: Fields, path: string, reader: FieldReader): GenerateBlock[] {
  if (generate["foreach"] === undefined) return [parseBlock(generate, path, undefined, reader)];
  for (const name of [...IDENTITY, ...CONTENTS])
    if (generate[name] !== undefined)
      reader.problems.push({
        path: `${path}.${name}`,
        message: "stands beside foreach: write it into foreach's entries",
      });
  return parseForEach(generate, path, reader);
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
    refuseUnknown(entry, at, [...IDENTITY, ...CONTENTS, ...FOR_EACH], reader);
    const list = reader.text(entry, at, "list") ?? "";
    if (list === "") reader.problems.push({ path: `${at}.list`, message: "is missing" });
    const context = parseContext(entry, at, reader);
    const preconditions = parsePreconditions(entry["preconditions"], `${at}.preconditions`, reader);
    return [parseBlock(entry, at, { list, context, preconditions }, reader)];
  });
}

function parseBlock(block: Fields, path: string, each: ForEach | undefined, reader: FieldReader): GenerateBlock {
  const text = (name: string) => reader.text(block, path, name) ?? "";
  const content = parseContent(block, path, reader);
  for (const name of ["apiVersion", "kind", "name"]) {
    if (content.type === "cloneList" && text(name) !== "")
      reader.problems.push({ path: `${path}.${name}`, message: "stands beside cloneList, whose sources say it" });
    if (content.type !== "cloneList" && text(name) === "")
      reader.problems.push({ path: `${path}.${name}`, message: "is missing" });
  }
  return {
    path,
    each,
    apiVersion: text("apiVersion"),
    kind: text("kind"),
    namespace: text("namespace"),
    name: text("name"),
    content,
  };
}

function parseContent(block: Fields, path: string, reader: FieldReader): BlockContent {
  const given = CONTENTS.filter((name) => block[name] !== undefined);
  if (given.length > 1)
    reader.problems.push({ path, message: `has ${given.join(" and ")}: only one of them may be given` });
  const clone = reader.object(block, path, "clone");
  if (clone !== undefined) return parseClone(clone, `${path}.clone`, reader);
  const cloneList = reader.object(block, path, "cloneList");
  if (cloneList !== undefined) return parseCloneList(cloneList, `${path}.cloneList`, reader);
  const data = reader.object(block, path, "data") ?? {};
  if (data["metadata"] !== undefined && !isObject(data["metadata"]) && typeof data["metadata"] !== "string")
    reader.problems.push({ path: `${path}.data.metadata`, message: "must be an object" });
  return { type: "data", data: data as JsonObject };
}

function parseClone(clone: Fields, path: string, reader: FieldReader): BlockContent {
  refuseUnknown(clone, path, ["namespace", "name"], reader);
  const name = reader.text(clone, path, "name") ?? "";
  if (name === "") reader.problems.push({ path: `${path}.name`, message: "is missing" });
  return { type: "clone", namespace: reader.text(clone, path, "namespace") ?? "", name };
}

function parseCloneList(list: Fields, path: string, reader: FieldReader): BlockContent {
  refuseUnknown(list, path, ["namespace", "kinds", "selector"], reader);
  const kinds = reader.texts(list, path, "kinds");
  if (kinds.length === 0) reader.problems.push({ path: `${path}.kinds`, message: "names no kind" });
  for (const [index, kind] of kinds.entries()) {
    const selector = parseKindSelector(kind);
    if (typeof selector === "string") reader.problems.push({ path: `${path}.kinds[${index}]`, message: selector });
  }
  const namespace = reader.text(list, path, "namespace") ?? "";
  return { type: "cloneList", namespace, kinds, selector: parseSelector(list, path, "selector", reader) };
}
