import type { Resource } from "../resources/resource.ts";
import { REVIEWS } from "../verbs/reviews.ts";

/** One entry of an APIResourceList. */
export interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
}

const ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS = ["get", "patch", "update"];

/** A resource and its subresources, each as discovery lists it. */
export function resourceEntries(resource: Resource): ApiResource[] {
  return [mainEntry(resource), ...subresourceEntries(resource)];
}

function mainEntry({ plural, singular, namespaced, kind, shortNames, categories }: Resource): ApiResource {
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: plural === "namespaces" ? ALL_VERBS.filter((verb) => verb !== "deletecollection") : ALL_VERBS,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

/** What exists below a resource's objects, with `name` as `PLURAL/SUBRESOURCE`. */
export function subresourceEntries({ group, plural, kind, namespaced, hasStatus }: Resource): ApiResource[] {
  const entry = { singularName: "", namespaced };
  const status = hasStatus ? [{ ...entry, name: `${plural}/status`, kind, verbs: STATUS_VERBS }] : [];
  if (group !== "") return status;
  if (plural === "pods") return [...status, { ...entry, name: "pods/log", kind: "Pod", verbs: ["get"] }];
  if (plural !== "serviceaccounts") return status;
  const tokenRequest = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] };
  return [{ ...entry, name: "serviceaccounts/token", ...tokenRequest }];
}

/** The kinds of a group that can only be POSTed. */
export function reviewEntries(group: string): ApiResource[] {
  return REVIEWS.filter((review) => review.group === group).map(({ plural, kind }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ["create"],
  }));
}
