// Field numbers of Kubernetes 1.32's protobuf messages for the kinds served here, from the generated.proto files of
// k8s.io/api and k8s.io/apimachinery. Each message is one text: `NUMBER:NAME:TYPE` and flags, apart by blanks.
import messages from "./kubernetes-messages.json" with { type: "json" };

/** What a field number means. */
export interface FieldInfo {
  name: string;
  /** A scalar of protobuf, or the name of a message. */
  type: string;
  repeated: boolean;
  map: boolean;
  /** A pointer in Go: present on the wire only when it was set, so that zero means zero. */
  pointer: boolean;
  /** The message's fields stand in JSON where the message itself would. */
  inline: boolean;
}

const TEXTS = messages as Readonly<Record<string, string>>;
const parsed = new Map<string, ReadonlyMap<number, FieldInfo>>();

/** The fields of a message by number, or undefined for an unknown message. */
export function messageFields(name: string): ReadonlyMap<number, FieldInfo> | undefined {
  const known = parsed.get(name);
  if (known !== undefined || !Object.hasOwn(TEXTS, name)) return known;
  const fields = new Map((TEXTS[name] ?? "").split(" ").filter(Boolean).map(parseField));
  parsed.set(name, fields);
  return fields;
}

function parseField(text: string): [number, FieldInfo] {
  const [number = "", name = "", typed = ""] = text.split(":");
  const type = typed.replace(/[^\w.]+$/, "");
  const flags = typed.slice(type.length);
  const has = (flag: string): boolean => flags.includes(flag);
  return [Number(number), { name, type, repeated: has("*"), map: has("%"), pointer: has("?"), inline: has("<") }];
}
