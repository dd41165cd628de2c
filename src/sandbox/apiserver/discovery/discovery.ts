import { parseAccept } from "../protocol/accept.ts";
import { type Answer, json } from "../protocol/answer.ts";
import { resourceNotFound } from "../protocol/api-error.ts";
import type { Registry } from "../resources/registry.ts";
import { aggregatedDiscovery } from "./aggregated.ts";
import { resourceEntries, reviewEntries } from "./api-resources.ts";
import { namedGroups, type ServedGroup } from "./groups.ts";

/** GET of `/api`, `/apis`, `/api/v1`, `/apis/GROUP` or `/apis/GROUP/VERSION`; undefined for any other path. */
export function discover(registry: Registry, segments: readonly string[], accept: string): Answer | undefined {
  const [root, group, version, ...rest] = segments;
  if (rest.length > 0) return undefined;
  if (root === "api" && version === undefined) return coreDiscovery(registry, group, accept);
  if (root !== "apis") return undefined;
  if (group === undefined) return aggregatedOr(registry, "apis", accept, () => groupList(registry));
  const served = namedGroups(registry).find(({ name }) => name === group);
  if (served === undefined) return undefined;
  if (version === undefined) return json({ kind: "APIGroup", apiVersion: "v1", ...groupEntry(served) });
  if (!served.versions.includes(version)) throw resourceNotFound();
  return json(resourceList(registry, group, version));
}

function coreDiscovery(registry: Registry, version: string | undefined, accept: string): Answer | undefined {
  if (version === undefined) {
    return aggregatedOr(registry, "api", accept, () => ({
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [],
    }));
  }
  return version === "v1" ? json(resourceList(registry, "", "v1")) : undefined;
}

function groupList(registry: Registry): object {
  return { kind: "APIGroupList", apiVersion: "v1", groups: namedGroups(registry).map(groupEntry) };
}

function groupEntry({ name, versions }: ServedGroup): object {
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

function resourceList(registry: Registry, group: string, version: string): object {
  const resources = [...registry.inGroupVersion(group, version).flatMap(resourceEntries), ...reviewEntries(group)];
  const groupVersion = group === "" ? version : `${group}/${version}`;
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

/** Newer clients ask for everything at once (`as=APIGroupDiscoveryList`), before plain JSON. */
function aggregatedOr(registry: Registry, root: "api" | "apis", accept: string, plain: () => object): Answer {
  const wanted = parseAccept(accept).find(
    ({ type, parameters }) =>
      type === "application/json" &&
      parameters.get("as") === "APIGroupDiscoveryList" &&
      parameters.get("g") === "apidiscovery.k8s.io" &&
      ["v2", "v2beta1"].includes(parameters.get("v") ?? ""),
  );
  const version = wanted?.parameters.get("v");
  if (version === undefined) return json(plain());
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return { code: 200, body: { text: JSON.stringify(aggregatedDiscovery(registry, root, version)), type } };
}
