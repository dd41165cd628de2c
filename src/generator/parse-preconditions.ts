import { describeType, type FieldReader, isObject } from "../resources/fields.ts";
import type { Json } from "../resources/object.ts";
import { refuseUnknown } from "./parse-fields.ts";
import { type Condition, OPERATORS, type Preconditions } from "./rule-model.ts";

/** Reads `preconditions`: `{any, all}`, or a bare list, which means all. */
export function parsePreconditions(value: unknown, path: string, reader: FieldReader): Preconditions {
  if (value === undefined || value === null) return { any: undefined, all: undefined };
  if (Array.isArray(value)) return { any: undefined, all: parseConditions(value, path, reader) };
  if (!isObject(value)) {
    reader.problems.push({ path, message: `must be an object or a list and is ${describeType(value)}` });
    return { any: undefined, all: undefined };
  }
  refuseUnknown(value, path, ["any", "all"], reader);
  const group = (name: "any" | "all") => {
    const given = value[name];
    if (given === undefined || given === null) return undefined;
    return parseConditions(reader.list(value, path, name), `${path}.${name}`, reader);
  };
  return { any: group("any"), all: group("all") };
}

function parseConditions(items: unknown[], path: string, reader: FieldReader): Condition[] {
  return items.map((item, index) => parseCondition(item, `${path}[${index}]`, reader));
}

function parseCondition(value: unknown, path: string, reader: FieldReader): Condition {
  if (!isObject(value)) reader.problems.push({ path, message: `must be an object and is ${describeType(value)}` });
  const item = isObject(value) ? value : {};
  refuseUnknown(item, path, ["key", "operator", "value", "message"], reader);
  const operator = OPERATORS.find((known) => known === item["operator"]);
  if (operator === undefined) {
    const given = JSON.stringify(item["operator"] ?? null);
    reader.problems.push({
      path: `${path}.operator`,
      message: `is ${given} and must be one of ${OPERATORS.join(", ")}`,
    });
  }
  return {
    key: (item["key"] ?? null) as Json,
    operator: operator ?? "Equals",
    value: (item["value"] ?? null) as Json,
    message: reader.text(item, path, "message") ?? "",
    path,
  };
}
