import { parse, stringify } from "yaml";
import { accessOf } from "../app/cluster-access.ts";
import { type Manifest, readManifests } from "../author/manifest.ts";
import { findTemplate, subscriptionsOf } from "../author/preview.ts";
import { SourceFile } from "../author/source-file.ts";
import type { KubeClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { KubeError } from "../kube/kube-error.ts";
import {
  LEGACY_NOTIFICATION_MESSAGE,
  NOTIFICATION_MESSAGE,
  NOTIFICATION_TEMPLATE,
  type ResourceType,
} from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { RenderOptions } from "./render-options.ts";

const TYPES: Record<string, readonly ResourceType[]> = {
  nft: [NOTIFICATION_TEMPLATE],
  nfm: [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE],
};

/** Splits `nft/NAME`; the kind's other names, as kubectl takes them, stand for its short one. @throws Error */
function parseReference(text: string): { short: string; name: string } {
  const [kind = "", name = "", ...more] = text.split("/");
  const word = kind.toLowerCase().split(".")[0] ?? "";
  const short = Object.entries(TYPES).find(
    ([key, [type]]) => word === key || word === type?.plural || word === type?.kind.toLowerCase(),
  )?.[0];
  if (short === undefined || name === "" || more.length > 0)
    throw new Error(`Cannot render "${text}": name objects of the cluster as nft/NAME or nfm/NAME, and files with -f`);
  return { short, name };
}

/**
 * Objects of the cluster as manifests, and the templates that the messages among them name unless `local` has them. Their
 * files are called as they were asked for: `nft/NAME`. @throws Error, KubeError
 */
export async function readLiveManifests(
  references: readonly string[],
  local: readonly Manifest[],
  options: RenderOptions,
): Promise<Manifest[]> {
  const asked = references.map(parseReference);
  // The body's integers must come through whole, and YAML's parser reads JSON so.
  const client = await connect({ ...accessOf(options), parse: (json) => parse(json, { intAsBigInt: true }) });
  try {
    const found: Manifest[] = [];
    for (const { short, name } of asked) found.push(await readLive(client, short, name, options.namespace));
    const templates = [...local, ...found].filter(({ object }) => object.kind === NOTIFICATION_TEMPLATE.kind);
    const wanted = found
      .filter(({ object }) => object.kind === NOTIFICATION_MESSAGE.kind)
      .flatMap(subscriptionsOf)
      .filter((name) => name !== undefined && name !== "" && !findTemplate(templates, name, options.namespace));
    for (const name of new Set(wanted)) found.push(await readLive(client, "nft", name ?? "", options.namespace));
    return found;
  } finally {
    await client.close();
  }
}

async function readLive(client: KubeClient, short: string, name: string, namespace: string): Promise<Manifest> {
  const [type] = TYPES[short] ?? [];
  for (const candidate of TYPES[short] ?? []) {
    const object = await getServed(client, candidate, { namespace, name });
    if (object !== undefined) return manifestOf(object, `${short}/${name}`);
  }
  throw new Error(
    `There is no ${type?.kind} "${name}" in namespace "${namespace}" of ${client.server}: name another with -n`,
  );
}

/** Undefined also where the kind is not served. */
async function getServed(client: KubeClient, type: ResourceType, key: { namespace: string; name: string }) {
  try {
    return await client.get(type, key);
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) return undefined;
    throw error;
  }
}

/** As `kubectl get -o yaml` shows it, so that places in it can be told. */
function manifestOf(object: KubeObject, path: string): Manifest {
  const { managedFields: _, ...metadata } = object.metadata;
  const text = stringify({ ...object, metadata }, { lineWidth: 0, version: "1.1" });
  const { manifests, findings } = readManifests(new SourceFile(path, text));
  const [manifest] = manifests;
  if (manifest === undefined) throw new Error(`Cannot read ${path}: ${findings[0]?.message}`);
  return manifest;
}
