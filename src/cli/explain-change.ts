import { LineCounter, parseDocument } from "yaml";
import { readFiles } from "../author/manifest-files.ts";
import { rememberObject, requestForCreate, requestForDelete, requestForUpdate } from "../generator/change.ts";
import type { ServedType } from "../generator/ports.ts";
import type { ChangeRequest } from "../generator/request.ts";
import type { KubeClient } from "../kube/client.ts";
import { isObject } from "../resources/fields.ts";
import { apiVersionOf } from "../resources/kinds.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import type { ExplainOptions } from "./explain-options.ts";

/** A file or object that cannot be read, or sides that make no change: told as it is, and the exit code is 2. */
export class UnreadableChange extends Error {
  override readonly name = "UnreadableChange";
}

/** A change, and how its sides were called. `request` is undefined for a change that triggers nothing. */
export interface ExplainedChange {
  request: ChangeRequest | undefined;
  object: KubeObject;
  operation: string;
  /** `before.yaml → after.yaml` */
  origin: string;
}

interface Side {
  object: KubeObject;
  origin: string;
}

/** The change that the options describe, made of files and the cluster as the generator would see it. @throws UnreadableChange, KubeError */
export async function readChange(
  options: ExplainOptions,
  connected: () => Promise<KubeClient>,
): Promise<ExplainedChange> {
  let old = options.old === undefined ? undefined : await readSide(options.old);
  let next = options.new === undefined ? undefined : await readSide(options.new);
  let type: ServedType | undefined;
  if (options.object !== undefined) {
    if (old !== undefined && next !== undefined)
      throw new UnreadableChange("--object stands beside --old and --new: leave out the side that the cluster has");
    const live = await readLive(options, await connected());
    type = live.type;
    if (next === undefined && options.operation !== "DELETE") next = live;
    else old ??= live;
  }
  const [side] = [next, old].filter((given) => given !== undefined);
  if (side === undefined) throw new UnreadableChange("there is no object: give --old, --new, or --object");
  if (old !== undefined && next !== undefined) requireSameObject(old, next);
  const operation = options.operation ?? (old === undefined ? "CREATE" : next === undefined ? "DELETE" : "UPDATE");
  const request = requestOf(operation, { old, next }, type ?? guessType(side.object, old?.object));
  const origin = [old, next].flatMap((given) => given?.origin ?? []).join(" → ");
  return { request, object: side.object, operation: request?.operation ?? operation, origin };
}

function requestOf(
  operation: "CREATE" | "UPDATE" | "DELETE",
  { old, next }: { old: Side | undefined; next: Side | undefined },
  type: ServedType,
): ChangeRequest | undefined {
  const seen = (side: Side | undefined, flag: string) => {
    if (side === undefined) throw new UnreadableChange(`${operation} needs an object: give it with ${flag}`);
    return rememberObject(side.object);
  };
  switch (operation) {
    case "CREATE":
      return requestForCreate(seen(next, "--new"), type);
    case "DELETE":
      return requestForDelete(seen(old ?? next, "--old"), type);
    case "UPDATE":
      return requestForUpdate(seen(old, "--old"), seen(next, "--new"), type);
  }
}

function requireSameObject(old: Side, next: Side): void {
  const nameOf = ({ object: { kind, metadata } }: Side) =>
    `${kind} ${formatKey({ namespace: metadata.namespace ?? "", name: metadata.name ?? "" })}`;
  if (nameOf(old) === nameOf(next)) return;
  throw new UnreadableChange(
    `${next.origin} is ${nameOf(next)} and ${old.origin} is ${nameOf(old)}: one change is of one object`,
  );
}

/** One object of a file. */
async function readSide(path: string): Promise<Side> {
  const { sources, unreadable } = await readFiles([path]);
  const [source] = sources;
  if (source === undefined || sources.length > 1)
    throw new UnreadableChange(`Cannot read "${path}": ${unreadable[0]?.message ?? "give the one file of the object"}`);
  const lineCounter = new LineCounter();
  const document = parseDocument(source.text, { lineCounter, prettyErrors: false });
  const at = (offset: number) => `${source.path}:${lineCounter.linePos(offset).line}`;
  const [error] = document.errors;
  if (error !== undefined) throw new UnreadableChange(`${at(error.pos[0])}  YAML: ${error.message.split("\n")[0]}`);
  const object: unknown = document.toJS({ maxAliasCount: 100 });
  const start = at(document.contents?.range?.[0] ?? 0);
  if (!isKubeObject(object))
    throw new UnreadableChange(`${start}  is no Kubernetes object: it needs apiVersion, kind and metadata.name`);
  return { object, origin: source.path };
}

function isKubeObject(value: unknown): value is KubeObject {
  if (!isObject(value) || typeof value["apiVersion"] !== "string" || typeof value["kind"] !== "string") return false;
  return isObject(value["metadata"]) && typeof value["metadata"]["name"] === "string";
}

/** Without a cluster: what an object says of its own kind. */
function guessType({ apiVersion, kind, metadata, status }: KubeObject, old: KubeObject | undefined): ServedType {
  const [group = "", version] = apiVersion.split("/");
  return {
    ...(version === undefined ? { group: "", version: group } : { group, version }),
    kind,
    plural: pluralOf(kind.toLowerCase()),
    namespaced: metadata.namespace !== undefined,
    hasStatus: status !== undefined || old?.["status"] !== undefined,
    preferred: true,
    verbs: [],
  };
}

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(?:s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

async function readLive(options: ExplainOptions, client: KubeClient): Promise<Side & { type: ServedType }> {
  const { kind: wanted, object: key = { namespace: "", name: "" } } = options;
  const names = ({ kind, plural, shortNames, ...type }: Awaited<ReturnType<KubeClient["discover"]>>[number]) => [
    ...[kind, kind.toLowerCase(), plural, ...shortNames],
    `${apiVersionOf(type)}/${kind}`,
  ];
  const found = (await client.discover()).filter((type) => names(type).includes(wanted));
  const type = found.find(({ preferred }) => preferred) ?? found[0];
  if (type === undefined) throw new UnreadableChange(`${client.server} serves no kind "${wanted}": correct --kind`);
  const place = `${type.kind} ${formatKey(key)}`;
  if (type.namespaced !== (key.namespace !== ""))
    throw new UnreadableChange(`${place}: ${type.namespaced ? "give NAMESPACE/NAME" : "it has no namespace"}`);
  const object = await client.get(type, key);
  if (object === undefined) throw new UnreadableChange(`There is no ${place} in ${client.server}`);
  const { apiVersion = apiVersionOf(type), kind = type.kind } = object;
  return { object: { ...object, apiVersion, kind }, origin: `${place} of the cluster`, type };
}
