import type { FieldReader } from "../resources/fields.ts";
import type { Json } from "../resources/object.ts";
import { messageOf } from "./errors.ts";
import { isFunction } from "./jmespath/functions/index.ts";
import { parseExpression } from "./jmespath/parse.ts";
import { isJsonObject } from "./jmespath/values.ts";
import type { Rule } from "./rule-model.ts";
import { parseTemplate, type Token } from "./template.ts";

/** Parses every expression of a rule whose text is known beforehand, so that a mistake is told when the policy is read. */
export function checkExpressions(rule: Rule, reader: FieldReader): void {
  for (const { path, each, apiVersion, kind, namespace, name, content } of rule.generate) {
    const { type, ...parts } = content;
    const texts = content.type === "data" ? content.data : (parts as unknown as Json);
    checkValue({ apiVersion, kind, namespace, name, [type]: texts }, path, reader);
    if (each === undefined) continue;
    checkExpression(each.list, `${path}.list`, reader);
    checkInputs(each, reader);
  }
  checkInputs(rule, reader);
}

function checkInputs({ context, preconditions }: Pick<Rule, "context" | "preconditions">, reader: FieldReader): void {
  const check = (value: Json, path: string) => checkValue(value, path, reader);
  for (const { path, key, value } of [...(preconditions.any ?? []), ...(preconditions.all ?? [])])
    check({ key, value }, path);
  for (const entry of context) {
    const { type: _, name: __, path, ...texts } = entry;
    const { jmesPath, ...values } = texts as typeof texts & { jmesPath?: string };
    check(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Json, path);
    if (jmesPath !== undefined && !jmesPath.includes("{{")) checkExpression(jmesPath, `${path}.jmesPath`, reader);
  }
}

const MAX_DEPTH = 64;

function checkValue(value: Json, path: string, reader: FieldReader, depth = 0): void {
  if (depth > MAX_DEPTH) {
    reader.problems.push({ path, message: `is nested deeper than ${MAX_DEPTH} levels` });
    return;
  }
  if (typeof value === "string") checkText(value, path, reader);
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) checkValue(item, `${path}[${index}]`, reader, depth + 1);
  if (!isJsonObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    checkText(key, path, reader);
    checkValue(item, `${path}.${key}`, reader, depth + 1);
  }
}

function checkText(text: string, path: string, reader: FieldReader): void {
  const reference = /(?<!\\)\$\([^ ]+\)/.exec(text);
  if (reference !== null) {
    const message = `holds the reference ${reference[0]}, which is not supported: write \\${reference[0]} for the text itself`;
    reader.problems.push({ path, message });
  }
  if (!text.includes("{{")) return;
  for (const part of parseTemplate(text)) if (typeof part === "object") checkToken(part, path, reader);
}

function checkToken({ parts }: Token, path: string, reader: FieldReader): void {
  const [only = ""] = parts;
  if (parts.length <= 1 && typeof only === "string") checkExpression(only, path, reader);
  for (const part of parts) if (typeof part === "object") checkToken(part, path, reader);
}

function checkExpression(text: string, path: string, reader: FieldReader): void {
  const problem = problemOf(text);
  if (problem !== undefined) reader.problems.push({ path, message: problem });
}

function problemOf(text: string): string | undefined {
  if (/^\s*@(\.|\s*$)/.test(text))
    return `holds {{${text}}}, which only has a meaning in mutate and validate rules: write the whole path, such as request.object.metadata.name`;
  try {
    parseExpression(text, isFunction);
    return undefined;
  } catch (error) {
    return `holds an expression with an error: ${messageOf(error)}`;
  }
}
