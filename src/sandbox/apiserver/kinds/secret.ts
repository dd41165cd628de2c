import type { KubeObject } from "../../../resources/object.ts";
import type { StatusCause } from "../protocol/api-error.ts";
import type { KindRules } from "../resources/resource.ts";
import { forbidden, invalid, required } from "../schema/field-error.ts";
import { dropEmpty } from "./empty.ts";
import { immutable, tooLong } from "./names.ts";

const KEY = /^[-._a-zA-Z0-9]+$/;
const MAX_KEY = 253;
const MAX_BYTES = 1024 * 1024;
const KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/** Keys that a Secret of a well-known type must hold. */
const REQUIRED_KEYS: Readonly<Record<string, string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

type Values = Record<string, string>;

/** Secret: `stringData` becomes `data`, the type defaults to Opaque and never changes. */
export const SECRET_RULES: KindRules = {
  unconditionalUpdate: true,
  prepare(draft) {
    const { stringData, ...rest } = (draft as { stringData?: Values }) ?? {};
    if (stringData !== undefined && stringData !== null) {
      const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
      draft["data"] = { ...(rest as { data?: Values }).data, ...Object.fromEntries(encoded) };
    }
    delete draft["stringData"];
    draft["type"] ||= "Opaque";
    dropEmpty(draft, ["data"]);
  },
  validate(object, live) {
    const data = (object["data"] ?? {}) as Values;
    const errors = [...keyErrors(data, "data"), ...sizeErrors(data), ...requiredKeyErrors(object, data)];
    if (live === undefined) return errors;
    return [...immutable("type", object["type"], live["type"]), ...frozenErrors(object, live, ["data"]), ...errors];
  },
  fields: (object) => ({ type: String(object["type"] ?? "") }),
};

/** ConfigMap: keys as a Secret's, of which none may be in both `data` and `binaryData`. */
export const CONFIG_MAP_RULES: KindRules = {
  unconditionalUpdate: true,
  prepare: (draft) => dropEmpty(draft, ["data", "binaryData"]),
  validate(object, live) {
    const data = (object["data"] ?? {}) as Values;
    const binaryData = (object["binaryData"] ?? {}) as Values;
    const twice = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key));
    const errors = [
      ...keyErrors(data, "data"),
      ...twice.map((key) => invalid(`data[${key}]`, key, "duplicate of key present in binaryData")),
      ...keyErrors(binaryData, "binaryData"),
      ...sizeErrors({ ...data, ...binaryData }, "[]"), // the API server has no name for both together
    ];
    return live === undefined ? errors : [...frozenErrors(object, live, ["data", "binaryData"]), ...errors];
  },
};

function keyErrors(values: Values, field: string): StatusCause[] {
  return Object.keys(values).flatMap((key) => {
    const where = `${field}[${key}]`;
    if (key.length > MAX_KEY) return [invalid(where, key, `must be no more than ${MAX_KEY} characters`)];
    if (key === "." || key === "..") return [invalid(where, key, `must not be '${key}'`)];
    if (key.startsWith("..")) return [invalid(where, key, "must not start with '..'")];
    return KEY.test(key) ? [] : [invalid(where, key, KEY_TEXT)];
  });
}

function sizeErrors(values: Values, field = "data"): StatusCause[] {
  const bytes = Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  return bytes > MAX_BYTES * (field === "data" ? 4 / 3 : 1) ? [tooLong(field, MAX_BYTES)] : [];
}

function requiredKeyErrors(object: KubeObject, data: Values): StatusCause[] {
  const keys = REQUIRED_KEYS[String(object["type"])] ?? [];
  return keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(`data[${key}]`));
}

/** `immutable: true` freezes the contents, and cannot be taken back. */
function frozenErrors(object: KubeObject, live: KubeObject, fields: string[]): StatusCause[] {
  if (live["immutable"] !== true) return [];
  const why = "field is immutable when `immutable` is set";
  const changed = fields.filter((field) => JSON.stringify(object[field] ?? {}) !== JSON.stringify(live[field] ?? {}));
  const unset = object["immutable"] === true ? [] : ["immutable"];
  return [...unset, ...changed].map((field) => forbidden(field, why));
}
