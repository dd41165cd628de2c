import { RE2JS } from "re2js";
import { isRecord } from "./values.ts";

/** One level of a structural schema, read once from a CRD's `openAPIV3Schema`. Keyword names are the CRD's own. */
export interface SchemaNode {
  /** "" where the CRD gives no type. */
  type: string;
  nullable: boolean;
  intOrString: boolean;
  preserveUnknown: boolean;
  embedded: boolean;
  properties: Map<string, SchemaNode>;
  additionalProperties: SchemaNode | boolean | undefined;
  items: SchemaNode | undefined;
  required: string[];
  enum: unknown[] | undefined;
  pattern: { source: string; regex: RE2JS } | undefined;
  format: string;
  limits: Limits;
  listType: "atomic" | "set" | "map";
  listMapKeys: string[];
  mapType: "granular" | "atomic";
  hasDefault: boolean;
  default: unknown;
  allOf: SchemaNode[];
  anyOf: SchemaNode[];
  oneOf: SchemaNode[];
  not: SchemaNode | undefined;
}

const LIMIT_NAMES = [
  "minimum",
  "maximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
] as const;

/** The numeric keywords that were given. */
export type Limits = Partial<Record<(typeof LIMIT_NAMES)[number], number>> & {
  exclusiveMinimum: boolean;
  exclusiveMaximum: boolean;
};

/** Reads a schema. Keywords of the wrong type are left out: checkStructural is what refuses them. */
export function readSchema(schema: unknown): SchemaNode {
  const source = isRecord(schema) ? schema : {};
  return {
    type: text(source.type),
    nullable: source.nullable === true,
    intOrString: source["x-kubernetes-int-or-string"] === true,
    preserveUnknown: source["x-kubernetes-preserve-unknown-fields"] === true,
    embedded: source["x-kubernetes-embedded-resource"] === true,
    properties: readProperties(source.properties),
    additionalProperties: isRecord(source.additionalProperties)
      ? readSchema(source.additionalProperties)
      : booleanOrNothing(source.additionalProperties),
    items: isRecord(source.items) ? readSchema(source.items) : undefined,
    required: strings(source.required),
    enum: Array.isArray(source.enum) && source.enum.length > 0 ? source.enum : undefined,
    pattern: readPattern(source.pattern),
    format: text(source.format),
    limits: readLimits(source),
    listType: oneOf(["atomic", "set", "map"], source["x-kubernetes-list-type"]),
    listMapKeys: strings(source["x-kubernetes-list-map-keys"]),
    mapType: oneOf(["granular", "atomic"], source["x-kubernetes-map-type"]),
    hasDefault: source.default !== undefined,
    default: source.default,
    allOf: readList(source.allOf),
    anyOf: readList(source.anyOf),
    oneOf: readList(source.oneOf),
    not: isRecord(source.not) ? readSchema(source.not) : undefined,
  };
}

function readPattern(source: unknown): SchemaNode["pattern"] {
  if (typeof source !== "string" || source === "") return undefined;
  try {
    return { source, regex: RE2JS.compile(source) };
  } catch {
    return undefined;
  }
}

function readProperties(properties: unknown): Map<string, SchemaNode> {
  if (!isRecord(properties)) return new Map();
  return new Map(Object.entries(properties).map(([name, schema]) => [name, readSchema(schema)]));
}

function readLimits(source: Record<string, unknown>): Limits {
  const limits: Limits = {
    exclusiveMinimum: source.exclusiveMinimum === true,
    exclusiveMaximum: source.exclusiveMaximum === true,
  };
  for (const name of LIMIT_NAMES) {
    const value = source[name];
    if (typeof value === "number") limits[name] = value;
  }
  return limits;
}

const readList = (list: unknown): SchemaNode[] => (Array.isArray(list) ? list.map(readSchema) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const booleanOrNothing = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];

/** The given value where it is one of the words, else the first of them, which is the API's default. */
function oneOf<Word extends string>(words: readonly [Word, ...Word[]], value: unknown): Word {
  return words.find((word) => word === value) ?? words[0];
}
