import { type FieldInfo, messageFields } from "./messages.ts";
import { readFields, type WireField } from "./reader.ts";

type Fields = Record<string, unknown>;

/** The four bytes in front of every Kubernetes object in protobuf, whose rest is a runtime.Unknown. */
const MAGIC = Buffer.from("k8s\0");
const MAX_DEPTH = 64;

/** Package of the messages of each API version. */
const PACKAGES: Readonly<Record<string, string>> = {
  v1: "core.v1",
  "apps/v1": "apps.v1",
  "authentication.k8s.io/v1": "authentication.v1",
  "authorization.k8s.io/v1": "authorization.v1",
  "coordination.k8s.io/v1": "coordination.v1",
  "events.k8s.io/v1": "events.v1",
  "networking.k8s.io/v1": "networking.v1",
  "policy/v1": "policy.v1",
  "rbac.authorization.k8s.io/v1": "rbac.v1",
};

/**
 * Decodes an object as newer kubectls send built-in kinds (`application/vnd.kubernetes.protobuf`) to what its JSON
 * would have been. @throws SyntaxError for other bytes, and for kinds whose messages are not known
 */
export function decodeObject(bytes: Uint8Array): Fields {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length)))
    throw new SyntaxError("provided data does not appear to be a protobuf message");
  const envelope = readFields(bytes.subarray(MAGIC.length));
  const [apiVersion = "", kind = ""] = [1, 2].map((number) => textOf(nested(envelope, 1), number));
  const name = kind === "DeleteOptions" ? "apis.meta.v1.DeleteOptions" : `${PACKAGES[apiVersion] ?? ""}.${kind}`;
  if (messageFields(name) === undefined)
    throw new SyntaxError(`no protobuf message is known for ${kind} in ${apiVersion}`);
  const raw = envelope.find(({ number }) => number === 2)?.value;
  return { apiVersion, kind, ...decodeMessage(raw instanceof Uint8Array ? raw : new Uint8Array(), name, 0) };
}

function nested(fields: readonly WireField[], number: number): WireField[] {
  const value = fields.find((field) => field.number === number)?.value;
  return value instanceof Uint8Array ? readFields(value) : [];
}

function textOf(fields: readonly WireField[], number: number): string {
  const value = fields.find((field) => field.number === number)?.value;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : "";
}

function decodeMessage(bytes: Uint8Array, name: string, depth: number): Fields {
  if (depth > MAX_DEPTH) throw new SyntaxError("proto: message is nested too deeply");
  const infos = messageFields(name);
  const target = new Map<string, unknown>();
  for (const field of readFields(bytes)) {
    const info = infos?.get(field.number);
    if (info !== undefined) place(target, info, field.value, depth);
  }
  return Object.fromEntries(target); // own properties, whatever their names
}

function place(target: Map<string, unknown>, info: FieldInfo, wire: WireField["value"], depth: number): void {
  if (info.map) {
    const [key, value] = decodeEntry(wire, info.type, depth);
    target.set(
      info.name,
      Object.fromEntries([...Object.entries((target.get(info.name) ?? {}) as Fields), [key, value]]),
    );
    return;
  }
  const value = decodeValue(wire, info.type, depth);
  if (info.inline) {
    for (const [name, inner] of Object.entries(value as Fields)) target.set(name, inner);
  } else if (info.repeated) {
    target.set(info.name, [...((target.get(info.name) ?? []) as unknown[]), value]);
  } else if (value !== undefined && (info.pointer || !isZero(value))) {
    target.set(info.name, value);
  }
}

/** Go writes every field that is no pointer, set or not; its JSON leaves the empty ones out. */
function isZero(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}

function decodeEntry(wire: WireField["value"], type: string, depth: number): [string, unknown] {
  const fields = wire instanceof Uint8Array ? readFields(wire) : [];
  const value = fields.find(({ number }) => number === 2)?.value ?? new Uint8Array();
  return [textOf(fields, 1), decodeValue(value, type, depth)];
}

function decodeValue(wire: WireField["value"], type: string, depth: number): unknown {
  if (typeof wire === "bigint") return type === "bool" ? wire !== 0n : Number(wire);
  switch (type) {
    case "string":
      return Buffer.from(wire).toString();
    case "bytes":
      return Buffer.from(wire).toString("base64");
    case "double":
      return Buffer.from(wire).readDoubleLE();
    default: {
      const known = KNOWN.get(type.slice(type.lastIndexOf(".") + 1));
      return known === undefined ? decodeMessage(wire, type, depth + 1) : known(readFields(wire));
    }
  }
}

/** Messages whose JSON is not an object of their fields, by their last name. Undefined is what no time is. */
const KNOWN: ReadonlyMap<string, (fields: readonly WireField[]) => unknown> = new Map([
  ["Time", (fields) => decodeTime(fields, false)],
  ["MicroTime", (fields) => decodeTime(fields, true)],
  ["Quantity", (fields) => textOf(fields, 1)],
  ["IntOrString", (fields) => (numberOf(fields, 1) === 1 ? textOf(fields, 3) : numberOf(fields, 2))],
  ["FieldsV1", (fields) => JSON.parse(textOf(fields, 1) || "{}") as unknown],
  ["RawExtension", (fields) => JSON.parse(textOf(fields, 1) || "{}") as unknown],
  ["ExtraValue", (fields) => fields.map((_, index) => textOf(fields.slice(index), 1))],
]);

function numberOf(fields: readonly WireField[], number: number): number {
  const value = fields.find((field) => field.number === number)?.value;
  return typeof value === "bigint" ? Number(value) : 0;
}

function decodeTime(fields: readonly WireField[], micro: boolean): string | undefined {
  if (fields.length === 0) return undefined;
  const seconds = new Date(numberOf(fields, 1) * 1000).toISOString().slice(0, -5);
  const fraction = micro ? `.${String(Math.floor(numberOf(fields, 2) / 1000)).padStart(6, "0")}` : "";
  return `${seconds}${fraction}Z`;
}
