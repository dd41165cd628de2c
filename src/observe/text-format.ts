/** How the text format prints a record's fields: as the guide's courier-api does, or as Kyverno's controllers do. */
export type FieldStyle = "object" | "pairs";

/**
 * A record as a line for people: time, level, the NotificationMessage it is about, what happened, fields. The lines
 * of a `trace` follow, indented, so that none of them can pass for a record.
 */
export function formatTextLine(record: Readonly<Record<string, unknown>>, fieldStyle: FieldStyle): string {
  const { level, ts, msg, message, trace, ...fields } = record;
  const printed = fieldStyle === "object" ? printObject(fields) : printPairs(fields);
  const about = message === undefined ? "" : `[${oneLine(String(message))}] `;
  const text = `${about}${oneLine(String(msg ?? ""))}`;
  const line = `${ts} ${String(level).toUpperCase().padEnd(5)} ${text}${printed === "" ? "" : ` ${printed}`}`;
  const below = Array.isArray(trace) ? trace.map((item) => `    ${oneLine(String(item))}`) : [];
  return [line, ...below].map((each) => `${escapeHidden(each)}\n`).join("");
}

/** What JSON leaves as it is though a terminal obeys it, or shows the line otherwise for it: C1 controls, bidi, line ends. */
function escapeHidden(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (hidden) => `\\u${hidden.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `{"from": ["a"], "status":{…}}`: scalars and lists spaced as zap prints them, objects compact as the guide shows them. */
function printObject(fields: Record<string, unknown>): string {
  const entries = Object.entries(fields).map(([key, value]) => {
    if (Array.isArray(value))
      return `${JSON.stringify(key)}: [${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    const gap = typeof value === "object" && value !== null ? "" : " ";
    return `${JSON.stringify(key)}:${gap}${JSON.stringify(value)}`;
  });
  return entries.length === 0 ? "" : `{${entries.join(", ")}}`;
}

/** `target=v1/ConfigMap/a/b rule=r`: words as they are, anything with a blank or a quote in quotes. */
function printPairs(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([key, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `${key}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
    })
    .join(" ");
}

/** A message that came from outside must not forge a second line. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ");
}
