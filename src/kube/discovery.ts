import type { ResourceType } from "../resources/kinds.ts";
import type { DiscoveredType, KubeClient } from "./client.ts";
import { KubeError } from "./kube-error.ts";

/** What discovery found, and the group versions (an aggregated API that is down) that did not answer. */
export interface Discovery {
  types: DiscoveredType[];
  failures: { groupVersion: string; error: KubeError }[];
}

interface GroupVersion extends Pick<ResourceType, "group" | "version"> {
  preferred: boolean;
}

interface ApiGroupList {
  groups?: {
    name: string;
    versions?: { version: string }[];
    preferredVersion?: { version?: string };
  }[];
}

interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced?: boolean; verbs?: string[]; shortNames?: string[] }[];
}

/**
 * Every group version's kinds, by the endpoints that all servers since 1.20 have (aggregated discovery is an addition).
 * @throws KubeError when the server does not even list its groups
 */
export async function discoverTypes(client: Pick<KubeClient, "raw">, signal?: AbortSignal): Promise<Discovery> {
  const discovery: Discovery = { types: [], failures: [] };
  const groupVersions = await listGroupVersions(client, signal);
  const results = await Promise.all(groupVersions.map((each) => describeGroupVersion(client, each, signal)));
  for (const [index, result] of results.entries()) {
    if (!(result instanceof KubeError)) discovery.types.push(...result);
    else discovery.failures.push({ groupVersion: rootPath(groupVersions[index] as GroupVersion), error: result });
  }
  return discovery;
}

async function listGroupVersions(client: Pick<KubeClient, "raw">, signal?: AbortSignal): Promise<GroupVersion[]> {
  const [core, named] = await Promise.all([client.raw("/api", signal), client.raw("/apis", signal)]);
  const coreVersions = (core as { versions?: string[] }).versions ?? [];
  return [
    ...coreVersions.map((version, index) => ({ group: "", version, preferred: index === 0 })),
    ...((named as ApiGroupList).groups ?? []).flatMap(({ name, versions = [], preferredVersion }) =>
      versions.map(({ version }) => ({ group: name, version, preferred: version === preferredVersion?.version })),
    ),
  ];
}

async function describeGroupVersion(
  client: Pick<KubeClient, "raw">,
  groupVersion: GroupVersion,
  signal?: AbortSignal,
): Promise<DiscoveredType[] | KubeError> {
  try {
    return typesOf(groupVersion, (await client.raw(rootPath(groupVersion), signal)) as ApiResourceList);
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
}

/** Subresources (`pods/log`) are listed among the resources; only `status` matters, as a property of its resource. */
function typesOf({ group, version, preferred }: GroupVersion, { resources = [] }: ApiResourceList): DiscoveredType[] {
  const names = new Set(resources.map(({ name }) => name));
  return resources
    .filter(({ name }) => !name.includes("/"))
    .map(({ name, kind, namespaced = false, verbs = [], shortNames = [] }) => ({
      ...{ group, version, kind, plural: name, namespaced },
      ...{ preferred, verbs, shortNames, hasStatus: names.has(`${name}/status`) },
    }));
}

function rootPath({ group, version }: GroupVersion): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}
