/** One entry of a Status' `details.causes`: `message` is the text the API server gives, without the field in front. */
export interface FieldError {
  reason:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueNotSupported"
    | "FieldValueDuplicate"
    | "FieldValueForbidden";
  field: string;
  message: string;
}

/** A value that breaks a rule; `detail` says which. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${formatGoValue(value)}: ${detail}`, field };
}

export function required(field: string, detail = ""): FieldError {
  return {
    reason: "FieldValueRequired",
    field,
    message: detail === "" ? "Required value" : `Required value: ${detail}`,
  };
}

export function notSupported(field: string, value: unknown, supported: readonly unknown[]): FieldError {
  const list = supported.map((entry) => JSON.stringify(typeof entry === "string" ? entry : formatGoValue(entry)));
  const message = `Unsupported value: ${formatGoValue(value)}: supported values: ${list.join(", ")}`;
  return { reason: "FieldValueNotSupported", message, field };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: "FieldValueDuplicate", message: `Duplicate value: ${formatGoValue(value)}`, field };
}

export function forbidden(field: string, detail: string): FieldError {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${detail}`, field };
}

/** A JSON value as Go's field errors print it: `%q` for strings, `%v` for scalars, `%#v` for the rest. */
export function formatGoValue(value: unknown): string {
  if (value === null || value === undefined) return '"null"';
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  return formatGoSyntax(value);
}

function formatGoSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(formatGoSyntax).join(", ")}}`;
  if (typeof value !== "object") return typeof value === "string" ? JSON.stringify(value) : String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[string]interface {}{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${formatGoSyntax(entry)}`).join(", ")}}`;
}
