import { isObject } from "../resources/fields.ts";
import type { ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { formatImageName, parseImageName } from "./image-name.ts";
import type { JsonObject } from "./jmespath/values.ts";

const TEMPLATE = ["spec", "template", "spec"];
/** Where the kinds that run containers have their pod's spec. */
const POD_SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ["/Pod", ["spec"]],
  ["/ReplicationController", TEMPLATE],
  ...["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"].map((kind) => [`apps/${kind}`, TEMPLATE] as const),
  ["batch/Job", TEMPLATE],
  ["batch/CronJob", ["spec", "jobTemplate", ...TEMPLATE]],
]);
const LISTS = ["containers", "initContainers", "ephemeralContainers"];

/**
 * Kyverno's `images` of a Pod or of what makes Pods: by list and container, the parts of the image's name. Undefined for
 * other kinds. A container whose image has no readable name is left out, so that only expressions that ask for it fail.
 */
export function imagesOf(
  { group, kind }: Pick<ResourceType, "group" | "kind">,
  object: KubeObject,
): JsonObject | undefined {
  const path = POD_SPECS.get(`${group}/${kind}`);
  if (path === undefined) return undefined;
  const spec = path.reduce<unknown>((value, field) => (isObject(value) ? value[field] : undefined), object);
  const images: JsonObject = {};
  for (const list of LISTS) {
    const containers = isObject(spec) ? spec[list] : undefined;
    if (!Array.isArray(containers)) continue;
    const pointer = `/${[...path, list].join("/")}`;
    const entries = containers.flatMap((item: unknown, index) => entryOf(item, `${pointer}/${index}/image`));
    if (entries.length > 0) images[list] = Object.fromEntries(entries);
  }
  return images;
}

function entryOf(container: unknown, jsonPointer: string): [string, JsonObject][] {
  if (!isObject(container) || typeof container["image"] !== "string") return [];
  const image = parseImageName(container["image"]);
  if (image === undefined) return [];
  const { registry, path, tag, digest } = image;
  const name = path.split("/").at(-1) ?? "";
  const referenceWithTag = `${registry}/${path}${tag === "" ? "" : `:${tag}`}`;
  const parts = { registry, path, name, tag, digest, reference: formatImageName(image), referenceWithTag, jsonPointer };
  return [[String(container["name"] ?? ""), parts]];
}
