import { isMap, parseDocument } from "yaml";
import { type Finding, findingAt } from "../author/finding.ts";
import { AS_KUBECTL, toData } from "../author/manifest.ts";
import { readFiles } from "../author/manifest-files.ts";
import { type Fields, isObject } from "../resources/fields.ts";
import type { DataChange } from "./render-options.ts";

/** What `--data` and `--set` make of a message's body, or what is wrong with the file of `--data`. */
export type BodyChange = { change(body: unknown): unknown } | { finding: Finding };

/** @throws Error when `file` cannot be read */
export async function readBodyChange(file: string | undefined, changes: readonly DataChange[]): Promise<BodyChange> {
  const data = file === undefined ? undefined : await readData(file);
  if (data !== undefined && "finding" in data) return data;
  return { change: (body) => changes.reduce(setText, data === undefined ? body : data.value) };
}

async function readData(file: string): Promise<{ value: unknown } | { finding: Finding }> {
  const { sources, unreadable } = await readFiles([file]);
  const [source] = sources;
  if (source === undefined) throw new Error(`Cannot read "${file}": ${unreadable[0]?.message}`);
  const document = parseDocument(source.text, AS_KUBECTL);
  const [error] = document.errors;
  const fail = (offset: number, message: string) => ({
    finding: findingAt(source, offset, { severity: "error", rule: "yaml-syntax", message }),
  });
  if (error !== undefined) return fail(error.pos[0], `YAML: ${error.message}`);
  if (document.contents !== null && !isMap(document.contents))
    return fail(document.contents.range?.[0] ?? 0, "the data must be an object, such as {labels: {name: payment}}");
  try {
    return { value: toData(document.toJS({ maxAliasCount: 100 })) ?? {} };
  } catch (cause) {
    return fail(0, (cause as Error).message);
  }
}

/** A copy of `body` with one text put at a path; what is no object on the way becomes one. */
function setText(body: unknown, { path: [key = "", ...rest], value }: DataChange): Fields {
  const before = isObject(body) ? body : {};
  const inner = Object.hasOwn(before, key) ? before[key] : undefined;
  const entries = Object.entries(before).filter(([name]) => name !== key);
  return Object.fromEntries([...entries, [key, rest.length === 0 ? value : setText(inner, { path: rest, value })]]);
}
