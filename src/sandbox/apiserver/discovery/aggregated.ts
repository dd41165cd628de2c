import type { Registry } from "../resources/registry.ts";
import type { Resource } from "../resources/resource.ts";
import { type ApiResource, resourceEntries, reviewEntries, subresourceEntries } from "./api-resources.ts";
import { namedGroups } from "./groups.ts";

/** `apidiscovery.k8s.io` APIGroupDiscoveryList: every group, version and resource below `/api` or `/apis` in one answer. */
export function aggregatedDiscovery(registry: Registry, root: "api" | "apis", version: string): object {
  const groups = root === "api" ? [{ name: "", versions: ["v1"] }] : namedGroups(registry);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { ...(name === "" ? {} : { name }), creationTimestamp: null },
      versions: versions.map((one) => versionEntry(registry, name, one)),
    })),
  };
}

function versionEntry(registry: Registry, group: string, version: string): object {
  const resources = registry.inGroupVersion(group, version).map((resource) => discoveryEntry(group, version, resource));
  const reviews = reviewEntries(group).map((entry) => describe(entry, group, version));
  return { version, resources: [...resources, ...reviews], freshness: "Current" };
}

function discoveryEntry(group: string, version: string, resource: Resource): object {
  const [main] = resourceEntries(resource);
  const below = subresourceEntries(resource);
  if (main === undefined) return {};
  return {
    ...describe(main, group, version),
    ...(below.length === 0 ? {} : { subresources: below.map((entry) => subresource(entry, group, version)) }),
  };
}

function describe(
  { name, singularName, namespaced, kind, verbs, shortNames, categories }: ApiResource,
  group: string,
  version: string,
): object {
  return {
    resource: name,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singularName,
    verbs,
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
  };
}

function subresource({ name, kind, verbs, ...own }: ApiResource, group: string, version: string): object {
  const responseKind = { group: own.group ?? group, version: own.version ?? version, kind };
  return { subresource: name.slice(name.indexOf("/") + 1), responseKind, verbs };
}
