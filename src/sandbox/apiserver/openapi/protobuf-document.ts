import { ProtobufWriter } from "./protobuf.ts";
import type { OpenApiV2 } from "./v2.ts";

// Field numbers: message types of openapi.v2 in github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto.

type Fields = Record<string, unknown>;

/** An OpenAPI v2 document as kubectl downloads it: gnostic's protobuf form. */
export function encodeDocument({ swagger, info, paths, definitions }: OpenApiV2): Uint8Array {
  return new ProtobufWriter()
    .field(1, swagger)
    .field(2, new ProtobufWriter().field(1, info.title).field(2, info.version))
    .field(8, named(2, paths, encodePathItem))
    .field(9, named(1, definitions, encodeSchema))
    .finish();
}

/** A map as gnostic has it: repeated entries of name and value under one field number. */
function named(field: number, entries: object, encode: (value: Fields) => ProtobufWriter): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const [name, value] of Object.entries(entries)) {
    writer.field(field, new ProtobufWriter().field(1, name).field(2, encode(value as Fields)));
  }
  return writer;
}

const METHOD_FIELDS: readonly (readonly [string, number])[] = [
  ["get", 2],
  ["put", 3],
  ["post", 4],
  ["delete", 5],
  ["patch", 8],
];

function encodePathItem(item: Fields): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const [method, field] of METHOD_FIELDS) {
    if (item[method] !== undefined) writer.field(field, encodeOperation(item[method] as Fields));
  }
  return writer;
}

function encodeOperation(operation: Fields): ProtobufWriter {
  const writer = new ProtobufWriter().field(5, String(operation["operationId"]));
  for (const parameter of operation["parameters"] as Fields[]) writer.field(8, encodeQueryParameter(parameter));
  writer.field(9, named(1, operation["responses"] as object, encodeResponse));
  return encodeExtensions(writer, 13, operation);
}

/** ParametersItem → Parameter → NonBodyParameter → QueryParameterSubSchema. */
function encodeQueryParameter({ name, type }: Fields): ProtobufWriter {
  const query = new ProtobufWriter().field(2, "query").field(4, String(name)).field(6, String(type)).number(20, true);
  const nonBody = new ProtobufWriter().field(3, query);
  return new ProtobufWriter().field(1, new ProtobufWriter().field(2, nonBody));
}

/** ResponseValue → Response → SchemaItem → Schema. */
function encodeResponse({ description, schema }: Fields): ProtobufWriter {
  const item = new ProtobufWriter().field(1, encodeSchema(schema as Fields));
  return new ProtobufWriter().field(1, new ProtobufWriter().field(1, String(description)).field(2, item));
}

type Encoder = (writer: ProtobufWriter, value: unknown) => ProtobufWriter;

const text =
  (field: number): Encoder =>
  (writer, value) =>
    writer.field(field, String(value));
const whole =
  (field: number): Encoder =>
  (writer, value) =>
    writer.number(field, Math.max(0, Number(value)));
const double =
  (field: number): Encoder =>
  (writer, value) =>
    writer.double(field, Number(value));
const any =
  (field: number): Encoder =>
  (writer, value) =>
    writer.field(field, encodeAny(value));
const schemas =
  (field: number): Encoder =>
  (writer, value) =>
    (value as Fields[]).reduce((all, one) => all.field(field, encodeSchema(one)), writer);
const each =
  (encoder: Encoder): Encoder =>
  (writer, values) =>
    (values as unknown[]).reduce<ProtobufWriter>((all, one) => encoder(all, one), writer);

/** Keyword of a schema → its field in the Schema message. */
const KEYWORDS: ReadonlyMap<string, Encoder> = new Map([
  ["$ref", text(1)],
  ["format", text(2)],
  ["title", text(3)],
  ["description", text(4)],
  ["default", any(5)],
  ["multipleOf", double(6)],
  ["maximum", double(7)],
  ["exclusiveMaximum", whole(8)],
  ["minimum", double(9)],
  ["exclusiveMinimum", whole(10)],
  ["maxLength", whole(11)],
  ["minLength", whole(12)],
  ["pattern", text(13)],
  ["maxItems", whole(14)],
  ["minItems", whole(15)],
  ["uniqueItems", whole(16)],
  ["maxProperties", whole(17)],
  ["minProperties", whole(18)],
  ["required", each(text(19))],
  ["enum", each(any(20))],
  ["additionalProperties", encodeAdditional],
  ["type", (writer, value) => writer.field(22, new ProtobufWriter().field(1, String(value)))],
  ["items", (writer, value) => writer.field(23, new ProtobufWriter().field(1, encodeSchema(value as Fields)))],
  ["allOf", schemas(24)],
  ["properties", (writer, value) => writer.field(25, named(1, value as object, encodeSchema))],
]);

function encodeAdditional(writer: ProtobufWriter, value: unknown): ProtobufWriter {
  const item = new ProtobufWriter();
  return writer.field(
    21,
    typeof value === "boolean" ? item.number(2, value) : item.field(1, encodeSchema(value as Fields)),
  );
}

function encodeSchema(schema: Fields): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const [keyword, value] of Object.entries(schema)) KEYWORDS.get(keyword)?.(writer, value);
  return encodeExtensions(writer, 31, schema);
}

/** `x-…` keywords, as NamedAny with the value as YAML, of which JSON is a part. */
function encodeExtensions(writer: ProtobufWriter, field: number, source: Fields): ProtobufWriter {
  for (const [name, value] of Object.entries(source)) {
    if (name.startsWith("x-")) writer.field(field, new ProtobufWriter().field(1, name).field(2, encodeAny(value)));
  }
  return writer;
}

function encodeAny(value: unknown): ProtobufWriter {
  return new ProtobufWriter().field(2, JSON.stringify(value));
}
