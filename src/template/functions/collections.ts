import { byteLength, fromBytes, toBytes } from "../byte-string.ts";
import { formatValue } from "../format/printer.ts";
import {
  charactersOf,
  entry,
  GoNumber,
  int,
  isInteger,
  isList,
  isMap,
  kindOf,
  SafeHtml,
  toBigInt,
  truth,
  typeName,
  type Value,
} from "../values.ts";
import { type CallInfo, FunctionError, type GoFunction } from "./function.ts";

const missing = (value: Value): boolean => kindOf(value) === "missing";

/** `len`, `index`, `slice`, `not`, `and`, `or` and `call`: package text/template's functions on values. */
export const collectionFunctions: Record<string, GoFunction> = {
  len: { parameters: ["value"], call: ([value]) => int(length(value)) },
  index: { parameters: ["value"], variadic: "value", call: ([item, ...indexes]) => index(item, indexes) },
  slice: { parameters: ["value"], variadic: "value", call: ([item, ...indexes], info) => slice(item, indexes, info) },
  not: { parameters: ["value"], call: ([value]) => !truth(value) },
  call: { parameters: ["value"], variadic: "value", call: ([callee], info) => refuseCall(callee, info) },
};

function length(value: Value): number {
  const text = charactersOf(value);
  if (text !== undefined) return byteLength(text);
  if (isList(value)) return value.length;
  if (missing(value)) throw new FunctionError("reflect: call of reflect.Value.Type on zero Value");
  if (value === null) throw new FunctionError("len of nil pointer");
  if (isMap(value)) return Object.keys(value).length;
  throw new FunctionError(`len of type ${typeName(value)}`);
}

function index(item: Value, indexes: Value[]): Value {
  if (item === null || missing(item)) throw new FunctionError("index of untyped nil");
  let current: Value = item;
  for (const key of indexes) {
    if (current === null || missing(current)) throw new FunctionError("index of nil pointer");
    current = element(current, key);
  }
  return current;
}

function element(item: Value, key: Value): Value {
  const text = charactersOf(item);
  if (text !== undefined) return byteAt(toBytes(text), key);
  if (isList(item)) {
    const at = position(key, item.length);
    if (at === item.length) throw new FunctionError("reflect: slice index out of range");
    return item[at];
  }
  if (!isMap(item)) throw new FunctionError(`can't index item of type ${typeName(item)}`);
  if (typeof key === "string") return entry(item, key);
  if (key === null || missing(key)) throw new FunctionError("value is nil; should be of type string");
  throw new FunctionError(`value has type ${typeName(key)}; should be string`);
}

function byteAt(bytes: Buffer, key: Value): Value {
  const at = position(key, bytes.length);
  if (at === bytes.length) throw new FunctionError("reflect: string index out of range");
  return new GoNumber("uint8", bytes[at] ?? 0);
}

/** An index into something of `limit` elements; `limit` itself passes, as in Go. */
function position(key: Value, limit: number): number {
  if (key === null || missing(key)) throw new FunctionError("cannot index slice/array with nil");
  if (!isInteger(key)) throw new FunctionError(`cannot index slice/array with type ${typeName(key)}`);
  const at = toBigInt(key);
  if (at < 0n || at > BigInt(limit)) throw new FunctionError(`index out of range: ${at}`);
  return Number(at);
}

function slice(item: Value, indexes: Value[], info: CallInfo): Value {
  if (item === null || missing(item)) throw new FunctionError("slice of untyped nil");
  if (indexes.length > 3) throw new FunctionError(`too many slice indexes: ${indexes.length}`);
  const text = charactersOf(item);
  if (text !== undefined && indexes.length === 3) throw new FunctionError("cannot 3-index slice a string");
  if (text === undefined && !isList(item)) throw new FunctionError(`can't slice item of type ${typeName(item)}`);
  const bytes = text === undefined ? undefined : toBytes(text);
  const size = bytes?.length ?? (item as Value[]).length;
  const bounds = [0, size, size];
  for (const [at, key] of indexes.entries()) {
    if (info.isInterface(at + 1)) throw new FunctionError("cannot index slice/array with type interface {}");
    bounds[at] = position(key, size);
  }
  const [low = 0, high = 0, cap = 0] = bounds;
  if (low > high) throw new FunctionError(`invalid slice index: ${low} > ${high}`);
  if (indexes.length === 3 && high > cap) throw new FunctionError(`invalid slice index: ${high} > ${cap}`);
  if (bytes === undefined) return (item as Value[]).slice(low, high);
  const part = fromBytes(bytes.subarray(low, high));
  return item instanceof SafeHtml ? new SafeHtml(part) : part;
}

/** No data holds a function, so every `call` fails, each in its own way. */
function refuseCall(callee: Value, info: CallInfo): never {
  if (callee === null || missing(callee)) throw new FunctionError("call of nil");
  throw new FunctionError(`non-function ${info.argumentTexts()[0] ?? formatValue(callee)} of type ${typeName(callee)}`);
}
