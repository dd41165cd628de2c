import type { StatusCause } from "../protocol/api-error.ts";
import type { KindRules } from "../resources/resource.ts";
import { invalid } from "../schema/field-error.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const RFC1035_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const REGEX_TEXTS = {
  label:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  "rfc1035-label":
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  subdomain:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  qualified:
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  labelValue:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
};

export function tooLong(field: string, limitBytes: number): StatusCause {
  return { reason: "FieldValueTooLong", message: `Too long: must have at most ${limitBytes} bytes`, field };
}

/** The field may not change once the object exists. */
export function immutable(field: string, value: unknown, before: unknown): StatusCause[] {
  return JSON.stringify(value) === JSON.stringify(before) ? [] : [invalid(field, value ?? null, "field is immutable")];
}

/** Why a name is none, one text each; empty when it is one. */
export function nameProblems(name: string, rule: NonNullable<KindRules["names"]>): string[] {
  if (rule === "path-segment") return pathSegmentProblems(name);
  const limit = rule === "subdomain" ? 253 : 63;
  const pattern = { label: LABEL, subdomain: SUBDOMAIN, "rfc1035-label": RFC1035_LABEL }[rule];
  return [
    ...(name.length > limit ? [`must be no more than ${limit} characters`] : []),
    ...(pattern.test(name) ? [] : [REGEX_TEXTS[rule]]),
  ];
}

function pathSegmentProblems(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
}

/** Labels as a real server checks them: qualified names, values of at most 63 characters. */
export function labelErrors(labels: Record<string, string>, field: string): StatusCause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((why) => invalid(field, key, why)),
    ...(value.length > 63 ? [invalid(field, value, "must be no more than 63 characters")] : []),
    ...(LABEL_VALUE.test(value) ? [] : [invalid(field, value, REGEX_TEXTS.labelValue)]),
  ]);
}

export function qualifiedNameProblems(key: string): string[] {
  const slash = key.indexOf("/");
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  return [
    ...(prefix === "" ? ["prefix part must be non-empty"] : []),
    ...(prefix ? nameProblems(prefix, "subdomain").map((why) => `prefix part ${why}`) : []),
    ...(name === "" ? ["name part must be non-empty"] : []),
    ...(name.length > 63 ? ["name part must be no more than 63 characters"] : []),
    ...(QUALIFIED_NAME.test(name) ? [] : [REGEX_TEXTS.qualified]),
  ];
}
