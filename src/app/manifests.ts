import { readdir, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { DiscoveredType, KubeClient } from "../kube/client.ts";
import { apiVersionOf, type ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";

/** One object that was applied, as kubectl prints it: `configmap/app-notification-source created`. */
export interface Applied {
  object: KubeObject;
  line: string;
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Applies objects, or the repository's own manifest files and directories, as `kubectl apply` does: what is there is
 * merged into, what is not is created. Kinds that a CustomResourceDefinition of the same list brings are known by then.
 */
export async function applyManifests(
  client: KubeClient,
  manifests: readonly (string | KubeObject)[],
  signal?: AbortSignal,
): Promise<Applied[]> {
  const objects = await Promise.all(
    manifests.map(async (manifest) => (typeof manifest === "string" ? readManifests(manifest) : [manifest])),
  );
  const applied: Applied[] = [];
  let types: DiscoveredType[] | undefined;
  for (const object of objects.flat()) {
    let type = findType(types, object);
    if (type === undefined) {
      types = await client.discover(signal); // a CRD of this very list may have brought it
      type = findType(types, object);
    }
    if (type === undefined) throw new Error(`Cannot apply ${object.kind}: ${object.apiVersion} is not served`);
    applied.push(await applyObject(client, type, object, signal));
  }
  return applied;
}

/** The objects in a YAML file, or in a directory's YAML files but its kustomization. Paths are the repository's. */
export async function readManifests(path: string): Promise<KubeObject[]> {
  const url = new URL(`../../${path}`, import.meta.url);
  if ((await stat(url)).isDirectory()) {
    const names = (await readdir(url)).filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml");
    return (await Promise.all(names.sort().map((name) => readManifests(`${path}/${name}`)))).flat();
  }
  return parseAllDocuments(await readFile(fileURLToPath(url), "utf8")).map((document) => document.toJS() as KubeObject);
}

function findType(types: DiscoveredType[] | undefined, { apiVersion, kind }: KubeObject): ResourceType | undefined {
  return types?.find((type) => type.kind === kind && apiVersionOf(type) === apiVersion);
}

async function applyObject(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
  signal?: AbortSignal,
): Promise<Applied> {
  const key = { namespace: object.metadata.namespace ?? "", name: object.metadata.name ?? "" };
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED]: `${JSON.stringify(object)}\n` };
  const annotated = { ...object, metadata: { ...object.metadata, annotations } };
  const existing = await client.get(type, key, signal);
  const result =
    existing === undefined
      ? await client.create(type, annotated, signal)
      : await client.mergePatch(type, key, annotated, {}, signal);
  const verb = existing === undefined ? "created" : "configured";
  const name = `${type.kind.toLowerCase()}${type.group === "" ? "" : `.${type.group}`}/${key.name}`;
  return { object: result, line: `${name} ${verb}` };
}
