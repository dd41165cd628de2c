import type { KubeObject } from "../../../resources/object.ts";
import type { StatusCause } from "../protocol/api-error.ts";
import type { KindRules, StoredForm } from "../resources/resource.ts";
import { invalid, required } from "../schema/field-error.ts";

type Reference = Record<string, unknown>;

/** Core name of each field, and the name that events.k8s.io gives the same thing. */
const RENAMED: readonly (readonly [string, string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];
const NOTE_LIMIT = 1024;

/** events.k8s.io/v1's view of an event, which is stored as the core group has it. */
export const EVENTS_FORM: StoredForm = {
  fromStored: (object) => rename(object, new Map(RENAMED)),
  toStored: (object) => ({
    ...rename(object, new Map(RENAMED.map(([core, other]) => [other, core]))),
    apiVersion: "v1",
  }),
};

function rename(object: KubeObject, names: ReadonlyMap<string, string>): KubeObject {
  const entries = Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value]);
  return Object.fromEntries(entries) as KubeObject;
}

/** Event, as stored: both groups' objects come here in the core form. */
export const EVENT_RULES: KindRules = {
  unconditionalUpdate: true,
  createOnUpdate: true,
  validate(object) {
    const involved = (object["involvedObject"] ?? {}) as Reference;
    const namespace = involved["namespace"] ?? "";
    const expected = namespace === "" ? "default" : namespace;
    const errors: StatusCause[] = [];
    if (object.metadata.namespace !== expected) {
      errors.push(invalid("involvedObject.namespace", namespace, "does not match event.namespace"));
    }
    return hasEventTime(object) ? [...errors, ...newStyleErrors(object)] : errors;
  },
  fields: fieldsOf,
};

function hasEventTime(object: KubeObject): boolean {
  return object["eventTime"] !== undefined && object["eventTime"] !== null;
}

/** An event with an eventTime must carry what events.k8s.io asks for. */
function newStyleErrors(object: KubeObject): StatusCause[] {
  const missing = (field: string) => object[field] === undefined || object[field] === "";
  const wanted = [
    ["reportingComponent", "reportingController"],
    ["reportingInstance", "reportingInstance"],
    ["action", "action"],
    ["reason", "reason"],
  ] as const;
  const errors = wanted.filter(([field]) => missing(field)).map(([, name]) => required(name));
  const noteBytes = Buffer.byteLength(String(object["message"] ?? ""));
  return noteBytes > NOTE_LIMIT ? [...errors, invalid("message", "", `can have at most ${NOTE_LIMIT} bytes`)] : errors;
}

function fieldsOf(object: KubeObject): Record<string, string> {
  const involved = (object["involvedObject"] ?? {}) as Reference;
  const source = (object["source"] ?? {}) as Reference;
  const names = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];
  const pairs = names.flatMap((name) => {
    const value = String(involved[name] ?? "");
    return [
      [`involvedObject.${name}`, value],
      [`regarding.${name}`, value],
    ];
  });
  return {
    ...Object.fromEntries(pairs),
    reason: String(object["reason"] ?? ""),
    reportingComponent: String(object["reportingComponent"] ?? ""),
    reportingController: String(object["reportingComponent"] ?? ""),
    source: String(source["component"] ?? object["reportingComponent"] ?? ""),
    type: String(object["type"] ?? ""),
  };
}
