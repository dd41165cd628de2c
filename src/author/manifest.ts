import {
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type ParseOptions,
  parseAllDocuments,
  type Scalar,
  type SchemaOptions,
  type Tags,
  visit,
} from "yaml";
import { isObject } from "../resources/fields.ts";
import type { KubeObject } from "../resources/object.ts";
import { parseData } from "../template/index.ts";
import { type Finding, findingAt } from "./finding.ts";
import { mapScalar } from "./scalar-offsets.ts";
import type { SourceFile } from "./source-file.ts";

/** Aliases in one document; more are an attack, not a manifest. */
const MAX_ALIASES = 100;

/**
 * YAML as kubectl reads it, which is YAML 1.1 without its dates and times of day: `yes` is true, `017` is 15. Integers come
 * as bigint, for {@link toData}.
 */
export const AS_KUBECTL = {
  version: "1.1",
  customTags: (tags: Tags) =>
    tags.filter(
      (tag) => typeof tag === "string" || (tag.tag !== "tag:yaml.org,2002:timestamp" && tag.format !== "TIME"),
    ),
  intAsBigInt: true,
  prettyErrors: false,
} as const satisfies ParseOptions & DocumentOptions & SchemaOptions;

/** One object of a file, with the place of each of its fields. */
export class Manifest {
  readonly source: SourceFile;
  /** At least a JSON object with `kind` and `metadata`; nothing else is checked. Numbers are as the API server would hand them out. */
  readonly object: KubeObject;
  readonly #document: Document;
  /** Path of the object in its document: "" or `items[3]`. */
  readonly #root: string;

  constructor(source: SourceFile, document: Document, object: KubeObject, root: string) {
    this.source = source;
    this.object = isObject(object.metadata) ? object : { ...object, metadata: {} };
    this.#document = document;
    this.#root = root;
  }

  /** `Kind "namespace/name"`, for people. */
  get title(): string {
    const { namespace, name } = this.identity;
    return `${this.object.kind} "${namespace === undefined ? name : `${namespace}/${name}`}"`;
  }

  /** `namespace` is undefined where the file leaves it to kubectl. */
  get identity(): { namespace: string | undefined; name: string } {
    const { namespace, name } = this.object.metadata;
    return {
      namespace: typeof namespace === "string" && namespace !== "" ? namespace : undefined,
      name: typeof name === "string" ? name : "",
    };
  }

  /** Where the object begins. */
  get offset(): number {
    return this.offsetOf("");
  }

  /**
   * Where a field stands: `spec.templates[0].subject`, as problems name it. The nearest field around it where there is
   * no such field; its key instead of its value with `end: "key"`.
   */
  offsetOf(path: string, end: "key" | "value" = "value"): number {
    return this.#locate(path)[end];
  }

  /** The text at `path`: translates offsets in it into offsets of the file. Undefined where there is no text. */
  textAt(path: string): { value: string; offsetOf(valueOffset: number): number } | undefined {
    const { node, isWhole } = this.#locate(path);
    if (!isWhole || !isScalar(node) || typeof node.value !== "string") return undefined;
    return { value: node.value, offsetOf: mapScalar(node as Scalar, this.source.text) };
  }

  /** Words and numbers without quotes that are not what they look like: `yes` is true. */
  get surprises(): { offset: number; written: string; value: unknown }[] {
    const found: { offset: number; written: string; value: unknown }[] = [];
    const { node } = this.#locate("");
    visit(node as Node, {
      Scalar: (key, { type, value, range, source: written = "" }) => {
        const isSurprise = typeof value === "boolean" ? !/^(?:true|false)$/i.test(written) : /^[-+]?0\d/.test(written);
        if (key !== "key" && type === "PLAIN" && typeof value !== "string" && isSurprise)
          found.push({ offset: range?.[0] ?? 0, written, value });
      },
    });
    return found;
  }

  #locate(path: string): Located {
    const start = this.#document.contents?.range?.[0] ?? 0;
    const whole = [this.#root, path].filter((part) => part !== "").join(".");
    return locate(this.#document, whole, { node: this.#document.contents, key: start, value: start, isWhole: true });
  }
}

interface Located {
  node: unknown;
  /** Offsets of the key and of the value. */
  key: number;
  value: number;
  /** Whether all of the path was found. */
  isWhole: boolean;
}

/** Walks down `path` by the keys that are there, because keys may hold dots themselves. */
function locate(document: Document, path: string, at: Located): Located {
  if (path === "") return at;
  const node = isAlias(at.node) ? at.node.resolve(document) : at.node;
  if (isSeq(node)) {
    const [step = "", index = ""] = /^\[(\d+)\]\.?/.exec(path) ?? [];
    const item = node.items[Number(index)] as Node | undefined;
    if (step === "" || item === undefined || item === null) return { ...at, isWhole: false };
    const value = item.range?.[0] ?? at.value;
    return locate(document, path.slice(step.length), { node: item, key: value, value, isWhole: true });
  }
  if (!isMap(node)) return { ...at, isWhole: false };
  const found = longestKey(node.items, path);
  if (found === undefined) return { ...at, isWhole: false };
  const key = (found.pair.key as Node).range?.[0] ?? at.key;
  const value = (found.pair.value as Node | null)?.range?.[0] ?? key;
  return locate(document, path.slice(found.length), { node: found.pair.value, key, value, isWhole: true });
}

/** The pair whose key is the longest beginning of `path`, and how much of `path` that is. */
function longestKey(pairs: Pair[], path: string): { pair: Pair; length: number } | undefined {
  let best: { pair: Pair; length: number } | undefined;
  for (const pair of pairs) {
    const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
    if (key === undefined) continue;
    for (const form of [key, `["${key}"]`]) {
      const rest = path.slice(form.length);
      if (!path.startsWith(form) || !/^(?:$|[.[])/.test(rest)) continue;
      const length = form.length + (rest.startsWith(".") ? 1 : 0);
      if (best === undefined || length > best.length) best = { pair, length };
    }
  }
  return best;
}

export interface ReadManifests {
  manifests: Manifest[];
  /** What keeps documents of the file from being read. */
  findings: Finding[];
}

/** Reads the objects of a YAML or JSON file, the items of a List each on its own. Never throws. */
export function readManifests(source: SourceFile): ReadManifests {
  const result: ReadManifests = { manifests: [], findings: [] };
  try {
    for (const document of parseAllDocuments(source.text, AS_KUBECTL))
      if ("errors" in document) readDocument(source, document, result);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    result.findings.push(syntaxFinding(source, 0, "is nested too deeply: make it flatter"));
  }
  return result;
}

function readDocument(source: SourceFile, document: Document.Parsed, result: ReadManifests): void {
  for (const { message, pos } of document.errors) result.findings.push(syntaxFinding(source, pos[0], message));
  if (document.errors.length > 0 || document.contents === null) return;
  const start = document.contents.range?.[0] ?? document.range[0];
  let value: unknown;
  try {
    value = toData(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (error) {
    result.findings.push(syntaxFinding(source, start, (error as Error).message));
    return;
  }
  if (!isObject(value)) return;
  const items = value["kind"] === "List" && Array.isArray(value["items"]) ? value["items"] : undefined;
  for (const [index, item] of (items ?? [value]).entries()) {
    const root = items === undefined ? "" : `items[${index}]`;
    if (isObject(item) && typeof item["kind"] === "string")
      result.manifests.push(new Manifest(source, document, item as KubeObject, root));
  }
}

/** YAML's value as it comes back from the API server: what kubectl makes JSON of, read by the same parser. */
export function toData(value: unknown): unknown {
  const json = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? rawJson(item) : item));
  return json === undefined ? undefined : parseData(json);
}

/** ES2025's raw JSON, which Node has and TypeScript's library does not yet describe. */
function rawJson(number: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(number));
}

/** A file that may hold a Secret shows no line of it. */
function syntaxFinding(source: SourceFile, offset: number, message: string): Finding {
  const text = `YAML: ${message.split("\n")[0]}`;
  const finding = findingAt(source, offset, { severity: "error", rule: "yaml-syntax", message: text });
  if (/kind["']?\s*:\s*["']?Secret\b/.test(source.text)) delete finding.sourceLine;
  return finding;
}
