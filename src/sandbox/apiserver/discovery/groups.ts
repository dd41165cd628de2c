import { byVersionPriority, type Registry } from "../resources/registry.ts";
import { REVIEWS } from "../verbs/reviews.ts";

/** A served group and its versions, the preferred one first. */
export interface ServedGroup {
  name: string;
  versions: readonly string[];
}

/** Every group with a name; the core group is served below `/api` instead. */
export function namedGroups(registry: Registry): ServedGroup[] {
  const groups = new Map(registry.groups().map(({ name, versions }) => [name, versions]));
  groups.delete("");
  for (const { group } of REVIEWS) if (!groups.has(group)) groups.set(group, ["v1"]);
  return [...groups].map(([name, versions]) => ({ name, versions: [...versions].sort(byVersionPriority) }));
}
